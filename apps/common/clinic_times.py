"""Instants and days as people read them, in the clinic's time zone: on pages, in titles, in messages."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings


def local(at: datetime) -> datetime:
    """Returns the instant in the clinic's time zone."""
    return at.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE))


def day(at: date | datetime) -> str:
    """Returns the day as `29 Nov 2026`; of an instant, its day in the clinic."""
    here = local(at) if isinstance(at, datetime) else at
    return f"{here.day} {here:%b %Y}"


def clock_time(at: datetime) -> str:
    """Returns the time of day as `11:12`. A time that occurs twice when the clocks go back has its zone name too."""
    here = local(at)
    twice = here.replace(fold=0).utcoffset() != here.replace(fold=1).utcoffset()
    return f"{here:%H:%M} {here:%Z}" if twice else f"{here:%H:%M}"


def moment(at: datetime) -> str:
    """Returns the day and the time, as `Mon 30 Nov 2026, 11:12`."""
    return f"{local(at):%a} {day(at)}, {clock_time(at)}"
