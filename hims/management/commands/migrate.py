"""`manage.py migrate`: Django's, as the role that owns the tables; then grants the application role its rights on new tables."""

from typing import Any

from django.apps import apps
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as Migrate
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader

from hims import env, roles


class Command(Migrate):
    help = f"{Migrate.help} Then grants the application role its rights (docs/audit.md)."

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_another_history(options["database"])
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


def _refuse_another_history(database: str) -> None:
    """Raises CommandError for a database made before the migrations were rewritten, to which the new ones must not be applied."""
    loader = MigrationLoader(connections[database])
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    unknown = sorted(
        f"{app}.{name}" for app, name in loader.applied_migrations if app in ours and (app, name) not in loader.graph.nodes
    )
    if unknown:
        raise CommandError(
            f"This database was made by another version of HIMS, with the migrations {', '.join(unknown[:3])}, and cannot be "
            "brought up to date. Use an empty database. For `make run`, move the data folder (.hims, or HIMS_DATA_DIR) away."
        )
