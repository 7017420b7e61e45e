"""Which types of chart entry each role reads and writes."""

from dataclasses import dataclass
from uuid import UUID

from apps.access import matrix, permissions
from apps.access.roles import STAFF, Role
from apps.patients import rights
from apps.patients.chart.entry_types import ENTRY_TYPES
from apps.patients.rights import Permission


@dataclass(frozen=True)
class Person:
    role: Role
    admin_clinical: bool = False
    id: UUID | None = None

    def has_permission(self, permission: permissions.Permission) -> bool:
        return permission in matrix.permissions_of(self.role, admin_clinical=self.admin_clinical)


def readable(role: Role, *, admin_clinical: bool = False) -> set[str]:
    return {kind for kind in ENTRY_TYPES if rights.reads_chart(Person(role, admin_clinical), kind)}


def writable(role: Role, *, admin_clinical: bool = False) -> set[str]:
    return {kind for kind in ENTRY_TYPES if rights.writes_chart(Person(role, admin_clinical), kind)}


def test_an_administrator_reads_charts_only_where_the_clinic_says_so() -> None:
    assert readable(Role.ADMIN) == set()
    assert readable(Role.ADMIN, admin_clinical=True) == set(ENTRY_TYPES)
    assert writable(Role.ADMIN) == set()
    assert writable(Role.ADMIN, admin_clinical=True) == set(ENTRY_TYPES)


def test_a_pharmacist_writes_allergies_and_nothing_else() -> None:
    assert writable(Role.PHARMACIST) == {"allergy"}
    assert "note" not in readable(Role.PHARMACIST)


def test_who_may_write_a_kind_of_entry_may_read_it() -> None:
    for role in STAFF:
        assert writable(role) <= readable(role)
        assert bool(writable(role)) == (Permission.CHART_WRITE in matrix.permissions_of(role, admin_clinical=False))


def test_an_unknown_type_of_entry_is_closed_to_every_role() -> None:
    for role in STAFF:
        assert not rights.reads_chart(Person(role, admin_clinical=True), "letter")
        assert not rights.writes_chart(Person(role, admin_clinical=True), "letter")


def test_only_billing_sees_codes_without_words() -> None:
    assert [role for role in STAFF if rights.coded_only(role)] == [Role.BILLING]
