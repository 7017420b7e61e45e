"""The one clock. Everything that asks what time it is asks here."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    """This instant, aware, in UTC."""
    return timezone.now()


def today() -> date:
    """Today's date where the clinic is."""
    return now().astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)).date()
