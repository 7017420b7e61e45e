"""The band of the usual range behind the drawn values of a vital sign."""

from datetime import date

from apps.common import clock
from apps.documents.plots import Band
from apps.patients.chart.dates import years_between
from apps.patients.chart.vitals.usual import usual_range


def usual_band(born: date, name: str) -> Band | None:
    """Returns the band of a vital sign for a person of this birth date today; None if there is none, as for children."""
    usual = usual_range(name, years_between(born, clock.today()))
    return Band(usual.low, usual.high) if usual else None
