"""Many at once at one slot, through several web processes: one gets it, and no booking takes a taken place."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Max

from apps.accounts.models import User
from apps.appointments.apps import ROW_COUNTER
from apps.appointments.models import Appointment, StatusChange
from apps.audit.models import AuditEvent
from apps.events.models import OutboxEvent
from apps.patients.models import Patient
from hims.tests import factories
from hims.tests.live import Reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def doctors() -> list[User]:
    both = [factories.hire(f"dr.{name}", "doctor", specialty="Any") for name in ("one", "two")]
    for doctor in both:
        factories.publish(doctor)
    return both


def people(count: int) -> list[Patient]:
    return [factories.register_patient("Ann", f"Roe {number}") for number in range(count)]


def after(minutes: int, start: str = "10:00") -> datetime:
    return factories.at(start) + timedelta(minutes=minutes)


def booking(patient: Any, doctor: User, when: Any = None, minutes: int = 30) -> tuple[str, str, Any]:
    return (
        "POST",
        "/appointments",
        {
            "patient_id": str(patient.pk),
            "doctor_id": str(doctor.pk),
            "scheduled_time": (when or factories.at()).isoformat(),
            "duration_minutes": minutes,
        },
    )


def statuses(replies: list[Reply]) -> Counter[int]:
    return Counter(reply.status for reply in replies)


def overlaps() -> int:
    """Pairs of live visits that want one doctor or one patient at one time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM appointments_appointment a JOIN appointments_appointment b
            ON a.id < b.id AND (a.doctor_id = b.doctor_id OR a.patient_id = b.patient_id)
            AND a.scheduled_time < b.ends_at AND b.scheduled_time < a.ends_at
            WHERE a.status IN ('scheduled', 'confirmed', 'checked_in', 'in_progress')
            AND b.status IN ('scheduled', 'confirmed', 'checked_in', 'in_progress')
            """
        )
        return int(cursor.fetchone()[0])


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_of_two_hundred_who_want_one_slot_one_gets_it(send: Any, doctors: list[User]) -> None:
    patients = people(50)
    before = deadlocks()
    replies = send(*(booking(patients[number % 50], doctors[0]) for number in range(200)))
    assert statuses(replies) == {201: 1, 409: 199}
    refused = [reply.json["error"] for reply in replies if reply.status == 409]
    assert {error["code"] for error in refused} == {"CONFLICT"}
    assert {len(error["details"]["alternatives"]) for error in refused} == {3}
    assert (Appointment.objects.count(), StatusChange.objects.count(), ROW_COUNTER.total()) == (
        1,
        1,
        1,
    )
    assert OutboxEvent.objects.filter(name="appointment.created").count() == 1
    assert AuditEvent.objects.filter(action="appointment.created").count() == 1
    assert deadlocks() == before


def test_visits_that_overlap_in_part_never_coexist(send: Any, doctors: list[User]) -> None:
    patients = people(20)
    calls = [
        booking(patients[number % 20], doctors[0], after(5 * (number % 12)), minutes=15 + 5 * (number % 4))
        for number in range(120)
    ]
    replies = send(*calls)
    assert set(statuses(replies)) == {201, 409}
    assert overlaps() == 0
    for call, reply in zip(calls, replies, strict=True):
        if reply.status == 409:  # no false refusal: another booking has that time
            asked = call[2]
            when = datetime.fromisoformat(asked["scheduled_time"])
            end = when + timedelta(minutes=asked["duration_minutes"])
            assert Appointment.objects.filter(scheduled_time__lt=end, ends_at__gt=when).exists()


def test_one_patient_is_with_one_of_two_doctors(send: Any, doctors: list[User]) -> None:
    patient = factories.register_patient()
    replies = send(*(booking(patient, doctors[number % 2]) for number in range(60)))
    assert statuses(replies) == {201: 1, 409: 59}
    assert overlaps() == 0


def test_of_many_who_are_moved_into_one_slot_one_gets_there(send: Any, doctors: list[User]) -> None:
    rows = [
        factories.book(
            factories.register_patient("Ann", f"Roe {number}"),
            doctors[number % 2],
            factories.at("12:00") + timedelta(minutes=15 * (number // 2)),
        )
        for number in range(32)
    ]
    before = deadlocks()
    there = {"scheduled_time": factories.at("09:00").isoformat(), "doctor_id": str(doctors[0].pk)}
    newcomers = [
        booking(factories.register_patient("Bea", f"Roe {number}"), doctors[0], factories.at("09:00"), minutes=15)
        for number in range(16)
    ]
    replies = send(*(("PUT", f"/appointments/{row.pk}", there) for row in rows), *newcomers)
    assert statuses(replies)[409] == 47
    assert Appointment.objects.filter(scheduled_time=factories.at("09:00")).count() == 1
    assert overlaps() == 0
    assert deadlocks() == before


def test_different_slots_of_one_doctor_are_all_booked_and_none_is_refused(send: Any, doctors: list[User]) -> None:
    patients = people(32)
    before = deadlocks()
    replies = send(*(booking(patient, doctors[0], after(15 * number), minutes=15) for number, patient in enumerate(patients)))
    assert statuses(replies) == {201: 32}
    assert deadlocks() == before


def test_everybody_who_checks_in_at_once_gets_a_token_of_his_own(send: Any, doctors: list[User]) -> None:
    rows = [factories.book(patient, doctors[0], after(15 * number)) for number, patient in enumerate(people(20))]
    replies = send(*(("POST", f"/appointments/{row.pk}/check-in", {"early": True}) for row in rows for _ in range(3)))
    assert statuses(replies) == {200: 20, 409: 40}
    numbers = Appointment.objects.aggregate(last=Max("queue_number"), all=Count("queue_number", distinct=True))
    assert numbers == {"last": 20, "all": 20}
    assert StatusChange.objects.filter(to_status="checked_in").count() == 20
