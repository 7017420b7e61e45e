"""`manage.py createsuperuser`: creates the first administrator like any other member of staff. It replaces Django's command."""

import getpass
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.access.actor import SYSTEM
from apps.access.roles import Role
from apps.accounts import services
from apps.accounts.services import NewStaff
from apps.common.errors import HimsError

PASSWORD_VARIABLE = "HIMS_ADMIN_PASSWORD"  # noqa: S105


class Command(BaseCommand):
    help = f"Create an administrator. The password is asked for, or read from {PASSWORD_VARIABLE}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name in ("username", "email", "first-name", "last-name"):
            parser.add_argument(f"--{name}", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        staff = NewStaff(
            username=options["username"],
            email=options["email"],
            first_name=options["first_name"],
            last_name=options["last_name"],
            role=Role.ADMIN,
            password=os.environ.get(PASSWORD_VARIABLE) or _prompt_password(),
        )
        try:
            user = services.hire(by=SYSTEM, staff=staff)
        except HimsError as refusal:
            issues = [f"{row['field']}: {row['issue']}" for row in refusal.details.get("errors", [])]
            raise CommandError("\n".join(issues) or refusal.message) from refusal
        self.stdout.write(f"{user} may now sign in as {user.username}.")


def _prompt_password() -> str:
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Repeat it: "):
        raise CommandError("The two passwords differ. Nothing was saved.")
    return password
