"""The one table of rights, collected from the apps: which role holds which right. `manage.py rights` prints it.

It says in code what section 2 of the API contract says in a table.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache

from apps.access.permissions import Permission
from apps.access.roles import Role


def table() -> list[Permission]:
    """Return every right that the loaded apps declare, by name. Raises ValueError where two of them have one name."""
    rights = [right for enum in Permission.__subclasses__() for right in enum]
    check_names(rights)
    return sorted(rights)


def check_names(rights: Iterable[Permission]) -> None:
    """Raise ValueError where two rights have one name: a role would hold the one by holding the other."""
    twice = sorted(name for name, count in Counter(map(str, rights)).items() if count > 1)
    if twice:
        raise ValueError(f"declared twice: {', '.join(twice)}")


@cache
def permissions_of(role: str, *, admin_clinical: bool) -> frozenset[Permission]:
    """Return all rights of a role. `admin_clinical` is the setting HIMS_ADMIN_CLINICAL."""
    is_clinical_admin = role == Role.ADMIN and admin_clinical
    return frozenset(right for right in table() if role in right.roles or (is_clinical_admin and right.is_clinical))
