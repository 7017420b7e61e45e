"""`manage.py migrate`: Django's, as the role that owns the tables; the application role gets its rights on what is new."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as Migrate
from django.db import DatabaseError

from hims import env, roles


class Command(Migrate):
    help = f"{Migrate.help} Then grants the application role its rights (docs/audit.md)."

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if options.get("plan") or options.get("check_unapplied"):
            return
        try:
            granted = roles.grant_application()
        except DatabaseError as problem:
            role, _ = env.application_role()
            raise CommandError(
                f"The migrations are applied, but the rights of the database role {role} could not be granted: {problem} "
                "Create the role as docs/audit.md says, and run migrate again."
            ) from problem
        if options.get("verbosity", 1) >= 1:
            message = "The application role has its rights." if granted else "One database role for all: nothing to grant."
            self.stdout.write(f"  {message}")
