from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from apps.events import event, relay
from apps.events.event import Event
from apps.events.models import OutboxEvent
from apps.events.services import emit
from apps.events.tests.conftest import Nurse


class Urgency(StrEnum):
    ROUTINE = "routine"
    STAT = "stat"


@pytest.fixture
def moved() -> Iterator[type[Event]]:
    @dataclass(frozen=True, kw_only=True)
    class PatientMoved(Event, name="test.patient_moved"):
        patient_id: UUID
        at: datetime
        on: date
        beds: tuple[str, ...] = ()
        nurses: tuple[UUID, ...] = ()
        doctor_id: UUID | None = None
        until: datetime | None = None
        fee: Decimal = Decimal("0.00")
        urgency: Urgency = Urgency.ROUTINE
        alone: bool = True
        note_count: int = 0

    yield PatientMoved
    event._registry.pop("test.patient_moved")


def announced_and_reloaded(fact: Event) -> Event:
    with transaction.atomic():
        pk = emit(fact, by=Nurse(id=uuid4()))
    return relay.deserialize(OutboxEvent.objects.get(pk=pk))


@pytest.mark.django_db
def test_a_listener_receives_the_very_event_that_was_announced(moved: Any) -> None:
    fact = moved(
        patient_id=uuid4(),
        at=datetime(2026, 11, 22, 8, 30, 15, 123456, tzinfo=UTC),
        on=date(2024, 2, 29),
        beds=("A1", "B2"),
        nurses=(uuid4(), uuid4()),
        doctor_id=uuid4(),
        until=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
        fee=Decimal("120.50"),
        urgency=Urgency.STAT,
        alone=False,
        note_count=3,
    )
    received = announced_and_reloaded(fact)
    assert received == fact
    assert [type(vars(received)[name]) for name in vars(fact)] == [type(value) for value in vars(fact).values()]
    about = (received.event_id, received.announced_at, received.announced_by)
    assert about == OutboxEvent.objects.values_list("pk", "occurred_at", "actor_id").get()


@pytest.mark.django_db
def test_what_is_not_known_stays_unknown(moved: Any) -> None:
    fact = moved(patient_id=uuid4(), at=datetime(2026, 1, 1, tzinfo=UTC), on=date(2026, 1, 1))
    assert announced_and_reloaded(fact) == fact


def test_two_facts_cannot_have_one_name(moved: Any) -> None:
    with pytest.raises(TypeError, match=r"two events have the name 'test\.patient_moved': .*PatientMoved and .*Another"):

        class Another(Event, name="test.patient_moved"):
            pass

    assert event.named("test.patient_moved") is moved


def test_a_base_of_facts_has_no_name() -> None:
    before = event.all_names()

    class AboutBeds(Event):
        pass

    assert event.all_names() == before
    assert not AboutBeds.name


def test_a_fact_is_not_changed_afterwards(moved: Any) -> None:
    fact = moved(patient_id=uuid4(), at=datetime(2026, 1, 1, tzinfo=UTC), on=date(2026, 1, 1))
    with pytest.raises(FrozenInstanceError):
        fact.alone = False


def test_the_audit_log_names_the_patient(moved: Any) -> None:
    fact = moved(patient_id=uuid4(), at=datetime(2026, 1, 1, tzinfo=UTC), on=date(2026, 1, 1))
    assert fact.patient == fact.subject_id == fact.patient_id
