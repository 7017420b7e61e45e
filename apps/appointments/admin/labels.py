"""How the diary's things are told on pages."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from apps.appointments import rules
from apps.appointments.models import AppointmentType
from apps.appointments.rules import Status, TimeSpan
from apps.appointments.scheduling import availability
from apps.common import clock
from apps.common.text import filed_name, isolated
from apps.patients.models import Patient

# A status is a word and a sign, never a colour alone.
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
    """The word alone."""
    return word.replace("_", " ")


def patient(row: Patient) -> str:
    """As a desk calls people; safe to stand beside other text."""
    return isolated(filed_name(row.last_name, row.first_name))


def doctor(user: Any) -> str:
    """As a desk calls doctors."""
    return f"Dr {isolated(user.last_name or user.first_name or user.username)}"


def moment(at: datetime) -> str:
    """A day and a time by the clinic's clock; a time of an hour that comes twice says which."""
    here = timezone.localtime(at, availability.clinic_zone())
    return f"{here:%a} {here.day} {here:%b %Y}, {clock_time(at)}"


def clock_time(at: datetime) -> str:
    """By the clinic's clock."""
    here = timezone.localtime(at, availability.clinic_zone())
    twice = here.replace(fold=0).utcoffset() != here.replace(fold=1).utcoffset()
    return f"{here:%H:%M} {here:%Z}" if twice else f"{here:%H:%M}"


def today() -> TimeSpan:
    """The clinic's day."""
    return _span(clock.today(), 1)


def days(text: str) -> TimeSpan | None:
    """The range that a word (today, tomorrow, week) or a day like 2025-01-06 means; None where it means nothing."""
    now = clock.today()
    named = {"today": (now, 1), "tomorrow": (now + timedelta(1), 1), "week": (now - timedelta(now.weekday()), 7)}
    try:
        return _span(*(named.get(text) or (date.fromisoformat(text), 1)))
    except (ValueError, OverflowError):
        return None


def _span(first: date, number: int) -> TimeSpan:
    zone = availability.clinic_zone()
    return TimeSpan(rules.instant(first, time.min, zone), rules.instant(first + timedelta(number), time.min, zone))
