"""How old a patient is, as every page, reply and print shows it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.common import clock
from apps.patients.chart import dates, page_dates
from apps.patients.models import Patient


def age_of(patient: Patient, at: datetime | None = None) -> str:
    """Returns the age in English, by the clinic's clock: `20 days`, `51 years`. Now or at an instant, or at death."""
    return str(_age(patient, at))


def age_on_page(patient: Patient) -> str:
    """Returns the age as `age_of`, in the language of the page."""
    return page_dates.age_text(_age(patient, None))


def born_and_age(patient: Patient) -> str:
    """Returns both, in the language of the page: `15 May 1980 (46 years)`, `about 1975 (about 51 years)`."""
    return f"{patient.born} ({age_on_page(patient)})"


def _age(patient: Patient, at: datetime | None) -> dates.Age:
    when = at or clock.now()
    if patient.deceased_at:
        when = min(when, patient.deceased_at)
    return dates.age(patient.birth, when.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)))
