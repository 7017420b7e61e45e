"""The one table of rights, as all apps together make it."""

import pytest

from apps.access import matrix
from apps.access.permissions import Permission
from apps.access.roles import STAFF, Role
from apps.accounts.rights import Permission as AccountPermission
from apps.audit.rights import Permission as AuditPermission
from apps.patients.rights import Permission as PatientPermission

CHART = {PatientPermission.CHART_VIEW, PatientPermission.CHART_WRITE}


def rights(role: str, *, admin_clinical: bool = False) -> frozenset[Permission]:
    return matrix.permissions_of(role, admin_clinical=admin_clinical)


def test_every_right_is_held_by_a_role() -> None:
    all_permissions = frozenset().union(*(rights(role) for role in STAFF))
    assert not set(matrix.table()) - all_permissions


def test_a_manager_finds_a_patient_and_opens_no_chart() -> None:
    granted = {right for right in rights(Role.MANAGER) if right.startswith(("patient.", "chart.", "consultation."))}
    assert granted == {
        PatientPermission.PATIENT_VIEW,
        PatientPermission.PATIENT_DUPLICATES,
        PatientPermission.PATIENT_NOT_SAME,
        PatientPermission.PATIENT_ASK_FOR_MERGE,
    }


def test_the_front_desk_sees_no_chart() -> None:
    assert not CHART & rights(Role.RECEPTIONIST)


def test_an_administrator_reads_charts_only_where_the_clinic_says_so() -> None:
    assert not CHART & rights(Role.ADMIN)
    assert rights(Role.ADMIN, admin_clinical=True) >= CHART


def test_the_setting_for_administrators_gives_no_other_role_anything() -> None:
    for role in set(STAFF) - {Role.ADMIN}:
        assert rights(role) == rights(role, admin_clinical=True)


@pytest.mark.parametrize(
    "right",
    [AccountPermission.STAFF_MANAGE, AccountPermission.STAFF_VIEW, AuditPermission.AUDIT_VIEW, PatientPermission.GLASS_REVIEW],
)
def test_the_clinic_is_run_by_administrators_and_managers(right: Permission) -> None:
    assert {role for role in STAFF if right in rights(role)} == {Role.ADMIN, Role.MANAGER}


@pytest.mark.parametrize(
    "right",
    [
        AccountPermission.STAFF_MANAGE_ADMINS,
        AccountPermission.STAFF_SET_PASSWORD,
        AccountPermission.KEY_KEEP_ALL,
        PatientPermission.PATIENT_MERGE,
        PatientPermission.PATIENT_RESTRICT,
        AuditPermission.AUDIT_SEE_SEARCHES,
    ],
)
def test_only_administrators_set_passwords_merge_restrict_and_read_searches(right: Permission) -> None:
    assert [role for role in STAFF if right in rights(role)] == [Role.ADMIN]


def test_no_api_key_reaches_people_sessions_keys_or_merges() -> None:
    for right in (
        AccountPermission.OWN_SESSION,
        AccountPermission.KEY_KEEP,
        AccountPermission.KEY_KEEP_ALL,
        AccountPermission.STAFF_VIEW,
        AccountPermission.STAFF_MANAGE,
        PatientPermission.PATIENT_MERGE,
    ):
        assert right.scope is None
