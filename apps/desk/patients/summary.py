"""The summary of a patient on one screen: problems, allergies, medicines, trends, the last visit, what comes next, what was."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from apps.access.actor import Actor
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission as Appointments
from apps.common import clinic_times, clock
from apps.consultations import selectors as consultations
from apps.consultations.models import SIGNED, Consultation
from apps.consultations.rights import Permission as Consultations
from apps.consultations.rules import Status
from apps.consultations.steps.definitions import Step
from apps.consultations.steps.follow_up import FollowUp, planned
from apps.desk.appointments import labels
from apps.desk.consultations import labels as visit_labels
from apps.desk.kit.site import can_open
from apps.desk.patients import entry_words, tabs, trends, visits_tab
from apps.desk.patients.labels import since
from apps.patients import rights
from apps.patients.chart import overview
from apps.patients.chart.entry_types import EntryType
from apps.patients.models import ChartEntry, Patient

_ROWS = {EntryType.DIAGNOSIS: 4, EntryType.ALLERGY: 3, EntryType.MEDICATION: 4}
_OF_LAST_VISIT = (Step.SYMPTOMS, Step.ASSESSMENT, Step.TREATMENT_PLAN, Step.FOLLOW_UP)
_NEXT, _EVENTS, _VISITS = 3, 4, 5
_ICONS = {
    EntryType.ALLERGY: "warning",
    EntryType.MEDICATION: "pill",
    EntryType.DIAGNOSIS: "clipboard",
    EntryType.PROCEDURE: "stethoscope",
    EntryType.IMMUNIZATION: "syringe",
    EntryType.LAB_RESULT: "flask",
    EntryType.NOTE: "file",
}
_PLAN_LENGTH = 260  # characters of a plan on the summary; the visit has the rest


def content(request: HttpRequest, patient: Patient, open_appointments: Sequence[Appointment]) -> dict[str, Any]:
    """Returns what the summary shows, as far as the user may read it. At most eight queries, whatever the size of the chart."""
    visits = _visits(request, patient)
    last = _last_visit(visits)
    sees_appointments = can_open(request.user, Appointments.APPOINTMENT_VIEW)
    return {
        "problems": _section(request, patient, EntryType.DIAGNOSIS),
        "allergies": _section(request, patient, EntryType.ALLERGY),
        "medicines": _section(request, patient, EntryType.MEDICATION),
        "reads": {kind.value: rights.reads_chart(cast("Actor", request.user), kind) for kind in EntryType},
        "trends": trends.rows(request, patient),
        "last_visit": last,
        "due": last["follow_up"] if last and sees_appointments and not open_appointments else None,
        "sees_visits": can_open(request.user, Consultations.CONSULTATION_SEE_NOTES),
        "may_see_appointments": sees_appointments,
        "next": [_appointment(row) for row in open_appointments[:_NEXT]],
        "events": _events(request, patient, visits),
        "record_url": tabs.carried(request, tabs.address(request.user, patient.pk, tabs.RECORD)),
    }


def _section(request: HttpRequest, patient: Patient, kind: EntryType) -> dict[str, Any] | None:
    """Returns the active entries of a kind; None if the user may not read it."""
    by = cast("Actor", request.user)
    if not rights.reads_chart(by, kind):
        return None
    entries = overview.active(visible_to=by, patient_id=patient.pk, kind=kind)
    may_check = kind is EntryType.ALLERGY and rights.writes_chart(by, kind) and patient.allergy_status == "not_asked"
    return {
        "rows": [_entry(row) for row in entries[: _ROWS[kind]]],
        "total": len(entries),
        "beyond": max(len(entries) - _ROWS[kind], 0),
        "url": tabs.carried(request, f"{tabs.address(by, patient.pk, tabs.RECORD)}&type={kind.value}"),
        "check_url": reverse("admin:patients_patient_no_known_allergies", args=[patient.pk]) if may_check else "",
    }


def _entry(row: ChartEntry) -> dict[str, Any]:
    detail = row.detail
    return {
        "display": row.display,
        "code": row.code,
        "since": since(row),
        "dose": ", ".join(detail[name] for name in ("dosage", "frequency") if detail.get(name)),
        "reaction": detail.get("reaction", ""),
        "severity": entry_words.degree(detail.get("severity", "")),
        "is_high": detail.get("criticality") == "high" or detail.get("severity") == "severe",
    }


def _visits(request: HttpRequest, patient: Patient) -> list[Consultation]:
    if not can_open(request.user, Consultations.CONSULTATION_SEE_NOTES):
        return []
    rows = consultations.of_patient(visible_to=cast("Actor", request.user), patient_id=patient.pk)
    return list(rows.exclude(status=Status.CANCELLED)[:_VISITS])


def _last_visit(visits: Sequence[Consultation]) -> dict[str, Any] | None:
    """Returns the last signed visit with its diagnoses and its plan. One query."""
    last = next((row for row in visits if row.status in SIGNED), None)
    if last is None:
        return None
    saves = consultations.saves_of_all([last.pk], [*_OF_LAST_VISIT])[last.pk]
    plan = saves[Step.TREATMENT_PLAN].data.get("plan", "") if Step.TREATMENT_PLAN in saves else ""
    follow_up = saves[Step.FOLLOW_UP].data if Step.FOLLOW_UP in saves else {}
    return {
        "url": reverse("admin:consultations_consultation_change", args=[last.pk]),
        "day": clinic_times.day(last.started_at),
        "doctor": labels.doctor(last.doctor),
        "reason": visits_tab.complaint(saves),
        "diagnoses": visits_tab.diagnoses(saves),
        "plan": plan if len(plan) <= _PLAN_LENGTH else f"{plan[:_PLAN_LENGTH].rsplit(' ', 1)[0]} …",
        "follow_up": _due(planned(follow_up, clinic_times.local(last.started_at).date())),
    }


def _due(follow_up: FollowUp | None) -> dict[str, Any] | None:
    """Returns what the last visit planned, which is due as long as no appointment is booked."""
    if follow_up is None:
        return None
    day = follow_up.due_on
    return {
        "text": follow_up.text or gettext("Follow-up"),
        "day": clinic_times.day(day) if day else "",
        "is_over": bool(day and day < clock.today()),
    }


def _appointment(row: Appointment) -> dict[str, Any]:
    here = clinic_times.local(row.scheduled_time)
    today = here.date() == clock.today()
    when = gettext("Today %(time)s") % {"time": clinic_times.clock_time(row.scheduled_time)} if today else None
    state = labels.state(row)
    return {
        "url": reverse("admin:appointments_appointment_change", args=[row.pk]),
        "when": when or clinic_times.moment(row.scheduled_time),
        "doctor": labels.doctor(row.doctor),
        "status": state.word,
        "icon": state.icon,
        "tone": state.tag,
    }


def _events(request: HttpRequest, patient: Patient, visits: Sequence[Consultation]) -> list[dict[str, Any]]:
    """Returns the latest events, newest first: visits, and entries of the chart that no visit made. One query."""
    by = cast("Actor", request.user)
    kinds = [kind for kind in _ICONS if rights.reads_chart(by, kind)]
    source = ChartEntry.Source.CONSULTATION.value if visits else ""
    entries = overview.latest(visible_to=by, patient_id=patient.pk, kinds=kinds, without_source=source, count=_EVENTS)
    events: list[tuple[datetime, dict[str, Any]]] = [
        (
            row.occurred_at,
            {
                "icon": _ICONS[EntryType(row.type)],
                "text": row.display,
                "kind": str(entry_words.KINDS[EntryType(row.type)].one),
                "when": since(row, whole=True),
                "url": reverse("admin:patients_chartentry_change", args=[row.pk]),
            },
        )
        for row in entries
    ]
    events += [(row.started_at, _visit_event(row)) for row in visits]
    return [event for _, event in sorted(events, key=lambda pair: pair[0], reverse=True)[:_EVENTS]]


def _visit_event(row: Consultation) -> dict[str, Any]:
    return {
        "icon": "stethoscope",
        "text": gettext("Visit, %(doctor)s") % {"doctor": labels.doctor(row.doctor)},
        "kind": visit_labels.STATES[row.status].word,
        "when": clinic_times.day(row.started_at),
        "url": reverse("admin:consultations_consultation_change", args=[row.pk]),
    }
