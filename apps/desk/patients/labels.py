"""How the tabs of a patient write the dates of entries."""

from apps.common import clinic_times
from apps.patients.chart.dates import partial
from apps.patients.chart.page_dates import date_text
from apps.patients.models import ChartEntry


def since(row: ChartEntry, *, whole: bool = False) -> str:
    """Returns the year of an entry; with `whole` its date as exactly as it is known."""
    if row.occurred_on:
        return date_text(partial(row.occurred_on)) if whole else row.occurred_on[:4]
    return clinic_times.day(row.occurred_at) if whole else str(clinic_times.local(row.occurred_at).year)
