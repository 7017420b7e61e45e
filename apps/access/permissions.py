"""What a right is. Each app declares its own in its `rights.py`, one row a right: its name, the roles that hold it, the scope
that an API key needs, and whether it is clinical.

    class Permission(permissions.Permission):
        APPOINTMENT_BOOK = "appointment.book", FRONT_OFFICE, Scope.APPOINTMENTS_WRITE

An enum without members may be extended, so every app has an enum of its own, mypy knows each right by name, and the kit takes
any of them as a Permission. A view, an admin page or a field names the right it needs; without one the caller is refused.
"""

from collections.abc import Set
from enum import StrEnum
from typing import Self

from apps.access.roles import Role
from apps.access.scopes import Scope

ADMIN_IF_CLINICAL = True


class Permission(StrEnum):
    """The base of all rights.

    A missing role does not hold the right. `scope` is None where API keys never may: it takes a person who has signed in. A
    right has one scope; where two endpoints ask for different scopes, they need two rights. Administrators hold a clinical
    right (ADMIN_IF_CLINICAL) as well where HIMS_ADMIN_CLINICAL=1; the contract's table shows it as "–" for them.
    """

    roles: frozenset[Role]
    scope: Scope | None
    is_clinical: bool

    def __new__(cls, name: str, roles: Set[Role] = frozenset(), scope: Scope | None = None, is_clinical: bool = False) -> Self:
        right = str.__new__(cls, name)
        right._value_ = name
        right.roles, right.scope, right.is_clinical = frozenset(roles), scope, is_clinical
        return right
