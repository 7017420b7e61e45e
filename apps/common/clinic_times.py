"""Instants and days as people read them, in the clinic's time zone: on pages, in titles, in messages.

The names of days and months are those of the active language: English, except on pages for a user who chose another.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format


def local(at: datetime) -> datetime:
    """Returns the instant in the clinic's time zone."""
    return at.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE))


def day(at: date | datetime) -> str:
    """Returns the day as `29 Nov 2026`; of an instant, its day in the clinic."""
    here = local(at) if isinstance(at, datetime) else at
    return date_format(here, "j M Y")


def clock_time(at: datetime) -> str:
    """Returns the time of day as `11:12`. A time that occurs twice when the clocks go back has its zone name too."""
    here = local(at)
    twice = here.replace(fold=0).utcoffset() != here.replace(fold=1).utcoffset()
    return f"{here:%H:%M} {here:%Z}" if twice else f"{here:%H:%M}"


def moment(at: datetime) -> str:
    """Returns the day and the time, as `Mon 30 Nov 2026, 11:12`."""
    return f"{date_format(local(at), 'D j M Y')}, {clock_time(at)}"
