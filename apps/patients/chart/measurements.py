"""The measured person: the age on a day and the newest values of the chart, for the check of vital signs."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from apps.access.actor import SYSTEM, Actor
from apps.common.errors import Invalid
from apps.patients import selectors
from apps.patients.chart import ages, vitals
from apps.patients.chart.entry_types import CodeSystem, EntryType
from apps.patients.chart.vitals import LastMeasurement, MeasuredPerson, chart_entry
from apps.patients.models import ChartEntry, Patient


@dataclass(frozen=True)
class Measurement:
    """A vital sign of the chart in its metric unit."""

    at: datetime
    value: float


def last_of_each(by: Actor, patient_id: UUID, *names: str, count: int) -> dict[str, list[Measurement]]:
    """Returns the last `count` vital signs of each name that the actor may read, the oldest first. One query.

    Values with an unknown imported unit are left out.
    """
    rows = selectors.chart(visible_to=by, patient_id=patient_id, type=EntryType.VITAL_SIGN, code_system=CodeSystem.LOINC)
    rows = rows.not_in_error().filter(code__in=chart_entry.codes_of(names), value__isnull=False)
    place = Window(RowNumber(), partition_by=[F("code")], order_by=[F("occurred_at").desc(), F("id").desc()])
    measured: dict[str, list[Measurement]] = {name: [] for name in names}
    numbered = rows.annotate(place=place).filter(place__lte=count).order_by("occurred_at", "id")
    for code, at, value, unit in numbered.values_list("code", "occurred_at", "value", "unit"):
        name = chart_entry.name_of(CodeSystem.LOINC, code, "")
        metric = chart_entry.in_metric(name, float(value or 0), unit)
        if metric is not None:
            measured[name].append(Measurement(at, round(metric, 3)))
    return {name: values[-count:] for name, values in measured.items()}


def last_measured(by: Actor, patient_id: UUID, *names: str, until: datetime | None = None) -> dict[str, LastMeasurement]:
    """Returns the newest vital sign of each name in the chart, in its metric unit, with its day at the clinic. One query.

    With `until`, the newest at that instant or before.
    """
    name_of = {vitals.LOINC[name][0]: name for name in names}
    rows = selectors.chart(visible_to=by, patient_id=patient_id, type=EntryType.VITAL_SIGN, code_system=CodeSystem.LOINC)
    rows = rows.not_in_error().filter(code__in=list(name_of), value__isnull=False)
    if until is not None:
        rows = rows.filter(occurred_at__lte=until)
    newest = {}
    for row in rows.order_by("code", "-occurred_at", "-id").distinct("code"):
        name = name_of[row.code]
        value = chart_entry.in_metric(name, float(row.value or 0), row.unit)
        if value is not None:  # an unknown imported unit
            newest[name] = LastMeasurement(round(value, 3), _day(row.occurred_at))
    return newest


def recent(by: Actor, patient_id: UUID, *names: str, limit: int = 12) -> dict[str, list[LastMeasurement]]:
    """Returns the newest vital signs of each name that has one, the oldest of them first, with their days at the clinic. One
    query."""
    measured = last_of_each(by, patient_id, *names, count=limit)
    return {name: [LastMeasurement(one.value, _day(one.at)) for one in values] for name, values in measured.items() if values}


def person(patient: Patient, at: datetime, *, until: datetime | None = None) -> MeasuredPerson:
    """Returns the measured person at the instant: the age on its day, and the chart's newest weight and height. One query."""
    day = _day(at)
    last = last_measured(SYSTEM, patient.pk, "weight_kg", "height_cm", until=until)
    days, age = max((day - patient.date_of_birth).days, 0), ages.age_of(patient, at)
    return MeasuredPerson(age_days=days, age=age, today=day, last=last)


def check_entry(patient: Patient, row: ChartEntry, *, confirmed: bool) -> None:
    """Checks the number of a vital sign that is entered by hand. Raises Invalid with the field `value` or `unit`."""
    if row.type != EntryType.VITAL_SIGN or row.value is None:
        return
    name = chart_entry.name_of(row.code_system, row.code, row.display)
    if not name:
        return
    measured = person(patient, row.occurred_at, until=row.occurred_at)
    if problem := chart_entry.problem(name, float(row.value), row.unit, confirmed=confirmed, person=measured):
        raise Invalid(field=problem.field, issue=problem.issue)


def _day(at: datetime) -> date:
    return at.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)).date()
