"""Collects the facts for the adaptive rules: the patient, the chart, earlier consultations, and the steps saved so far."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.consultations import adaptive
from apps.consultations.adaptive.facts import Facts, normalized
from apps.consultations.models import Consultation, StepSave
from apps.consultations.queries import prepared
from apps.consultations.rules import Workflow
from apps.consultations.steps.definitions import Step
from apps.patients.chart import ages, measurements, vitals
from apps.patients.chart.dates import years_between
from apps.patients.chart.vitals import MeasuredPerson
from apps.patients.models import Patient

_NAMES_BY_TYPE = dict(zip(prepared.CHART_TYPES, ("allergies", "medications", "problems"), strict=True))
Chart = Mapping[str, list[dict[str, Any]]]


def current_guidance(row: Consultation, patient: Patient, saves: Mapping[Step, StepSave]) -> dict[str, Any]:
    """Returns the current guidance as it is stored, with chart entries to confirm. One query.

    For a consultation that is not adaptive it contains only the urgent alerts of its vital signs; empty without one, and no
    query.
    """
    if row.workflow_type != Workflow.ADAPTIVE:
        return adaptive.urgent_alerts(Facts(**_patient_facts(row, patient), **_vital_facts(saves)))
    entries, last_visit = prepared.chart_and_last_visit(patient.pk, before=row.started_at)
    chart = _by_name(entries)
    guided = adaptive.guide(_facts(row, patient, chart, last_visit, saves))
    offered = {name: chart[name] for name in guided.prefills}
    return guided.as_dict() | {"prefill": {Step.HISTORY_REVIEW.wire_name: offered} if offered else {}}


def person(row: Consultation, patient: Patient) -> MeasuredPerson:
    """Returns the person who is measured: the age on the day of the consultation, and the chart's newest weight and height. One
    query."""
    return measurements.person(patient, row.started_at)


def _facts(
    row: Consultation, patient: Patient, chart: Chart, last_visit: datetime | None, saves: Mapping[Step, StepSave]
) -> Facts:
    symptoms = saves[Step.SYMPTOMS].data if Step.SYMPTOMS in saves else {}
    texts = [symptoms.get("chief_complaint", ""), *(symptom["description"] for symptom in symptoms.get("symptoms", ()))]
    return Facts(
        **_patient_facts(row, patient),
        **_vital_facts(saves),
        appointment_type=row.appointment.appointment_type if row.appointment else "walk_in",
        last_visit_days=(_day(row.started_at) - _day(last_visit)).days if last_visit else None,
        complaint=normalized(*texts),
        allergy_status=patient.allergy_status,
        allergies=_names(chart["allergies"]),
        medications=_names(chart["medications"]),
        problems=tuple(f"{entry['code_system']}:{entry['code']}" for entry in chart["problems"] if entry["code"]),
        tests_wanted=_has_items(saves, Step.INVESTIGATIONS, "tests"),
        drugs_wanted=_has_items(saves, Step.PRESCRIPTIONS, "medications"),
    )


def _patient_facts(row: Consultation, patient: Patient) -> dict[str, Any]:
    born, day = patient.date_of_birth, _day(row.started_at)
    days, years = max((day - born).days, 0), max(years_between(born, day), 0)
    return {"age_days": days, "years": years, "age": ages.age_of(patient, row.started_at), "sex": patient.gender}


def _vital_facts(saves: Mapping[Step, StepSave]) -> dict[str, Any]:
    if Step.VITALS not in saves:
        return {}
    save = saves[Step.VITALS]
    names = ("systolic", "diastolic", "pulse", "temperature_c", "spo2", "respiratory_rate", "weight_kg", "pain")
    return {name: save.parsed.get(name) for name in names} | {"not_measurable": vitals.not_measurable(save.data)}


def _by_name(entries: list[dict[str, Any]]) -> Chart:
    """Returns the chart entries by the names that the rules have for them, each list in the given order."""
    chart: dict[str, list[dict[str, Any]]] = {name: [] for name in _NAMES_BY_TYPE.values()}
    for entry in entries:
        shown = {name: entry[name] for name in ("display", "code_system", "code")}
        since = entry["occurred_on"] or _day(entry["occurred_at"]).isoformat()
        chart[_NAMES_BY_TYPE[entry["type"]]].append({"id": str(entry["id"]), **shown, "since": since})
    return chart


def _has_items(saves: Mapping[Step, StepSave], step: Step, name: str) -> bool:
    return step in saves and bool(saves[step].data.get(name))


def _names(entries: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(entry["display"] for entry in entries)


def _day(at: datetime) -> Any:
    return at.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)).date()
