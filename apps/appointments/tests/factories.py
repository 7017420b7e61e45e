"""Weeks and visits for tests."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.appointments import services
from apps.appointments.models import Appointment, Room, StatusChange
from apps.appointments.services import NewAppointment, NewSchedule, WeeklyHours
from apps.common import clock
from apps.patients.models import Patient

NINE, FIVE = time(9), time(17)


def local(day: date, at: time) -> datetime:
    """An instant by the clinic's clock."""
    return datetime.combine(day, at, ZoneInfo(settings.CLINIC_TIME_ZONE))


def monday(weeks: int = 1) -> date:
    """A Monday to come: the next, or one so many weeks from now."""
    today = clock.today()
    return today + timedelta(days=7 - today.weekday() + 7 * (weeks - 1))


def sunday(month: int, number: int) -> date:
    """The next such Sunday of a month, like the second of March, when the clinic's clocks go forward."""
    today = clock.today()
    for year in (today.year, today.year + 1):
        first = date(year, month, 1)
        day = first + timedelta(days=6 - first.weekday() + 7 * (number - 1))
        if day > today:
            return day
    raise AssertionError("one of two years has such a day after today")


def at(clock_time: str = "10:00", day: date | None = None) -> datetime:
    """A time of next Monday, or of another day."""
    return local(day or monday(), time.fromisoformat(clock_time))


def publish(doctor: User, *, weekdays: int = 5, starts: time = NINE, ends: time = FIVE, **schedule: Any) -> None:
    """Publish the doctor's week: Monday to Friday, nine to five."""
    hours = [WeeklyHours(weekday=weekday, starts=starts, ends=ends) for weekday in range(weekdays)]
    services.set_schedule(by=SYSTEM, doctor_id=doctor.pk, schedule=NewSchedule(hours=hours, **schedule))


def book(patient: Patient, doctor: User, when: datetime | None = None, **visit: Any) -> Appointment:
    """Books the patient with the doctor."""
    asked = NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=when or at(), **visit)
    return services.book(by=SYSTEM, new=asked).appointment


def room(name: str = "Room 1", **details: Any) -> Room:
    """A room."""
    return Room.objects.create(name=name, **details)


def book_and_check_in(patient: Patient, doctor: User, ago: int, triage: str = "routine", **visit: Any) -> Appointment:
    """Checks the patient in so many minutes ago, for a time that no other appointment of next Monday has."""
    last = Appointment.objects.filter(scheduled_time__gte=at("18:00")).order_by("-ends_at").first()
    row = book(patient, doctor, last.ends_at if last else at("18:00"), **visit)
    row = services.check_in(by=SYSTEM, appointment_id=row.pk, early=True)
    came = clock.now() - timedelta(minutes=ago)
    Appointment.objects.filter(pk=row.pk).update(checked_in_at=came, triage=triage)
    StatusChange.objects.filter(appointment=row, to_status="checked_in").update(at=came)
    row.refresh_from_db()
    return row
