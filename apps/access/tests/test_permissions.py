"""What one row of a right states, and what it states if it leaves something out."""

import pytest

from apps.access import matrix, permissions, roles
from apps.access.permissions import ADMIN_IF_CLINICAL, Permission
from apps.access.roles import CARE, CLINICAL, EVERYONE, EVERYONE_BUT_MANAGER, FRONT_OFFICE, STAFF, Role
from apps.access.scopes import Scope


class DoorPermission(permissions.Permission):
    """Rights of an app that exists in these tests alone."""

    DOOR_OPEN = "door.open", FRONT_OFFICE
    DOOR_SEE = "door.see", CARE, Scope.LAB_READ
    DOOR_LOCK = "door.lock", CLINICAL, None, ADMIN_IF_CLINICAL


@pytest.mark.parametrize(
    ("right", "held_by", "scope", "is_clinical"),
    [
        (DoorPermission.DOOR_OPEN, FRONT_OFFICE, None, False),
        (DoorPermission.DOOR_SEE, CARE, Scope.LAB_READ, False),
        (DoorPermission.DOOR_LOCK, CLINICAL, None, True),
    ],
)
@pytest.mark.parametrize("role", Role)
def test_a_role_holds_the_rights_that_name_it_and_no_other(
    right: Permission, held_by: frozenset[Role], scope: Scope | None, is_clinical: bool, role: Role
) -> None:
    assert (right.roles, right.scope, right.is_clinical) == (held_by, scope, is_clinical)
    assert (right in matrix.permissions_of(role, admin_clinical=False)) is (role in held_by)
    also = role is Role.ADMIN and is_clinical
    assert (right in matrix.permissions_of(role, admin_clinical=True)) is (role in held_by or also)


def test_a_right_is_its_name() -> None:
    assert (str(DoorPermission.DOOR_OPEN), DoorPermission.DOOR_OPEN.value) == ("door.open", "door.open")
    assert DoorPermission("door.open") is DoorPermission.DOOR_OPEN
    with pytest.raises(ValueError, match="door"):
        DoorPermission("door.paint")


def test_the_table_has_every_right_once_by_name() -> None:
    table = matrix.table()
    assert [str(right) for right in table] == sorted({str(right) for right in table})
    assert set(DoorPermission) <= set(table)


def test_a_table_with_two_rights_of_one_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [*Permission.__subclasses__(), DoorPermission]
    monkeypatch.setattr(matrix, "Permission", type("Twice", (), {"__subclasses__": staticmethod(lambda: kinds)}))
    with pytest.raises(ValueError, match=r"declared twice: door\.lock, door\.open, door\.see"):
        matrix.table()


def test_the_groups_of_roles_are_those_of_the_contract() -> None:
    assert [str(role) for role in Role] == [
        "admin",
        "manager",
        "doctor",
        "nurse",
        "receptionist",
        "pharmacist",
        "lab_technician",
        "billing",
        "patient",
    ]
    assert set(STAFF) == EVERYONE == set(Role) - {Role.PATIENT}
    assert EVERYONE - {Role.MANAGER} == EVERYONE_BUT_MANAGER
    assert {Role.DOCTOR, Role.NURSE} == CLINICAL
    assert {Role.DOCTOR, Role.NURSE, Role.PHARMACIST, Role.LAB_TECHNICIAN} == CARE
    assert {Role.DOCTOR, Role.NURSE, Role.ADMIN, Role.RECEPTIONIST} == FRONT_OFFICE
    assert all(Role.PATIENT not in group for group in (EVERYONE, CLINICAL, CARE, FRONT_OFFICE))
    assert roles.STAFF == STAFF
