"""Many at one doctor's day at once."""

from datetime import timedelta

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import hire_ward
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.services import NewVisit
from apps.appointments.tests.factories import at, book, publish
from apps.common.errors import HimsError
from apps.common.tests.crowd import at_once
from apps.patients.tests.factories import admit

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 6


@pytest.fixture
def doctor(transactional_db: None) -> User:
    """Somebody whose day has a seat for all but one."""
    doctor = hire_ward()["doctor"]
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
            visit = NewVisit(patient_id=row.patient_id, doctor_id=doctor.pk, scheduled_time=there, overbook_reason="Cannot wait")
            services.book(by=SYSTEM, visit=visit)
    except HimsError as refusal:
        return type(refusal).__name__
    return "seated"


def test_who_is_moved_onto_an_overbooked_day_gets_a_seat_or_is_told_that_it_is_full(doctor: User) -> None:
    for week in range(2, 7):
        far = at("09:00") + timedelta(weeks=week)
        rows = [book(admit("Ann", f"N{week}{n}"), doctor, far + n * timedelta(minutes=30)) for n in range(MANY)]
        done = at_once(MANY, lambda number: tried(number, rows[number], doctor))  # noqa: B023
        assert sorted(done) == ["OverbookingFull", *["seated"] * (MANY - 1)]
        seated = Appointment.objects.filter(overbook_seat__isnull=False, status="scheduled")
        assert sorted(seated.values_list("overbook_seat", flat=True)) == list(range(1, MANY))
        for row in seated:
            services.cancel(by=SYSTEM, appointment_id=row.pk)


@pytest.mark.parametrize("moved", [False, True])
def test_of_more_than_there_are_seats_each_gets_one_or_is_told_that_the_day_is_full(doctor: User, moved: bool) -> None:
    """Of so many, the last lose a seat more often than a clash is looked at again."""
    many = 14
    publish(doctor, overbook_per_day=many - 1)
    far = at("09:00") + timedelta(weeks=3)
    rows = [book(admit("Ann", f"N{n}"), doctor, far + n * timedelta(minutes=30)) for n in range(many)]
    done = at_once(many, lambda number: tried(number, rows[number], doctor, moved=moved))
    assert sorted(done) == ["OverbookingFull", *["seated"] * (many - 1)]
    seats = Appointment.objects.filter(overbook_seat__isnull=False).values_list("overbook_seat", flat=True)
    assert sorted(seats) == list(range(1, many))
