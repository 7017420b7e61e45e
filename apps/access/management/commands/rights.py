"""`manage.py rights`: the table of rights, as the installed apps declare it."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.access import matrix
from apps.access.permissions import Permission
from apps.access.roles import STAFF, Role


class Command(BaseCommand):
    help = (
        "Prints every right: y where a role holds it, c where administrators hold it with HIMS_ADMIN_CLINICAL=1, and the scope "
        "that an API key needs (- where API keys never may)."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        rights = matrix.table()
        width = max(map(len, rights))
        self.stdout.write(f"{'':{width}}  {'  '.join(STAFF)}  scope of an API key")
        for right in rights:
            cells = "  ".join(_cell(right, role).ljust(len(role)) for role in STAFF)
            self.stdout.write(f"{right:{width}}  {cells}  {right.scope or '-'}")


def _cell(right: Permission, role: Role) -> str:
    if role in right.roles:
        return "y"
    return "c" if role is Role.ADMIN and right.is_clinical else "-"
