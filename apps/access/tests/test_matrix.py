import pytest

from apps.access import matrix
from apps.access.actor import SYSTEM
from apps.access.matrix import CHART_TYPES
from apps.access.permissions import Permission as P
from apps.access.roles import STAFF, Role

CHART = {P.CHART_VIEW, P.CHART_WRITE}


def rights(role: str, *, admin_clinical: bool = False) -> frozenset[P]:
    return matrix.permissions_of(role, admin_clinical=admin_clinical)


def test_every_right_is_held_by_somebody() -> None:
    all_permissions = frozenset().union(*(rights(role) for role in STAFF))
    assert not set(P) - all_permissions


def test_a_patient_holds_no_right_of_the_staff() -> None:
    assert rights(Role.PATIENT) == frozenset()
    assert rights(Role.PATIENT, admin_clinical=True) == frozenset()


def test_an_unknown_role_holds_no_right() -> None:
    assert rights("janitor", admin_clinical=True) == frozenset()
    assert rights("") == frozenset()


def test_a_manager_sees_no_patient() -> None:
    assert not {right for right in rights(Role.MANAGER) if right.startswith(("patient.", "chart."))}


def test_the_front_desk_sees_no_chart() -> None:
    assert not CHART & rights(Role.RECEPTIONIST)


def test_an_administrator_reads_charts_only_where_the_clinic_says_so() -> None:
    assert not CHART & rights(Role.ADMIN)
    assert rights(Role.ADMIN, admin_clinical=True) >= CHART
    assert matrix.readable_chart_types(Role.ADMIN, admin_clinical=False) == frozenset()
    assert matrix.readable_chart_types(Role.ADMIN, admin_clinical=True) == set(CHART_TYPES)


def test_the_setting_for_administrators_gives_nobody_else_anything() -> None:
    for role in set(STAFF) - {Role.ADMIN}:
        assert rights(role) == rights(role, admin_clinical=True)


@pytest.mark.parametrize("right", [P.STAFF_MANAGE, P.STAFF_VIEW, P.AUDIT_VIEW, P.PATIENT_MERGE])
def test_administration_is_the_administrators(right: P) -> None:
    assert [role for role in STAFF if right in rights(role)] == [Role.ADMIN]


def test_a_pharmacist_writes_allergies_and_nothing_else() -> None:
    assert matrix.writable_chart_types(Role.PHARMACIST, admin_clinical=False) == {"allergy"}
    assert "note" not in matrix.readable_chart_types(Role.PHARMACIST, admin_clinical=False)


def test_who_may_write_a_kind_of_entry_may_read_it() -> None:
    for role in STAFF:
        writes = matrix.writable_chart_types(role, admin_clinical=False)
        assert writes <= matrix.readable_chart_types(role, admin_clinical=False)
        assert bool(writes) == (P.CHART_WRITE in rights(role))


def test_only_billing_sees_codes_without_words() -> None:
    assert [role for role in STAFF if matrix.coded_only(role)] == [Role.BILLING]


def test_the_system_may_do_everything_and_has_no_id() -> None:
    assert SYSTEM.id is None
    assert all(SYSTEM.has_permission(right) for right in P)
