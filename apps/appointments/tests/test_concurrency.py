"""Many at one doctor's day at once."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import create_staff, hire
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.services import NewAppointment
from apps.appointments.tests.factories import at, book, publish
from apps.common import clock
from apps.common.errors import HimsError
from apps.common.tests.concurrency import run_concurrently
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 6


@pytest.fixture
def doctor(transactional_db: None) -> User:
    """A doctor whose day has one overbook seat less than patients."""
    doctor = create_staff()["doctor"]
    publish(doctor, overbook_per_day=MANY - 1)
    return doctor


def tried(number: int, row: Appointment, doctor: User, *, moved: bool | None = None) -> str:
    """Moved onto the day or booked on it, at a time of its own; half of them each where it is not said."""
    there = at("10:00") + number * timedelta(minutes=20)
    try:
        if number % 2 if moved is None else moved:
            wish = {"scheduled_time": there, "overbook_reason": "Cannot wait"}
            services.change(by=SYSTEM, appointment_id=row.pk, changes=wish)
        else:
            visit = NewAppointment(
                patient_id=row.patient_id, doctor_id=doctor.pk, scheduled_time=there, overbook_reason="Cannot wait"
            )
            services.book(by=SYSTEM, new=visit)
    except HimsError as refusal:
        return type(refusal).__name__
    return "seated"


def test_a_visit_moved_onto_an_overbooked_day_gets_a_seat_or_is_refused_as_it_is_full(doctor: User) -> None:
    for week in range(2, 7):
        far = at("09:00") + timedelta(weeks=week)
        rows = [book(register_patient("Ann", f"N{week}{n}"), doctor, far + n * timedelta(minutes=30)) for n in range(MANY)]
        done = run_concurrently(MANY, lambda number: tried(number, rows[number], doctor))  # noqa: B023
        assert sorted(done) == ["OverbookingFull", *["seated"] * (MANY - 1)]
        seated = Appointment.objects.filter(overbook_seat__isnull=False, status="scheduled")
        assert sorted(seated.values_list("overbook_seat", flat=True)) == list(range(1, MANY))
        for row in seated:
            services.cancel(by=SYSTEM, appointment_id=row.pk)


@pytest.mark.parametrize("moved", [False, True])
def test_of_more_than_there_are_seats_each_gets_one_or_is_refused_as_the_day_is_full(doctor: User, moved: bool) -> None:
    """Of so many, the last lose a seat more often than a clash is looked at again."""
    many = 14
    publish(doctor, overbook_per_day=many - 1)
    far = at("09:00") + timedelta(weeks=3)
    rows = [book(register_patient("Ann", f"N{n}"), doctor, far + n * timedelta(minutes=30)) for n in range(many)]
    done = run_concurrently(many, lambda number: tried(number, rows[number], doctor, moved=moved))
    assert sorted(done) == ["OverbookingFull", *["seated"] * (many - 1)]
    seats = Appointment.objects.filter(overbook_seat__isnull=False).values_list("overbook_seat", flat=True)
    assert sorted(seats) == list(range(1, many))


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def moved_to(row: Appointment, **there: Any) -> str:
    try:
        services.change(by=SYSTEM, appointment_id=row.pk, changes=there)
    except HimsError as refusal:
        return type(refusal).__name__
    return "moved"


def test_two_visits_of_one_patient_that_swap_their_times_at_once_wait_for_no_deadlock(doctor: User) -> None:
    """Each comes to the time that the other leaves, with another doctor: only the patient is the same."""
    other = hire("dr.other", "doctor", specialty="Any")
    publish(other)
    before = deadlocks()
    for number in range(10):
        patient = register_patient("Ann", f"Roe {number}")
        first, second = at("09:00") + timedelta(days=7 * number), at("11:00") + timedelta(days=7 * number)
        one, two = book(patient, doctor, first), book(patient, other, second)
        exchanges = ((one, second), (two, first))
        done = run_concurrently(2, lambda turn: moved_to(exchanges[turn][0], scheduled_time=exchanges[turn][1]))  # noqa: B023
        assert done == ["SlotTaken", "SlotTaken"]  # neither time is free until the other visit has left it
    assert deadlocks() == before


def test_a_late_arrival_and_a_booking_of_one_patient_at_one_time_wait_for_no_deadlock(doctor: User) -> None:
    """Who was missed is checked in after all, and takes the time again that a booking of the same patient asks for."""
    other = hire("dr.other", "doctor", specialty="Any")
    publish(other)
    noon = at("12:00", clock.today())
    before, start = deadlocks(), noon - timedelta(minutes=5)
    with time_machine.travel(noon):  # at midnight the patient would come on another day
        for number in range(10):
            patient = register_patient("Ann", f"Roe {number}")
            row = book(patient, hire(f"dr.{number}", "doctor", specialty="Any"), start)
            services.no_show(by=SYSTEM, appointment_id=row.pk)

            def act(turn: int) -> str:
                try:
                    if turn == 0:
                        return services.check_in(by=SYSTEM, appointment_id=row.pk, early=True).status  # noqa: B023
                    services.book(by=SYSTEM, new=NewAppointment(patient_id=patient.pk, doctor_id=other.pk, scheduled_time=start))  # noqa: B023
                except HimsError as refusal:
                    return type(refusal).__name__
                return "booked"

            done = run_concurrently(2, act)
            assert done in (["checked_in", "SlotTaken"], ["SlotTaken", "booked"])
            Appointment.objects.filter(patient=patient, doctor=other).update(status="no_show")
    assert deadlocks() == before


def test_a_booking_and_a_move_to_another_doctor_of_one_patient_wait_for_no_deadlock(doctor: User) -> None:
    other = hire("dr.other", "doctor", specialty="Any")
    publish(other)
    before = deadlocks()
    for number in range(10):
        patient, start = register_patient("Ann", f"Roe {number}"), at("09:00") + timedelta(days=7 * number)
        row = book(patient, doctor, start)

        def act(turn: int) -> str:
            if turn == 0:
                return moved_to(row, scheduled_time=start + timedelta(hours=2), doctor_id=other.pk)  # noqa: B023
            visit = NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=start)  # noqa: B023
            try:
                services.book(by=SYSTEM, new=visit)
            except HimsError as refusal:
                return type(refusal).__name__
            return "booked"

        done = run_concurrently(2, act)
        assert done[0] == "moved"
        assert done[1] in ("booked", "SlotTaken")  # whichever came first
    assert deadlocks() == before
