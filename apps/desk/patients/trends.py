"""The vital signs of a patient over time: a row with a small line on the summary, and a page with the plot and the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from apps.access.actor import Actor
from apps.common import clinic_times, clock
from apps.desk.patients import tabs
from apps.desk.patients.bands import usual_band
from apps.documents.plots import Band, Flag, Point, Series, plot, sparkline
from apps.documents.plots.sentences import range_words
from apps.documents.plots.values import number
from apps.patients import rights
from apps.patients.chart import measurements
from apps.patients.chart.entry_types import EntryType
from apps.patients.chart.measurements import Measurement
from apps.patients.models import Patient

SHOWN = 12  # values of a small line
MOST = 200  # values of a plot; the page says so if there are more
_BLOOD_PRESSURE = "blood-pressure"
Measured = Mapping[str, Sequence[Measurement]]


@dataclass(frozen=True)
class Trend:
    """A row of trends: its part of the address, its name, and the vital signs it shows."""

    slug: str
    title: str | Promise
    unit: str
    names: tuple[str, ...]


TRENDS = {
    trend.slug: trend
    for trend in (
        Trend(_BLOOD_PRESSURE, gettext_lazy("Blood pressure"), "mmHg", ("systolic", "diastolic")),
        Trend("pulse", gettext_lazy("Pulse"), "/min", ("pulse",)),
        Trend("weight", gettext_lazy("Weight"), "kg", ("weight_kg",)),
        Trend("bmi", gettext_lazy("Body mass index"), "kg/m²", ("bmi",)),
        Trend("oxygen-saturation", gettext_lazy("Oxygen saturation"), "%", ("spo2",)),
        Trend("temperature", gettext_lazy("Temperature"), "°C", ("temperature_c",)),
        Trend("respiratory-rate", gettext_lazy("Respiratory rate"), "/min", ("respiratory_rate",)),
        Trend("height", gettext_lazy("Height"), "cm", ("height_cm",)),
    )
}
_ON_SUMMARY = ("blood-pressure", "pulse", "weight", "bmi", "oxygen-saturation")
_LABELS = {"systolic": gettext_lazy("Systolic"), "diastolic": gettext_lazy("Diastolic")}


def may_read(user: Any) -> bool:
    """Returns whether the user may read vital signs."""
    return rights.reads_chart(user, EntryType.VITAL_SIGN)


def rows(request: HttpRequest, patient: Patient) -> list[dict[str, Any]]:
    """Returns the rows of the summary: those with values. One query."""
    if not may_read(request.user):
        return []
    shown = [TRENDS[slug] for slug in _ON_SUMMARY]
    names = [name for trend in shown for name in trend.names]
    measured = measurements.last_of_each(cast("Actor", request.user), patient.pk, *names, count=SHOWN)
    return [_row(request, patient, trend, measured) for trend in shown if measured[trend.names[0]]]


def page(request: HttpRequest, patient: Patient, trend: Trend) -> dict[str, Any]:
    """Returns what the page of a trend shows. One query."""
    measured = measurements.last_of_each(cast("Actor", request.user), patient.pk, *trend.names, count=MOST)
    series = [
        Series(str(_LABELS.get(name, trend.title)), trend.unit, _points(measured[name]), usual_band(patient.date_of_birth, name))
        for name in trend.names
    ]
    bands = [(one.name, range_words(one.band)) for one in series if one.band]
    return {
        "trend": trend,
        "drawing": plot(*series),
        "series": series,
        "ranges": bands,
        "is_cut": any(len(one.points) == MOST for one in series),
        "most": MOST,
    }


def _row(request: HttpRequest, patient: Patient, trend: Trend, measured: Measured) -> dict[str, Any]:
    points, texts = measured[trend.names[0]], _texts(trend, measured)
    bands = [(name, usual_band(patient.date_of_birth, name)) for name in trend.names]
    drawn = [Point(one.at, one.value, texts.get(one.at, "")) for one in points]
    drawing = sparkline(drawn, bands[0][1], name=str(trend.title), unit=trend.unit)
    last = points[-1]
    day = "" if clinic_times.local(last.at).date() == clock.today() else clinic_times.day(last.at)
    return {
        "title": trend.title,
        "url": tabs.carried(request, reverse("admin:patients_patient_trend", args=[patient.pk, trend.slug])),
        "last": texts.get(last.at) or number(last.value),
        "unit": trend.unit,
        "flag": _flag([(band, _at(measured[name], last)) for name, band in bands]),
        "has_range": any(band for _, band in bands),
        "svg": drawing.svg,
        "day": day or gettext("Today"),
    }


def _texts(trend: Trend, measured: Measured) -> dict[Any, str]:
    """Returns how values are written that are more than one number: blood pressures, by their instant."""
    if trend.slug != _BLOOD_PRESSURE:
        return {}
    below = {one.at: one.value for one in measured["diastolic"]}
    return {one.at: f"{number(one.value)}/{number(below[one.at])}" for one in measured["systolic"] if one.at in below}


def _at(values: Sequence[Measurement], last: Measurement) -> float | None:
    return next((one.value for one in reversed(values) if one.at == last.at), None)


def _flag(values: Sequence[tuple[Band | None, float | None]]) -> str:
    """Returns the first flag: high, low, or empty."""
    flags = [band.flag(value) for band, value in values if band and value is not None]
    return next((flag.value for flag in flags if flag is not Flag.NONE), "")


def _points(values: Sequence[Measurement]) -> list[Point]:
    return [Point(one.at, one.value) for one in values]
