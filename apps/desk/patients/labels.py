"""How the tabs of a patient write the dates of entries."""

from datetime import datetime

from apps.common import clinic_times
from apps.patients.chart.dates import partial
from apps.patients.chart.page_dates import date_text
from apps.patients.models import ChartEntry


def since(row: ChartEntry, *, whole: bool = False) -> str:
    """Returns the year of an entry; with `whole` its date as exactly as it is known."""
    return _written(row.occurred_on, row.occurred_at, whole=whole)


def until(row: ChartEntry) -> str:
    """Returns the date on which an entry ended, as exactly as it is known; empty if it has none."""
    return _written(row.ended_on, row.ended_at, whole=True) if row.ended_at else ""


def _written(on: str, at: datetime, *, whole: bool) -> str:
    if on:
        return date_text(partial(on)) if whole else on[:4]
    return clinic_times.day(at) if whole else str(clinic_times.local(at).year)
