"""The boxes of the vital signs: each with its unit, the last value and its day, the trend, and what is unusual about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.forms import BoundField
from django.http import HttpRequest
from django.utils.translation import gettext

from apps.access.actor import Actor
from apps.common import clinic_times
from apps.consultations import adaptive
from apps.consultations.adaptive import guidance
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.steps.definitions import Step
from apps.desk.consultations import labels
from apps.desk.consultations.step_forms import CONFIRMED, StepForm
from apps.desk.patients.bands import usual_band
from apps.documents.plots import Band, Drawing, Point, sparkline
from apps.patients.chart import measurements, vitals
from apps.patients.chart.vitals import LastMeasurement, MeasuredPerson, parsing

_NOON = time(12)
_PARTS = {"bp": ("systolic", "diastolic")}
Measured = Mapping[str, Sequence[LastMeasurement]]


@dataclass(frozen=True)
class Suggestion:
    """The unit that was probably meant: the name and value of the button that chooses it, and the metric value."""

    choice: str
    word: str
    text: str


@dataclass(frozen=True)
class VitalBox:
    """One row: the input with its unit; `before` and `on` are the last value and its day; `trend` draws the last ones, over
    the usual range if there is one."""

    box: BoundField
    unit: str
    before: str
    on: str
    trend: Drawing
    has_band: bool
    flags: list[str]
    suggestion: Suggestion | None
    may_confirm: bool
    limits: dict[str, str]


def boxes(request: HttpRequest, consultation: ConsultationDetails, form: StepForm) -> list[VitalBox]:
    """Returns the rows in nursing order. Two queries."""
    row = consultation.row
    measured = measurements.recent(cast("Actor", request.user), row.patient_id, *vitals.LOINC)
    person = guidance.person(row, row.patient)
    flagged = _flags(consultation)
    shown = [box for box in form.singles() if box.name != CONFIRMED and box.name not in vitals.UNIT_FIELDS]
    born = row.patient.date_of_birth
    return [_row(box, form, measured, person, flagged, band=usual_band(born, _drawn(box.name))) for box in shown]


def units(form: StepForm) -> list[BoundField]:
    """Returns the boxes that choose a unit, for readings that were taken in another one."""
    return [form[name] for name in vitals.UNIT_FIELDS]


def _row(
    box: BoundField,
    form: StepForm,
    measured: Measured,
    person: MeasuredPerson,
    flagged: Mapping[str, list[str]],
    *,
    band: Band | None,
) -> VitalBox:
    name, number = box.name, _number(box.value())
    before, on = last_value(name, measured)
    refused = bool(box.errors)
    implausible = [one.name for one in form if one.errors and one.name != CONFIRMED]
    is_possible = name == "bp" or (number is not None and not vitals.impossible(name, number))
    return VitalBox(
        box=box,
        unit=labels.unit(name),
        before=before,
        on=on,
        trend=_trend(name, str(box.label), measured, band),
        has_band=band is not None and bool(measured.get(_drawn(name))),
        flags=[] if refused else flagged.get(name, []),
        suggestion=_suggestion(name, number, person) if refused and number is not None else None,
        may_confirm=refused
        and implausible == [name]
        and is_possible
        and any("hardly possible" in str(error) for error in box.errors),
        limits=_limits(name, person),
    )


def last_value(name: str, measured: Measured) -> tuple[str, str]:
    """Returns the chart's newest value and its day as text; a blood pressure from its two values, if both are of one day."""
    parts = [measured[part][-1] for part in _PARTS.get(name, (name,)) if measured.get(part)]
    if not parts:
        return "", ""
    same_day = [one for one in parts if one.on == parts[0].on]
    text = "/".join(f"{one.value:g}" for one in same_day)
    return (f"{text}/?" if name == "bp" and len(same_day) == 1 else text), clinic_times.day(parts[0].on)


def _drawn(name: str) -> str:
    """Returns the vital sign that the trend of a box draws; of a blood pressure the upper value."""
    return _PARTS.get(name, (name,))[0]


def _trend(name: str, label: str, measured: Measured, band: Band | None) -> Drawing:
    """Draws the last readings."""
    zone = ZoneInfo(settings.CLINIC_TIME_ZONE)
    readings = measured.get(_drawn(name), ())
    points = [Point(datetime.combine(one.on, _NOON, zone), one.value) for one in readings]
    return sparkline(points, band, name=label, unit=labels.unit(name))


def _suggestion(name: str, number: float, person: MeasuredPerson) -> Suggestion | None:
    if name not in parsing.UNITS or (other := vitals.in_other_unit(name, number, person)) is None:
        return None
    word = parsing.UNIT_SIGNS.get(other.word, other.word)
    return Suggestion(f"{parsing.unit_field(name)}={other.word}", word, f"{other.value:.1f} {labels.unit(name)}")


def _limits(name: str, person: MeasuredPerson) -> dict[str, str]:
    """Returns the attributes from which the page asks for the unit while the user types; empty for a value in one unit only."""
    expected = vitals.expected(name, person)
    if expected is None or name not in parsing.SCALES:
        return {}
    factor, zero = parsing.SCALES[name]
    other = next(one.word for one in parsing.UNITS[name] if one.to_metric)
    return {
        "least": f"{expected[0]:.3f}",
        "most": f"{expected[1]:.3f}",
        "zero": f"{zero:.6f}",
        "factor": f"{factor:.8f}",
        "unit": labels.unit(name),
        "question": gettext("Is this %(unit)s?") % {"unit": parsing.UNIT_SIGNS.get(other, other)},
        "use": gettext("Use"),
    }


def _flags(consultation: ConsultationDetails) -> dict[str, list[str]]:
    """Returns what the rules say about the saved values, by the box."""
    flags: dict[str, list[str]] = {}
    for alert in consultation.alerts:
        if alert["step"] != Step.VITALS:
            continue
        facts = adaptive.facts_compared(alert["rule_id"])
        names = {next((box for box, parts in _PARTS.items() if fact in parts), fact) for fact in facts}
        for name in names:
            flags.setdefault(name, []).append(alert["message"])
    return flags


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
