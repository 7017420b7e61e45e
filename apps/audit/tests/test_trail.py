from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from apps.access import matrix
from apps.access.actor import SYSTEM
from apps.access.permissions import Permission
from apps.access.roles import STAFF, Role
from apps.audit import services
from apps.audit.models import AuditEvent
from apps.common import clock, context
from apps.common.context import RequestContext
from apps.events import event
from apps.events.event import Event
from apps.events.models import OutboxEvent
from apps.events.services import emit

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Actor:
    role: str
    id: UUID | None = None

    def has_permission(self, permission: Permission) -> bool:
        return permission in matrix.permissions_of(self.role, admin_clinical=True)


def lies_in(row: AuditEvent) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM audit_auditevent WHERE id = %s", [row.pk])
        [(table,)] = cursor.fetchall()
    return table.removeprefix("audit_auditevent_")


def noted_at(at: datetime) -> AuditEvent:
    return AuditEvent.objects.create(at=at, action="test.noted", outcome="success")


def test_a_row_lies_in_the_table_of_its_month() -> None:
    assert lies_in(AuditEvent.objects.get(pk=services.record(by=SYSTEM, action="test.noted"))) == f"{clock.now():%Y_%m}"


def test_months_are_counted_in_utc() -> None:
    services.make_partitions(date(2031, 3, 1), months=2)
    assert lies_in(noted_at(datetime(2031, 3, 31, 23, 59, 59, 999999, tzinfo=UTC))) == "2031_03"
    assert lies_in(noted_at(datetime(2031, 4, 1, tzinfo=UTC))) == "2031_04"


def test_the_coming_months_are_ready_and_may_be_made_again() -> None:
    made = services.make_partitions()
    assert made == services.make_partitions()
    assert len(made) == 4
    assert made[0] == f"audit_auditevent_{clock.now():%Y_%m}"


def test_months_go_over_the_end_of_a_year() -> None:
    assert services.make_partitions(date(2031, 11, 30), months=3) == [
        f"audit_auditevent_{month}" for month in ("2031_11", "2031_12", "2032_01")
    ]


def test_a_row_of_a_month_without_a_table_is_kept_and_moves_when_it_is_made() -> None:
    early, inside, late = (noted_at(datetime(2031, month, 15, tzinfo=UTC)) for month in (4, 5, 6))
    assert {lies_in(row) for row in (early, inside, late)} == {"other"}
    assert services.make_partitions(date(2031, 5, 1), months=1) == ["audit_auditevent_2031_05"]
    assert [lies_in(row) for row in (early, inside, late)] == ["other", "2031_05", "other"]
    assert AuditEvent.objects.get(pk=inside.pk).at == inside.at
    assert lies_in(noted_at(datetime(2031, 5, 31, tzinfo=UTC))) == "2031_05"


def test_a_new_month_has_the_indexes_of_the_others() -> None:
    services.make_partitions(date(2031, 5, 1), months=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid "
            "WHERE x.indrelid = 'audit_auditevent_2031_05'::regclass"
        )
        assert cursor.fetchone()[0] == 6
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.create(at=datetime(2031, 5, 2, tzinfo=UTC), action="test.noted", outcome="forgotten")


def test_a_row_says_who_did_what_from_where() -> None:
    actor, patient, thing = Actor(Role.NURSE, uuid4()), uuid4(), uuid4()
    context.enter(RequestContext(request_id="req_12345678", ip="2001:db8::7", purpose="break_glass"))
    try:
        services.record(by=actor, action="test.read", patient_id=patient, object_id=thing, shown=3)
    finally:
        context.enter(None)
    row = AuditEvent.objects.get()
    assert (row.user_id, row.role, row.action, row.outcome) == (actor.id, "nurse", "test.read", "success")
    assert (row.patient_id, row.object_id, row.ip, row.request_id) == (patient, thing, "2001:db8::7", "req_12345678")
    assert (row.purpose, row.detail) == ("break_glass", {"shown": 3})


def test_a_stranger_has_no_id_and_no_role() -> None:
    row = AuditEvent.objects.get(pk=services.record(by=None, action="test.refused", outcome=AuditEvent.Outcome.DENIED))
    assert (row.user_id, row.role) == (None, "")


@pytest.mark.django_db(transaction=True)
def test_a_row_stands_and_falls_with_the_change_it_tells_of() -> None:
    @dataclass(frozen=True, kw_only=True)
    class BellRang(Event, name="test.trailed"):
        patient_id: UUID

    try:
        with suppress(ZeroDivisionError), transaction.atomic():
            emit(BellRang(patient_id=uuid4()), by=SYSTEM)
            assert AuditEvent.objects.count() == 1
            _ = 1 / 0
        assert not AuditEvent.objects.exists()
        with transaction.atomic():
            pk = emit(BellRang(patient_id=uuid4()), by=SYSTEM)
    finally:
        event._registry.pop("test.trailed")
    row = AuditEvent.objects.get()
    assert (row.action, row.role, row.detail) == ("test.trailed", "system", {"event_id": str(pk)})
    assert str(row.patient_id) == OutboxEvent.objects.get(pk=pk).payload["patient_id"]


@pytest.mark.django_db(transaction=True)
def test_a_change_that_cannot_be_put_on_record_does_not_happen() -> None:
    @dataclass(frozen=True, kw_only=True)
    class LongWord(Event, name="test." + "x" * 76):
        """Its name fits the outbox and the audit log."""

    class Unnamed:
        id, role = None, "a role that is far too long for the audit log"

    try:
        with pytest.raises(Exception, match="too long"), transaction.atomic():
            emit(LongWord(), by=Unnamed())
    finally:
        event._registry.pop(LongWord.name)
    assert not OutboxEvent.objects.exists()


@pytest.mark.parametrize("around", [{"outcome": "forgotten"}, {"outcome": ""}, {"detail": ["a", "list"]}])
def test_the_database_refuses_an_impossible_row(around: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.create(**({"action": "test.noted", "outcome": "success"} | around))


def test_only_administrators_and_managers_read_the_trail() -> None:
    services.record(by=SYSTEM, action="test.noted")
    sees = {role for role in [*STAFF, Role.PATIENT, "janitor"] if AuditEvent.objects.visible_to(Actor(role)).exists()}
    assert sees == {Role.ADMIN, Role.MANAGER}


@pytest.mark.django_db(transaction=True)
def test_only_the_row_of_a_look_does_not_wait_for_the_disk() -> None:
    def waits() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            return cursor.fetchone()[0]

    usual = waits()
    services.record(by=SYSTEM, action="test.look")
    assert waits() == usual
    with transaction.atomic():
        services.record(by=SYSTEM, action="test.write")
        assert waits() == usual
