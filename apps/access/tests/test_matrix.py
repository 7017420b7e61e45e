from io import StringIO

import pytest
from django.core.management import call_command

from apps.access import matrix, permissions
from apps.access.actor import SYSTEM
from apps.access.permissions import ADMIN_IF_CLINICAL, Permission
from apps.access.roles import CLINICAL, STAFF, Role
from apps.access.scopes import Scope


class LampPermission(permissions.Permission):
    """Rights of an app that exists in these tests alone."""

    LAMP_SEE = "lamp.see", CLINICAL, Scope.LAB_READ, ADMIN_IF_CLINICAL
    LAMP_BUY = "lamp.buy", {Role.MANAGER}


def rights(role: str, *, admin_clinical: bool = False) -> frozenset[Permission]:
    return matrix.permissions_of(role, admin_clinical=admin_clinical)


def test_one_row_states_the_roles_the_scope_and_whether_the_right_is_clinical() -> None:
    assert LampPermission.LAMP_SEE == "lamp.see"
    assert [role for role in STAFF if LampPermission.LAMP_SEE in rights(role)] == [Role.DOCTOR, Role.NURSE]
    assert LampPermission.LAMP_SEE.scope is Scope.LAB_READ


def test_a_clinical_right_is_the_administrators_only_where_the_clinic_says_so() -> None:
    assert LampPermission.LAMP_SEE not in rights(Role.ADMIN)
    assert LampPermission.LAMP_SEE in rights(Role.ADMIN, admin_clinical=True)
    assert LampPermission.LAMP_BUY not in rights(Role.ADMIN, admin_clinical=True)


def test_a_right_without_a_scope_is_closed_to_api_keys() -> None:
    assert LampPermission.LAMP_BUY.scope is None


def test_a_name_that_two_apps_declare_is_refused() -> None:
    with pytest.raises(ValueError, match=r"declared twice: lamp\.see"):
        matrix.check_names([*LampPermission, LampPermission.LAMP_SEE])


def test_a_patient_holds_no_right_of_the_staff() -> None:
    assert rights(Role.PATIENT) == frozenset()
    assert rights(Role.PATIENT, admin_clinical=True) == frozenset()


def test_an_unknown_role_holds_no_right() -> None:
    assert rights("janitor", admin_clinical=True) == frozenset()
    assert rights("") == frozenset()


def test_the_system_may_do_everything_and_has_no_id() -> None:
    assert SYSTEM.id is None
    assert all(SYSTEM.has_permission(right) for right in matrix.table())


def test_the_command_prints_who_holds_each_right() -> None:
    printed = StringIO()
    call_command("rights", stdout=printed)
    (row,) = [line for line in printed.getvalue().splitlines() if line.startswith("lamp.see ")]
    assert row.split() == ["lamp.see", "c", "-", "y", "y", "-", "-", "-", "-", "lab:read"]
    (row,) = [line for line in printed.getvalue().splitlines() if line.startswith("lamp.buy ")]
    assert row.split() == ["lamp.buy", "-", "y", "-", "-", "-", "-", "-", "-", "-"]
