"""How appointments, people and times are written on pages."""

from datetime import date, datetime, time, timedelta
from typing import Any

from apps.appointments import rules
from apps.appointments.models import AppointmentType
from apps.appointments.rules import Status, TimeSpan
from apps.appointments.scheduling import availability
from apps.common import clinic_times, clock
from apps.common.text import filed_name, isolated
from apps.patients.models import Patient

# A status has a word and a sign, never only a color.
SIGNS = {
    Status.REQUESTED: "?",
    Status.SCHEDULED: "○",
    Status.CONFIRMED: "✓",
    Status.CHECKED_IN: "⌂",
    Status.IN_PROGRESS: "▶",
    Status.COMPLETED: "■",
    Status.CANCELLED: "✕",
    Status.NO_SHOW: "∅",
}
TYPES = [(kind.value, kind.value.replace("_", " ")) for kind in AppointmentType]


def status(word: str) -> str:
    """Returns the status as words."""
    return word.replace("_", " ")


def patient(row: Patient) -> str:
    """Returns the name as reception files it, isolated so that its text direction does not affect the text around it."""
    return isolated(filed_name(row.last_name, row.first_name))


def doctor(user: Any) -> str:
    """Returns a doctor's name, as `patient` does."""
    return f"Dr {isolated(user.last_name or user.first_name or user.username)}"


def moment(at: datetime) -> str:
    """Returns a day and a time in the clinic's time zone; a time that occurs twice has its zone name."""
    return clinic_times.moment(at)


def clock_time(at: datetime) -> str:
    """Returns the time in the clinic's time zone."""
    return clinic_times.clock_time(at)


def today() -> TimeSpan:
    """Returns the clinic's current day."""
    return _span(clock.today(), 1)


def days(text: str) -> TimeSpan | None:
    """Returns the range of a word (today, tomorrow, week) or a day like 2025-01-06; None for other text."""
    now = clock.today()
    named = {"today": (now, 1), "tomorrow": (now + timedelta(1), 1), "week": (now - timedelta(now.weekday()), 7)}
    try:
        return _span(*(named.get(text) or (date.fromisoformat(text), 1)))
    except (ValueError, OverflowError):
        return None


def _span(first: date, number: int) -> TimeSpan:
    zone = availability.clinic_zone()
    return TimeSpan(rules.instant(first, time.min, zone), rules.instant(first + timedelta(number), time.min, zone))
