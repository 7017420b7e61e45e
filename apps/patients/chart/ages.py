"""How old a patient is, as every page, reply and print shows it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.common import clock
from apps.patients.chart import dates
from apps.patients.models import Patient


def age_of(patient: Patient, at: datetime | None = None) -> str:
    """Returns the age in words, by the clinic's clock: `20 days`, `51 years`. Now or at an instant; of the deceased, at death."""
    when = at or clock.now()
    if patient.deceased_at:
        when = min(when, patient.deceased_at)
    return dates.age_in_words(patient.birth, when.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)))


def born_and_age(patient: Patient) -> str:
    """Returns both: `1980-05-15 (46 years)`, `about 1975 (about 51 years)`."""
    return f"{patient.birth.in_words} ({age_of(patient)})"
