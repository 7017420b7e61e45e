"""The only clock. All code that needs the time calls this module."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    """Returns the current instant, aware, in UTC."""
    return timezone.now()


def today() -> date:
    """Returns today's date in the clinic's time zone."""
    return now().astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)).date()
