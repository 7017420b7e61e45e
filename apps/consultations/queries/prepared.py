"""The list of consultations, one consultation and its steps, and the locks that a write begins with: all of them prepared."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Q, Subquery, UUIDField

from apps.access.actor import SYSTEM, Actor
from apps.common.prepared import NOW, PreparedQuery, Slot
from apps.consultations.apps import ROW_COUNTER
from apps.consultations.models import SIGNED, Consultation, StepSave
from apps.consultations.queries import sql
from apps.patients import selectors as patients
from apps.patients.chart.entry_types import ACTIVE, EntryType
from apps.patients.lists.patient_queries import surviving_id
from apps.patients.models import Patient
from apps.rest.scoped_list import ScopedList, actor_values, per_role

CHART_TYPES = (EntryType.ALLERGY, EntryType.MEDICATION, EntryType.DIAGNOSIS)  # what the adaptive rules read of the chart
_MAX_ENTRIES = 200
_ENTRY_COLUMNS = ("id", "type", "display", "code_system", "code", "occurred_at", "occurred_on")
COLUMNS = (
    "id",
    "patient_id",
    "doctor_id",
    "appointment_id",
    "workflow_type",
    "status",
    "current_step",
    "started_at",
    "completed_at",
)
CONSULTATIONS = ScopedList(
    Consultation,
    columns=COLUMNS,
    orders={"newest": ("-started_at", "-id")},
    filters={
        "patient_id": Q(patient=surviving_id(Slot("patient_id", UUIDField()))),
        "doctor_id": Q(doctor=Slot("doctor_id")),
        "appointment_id": Q(appointment=Slot("appointment_id")),
        "since": Q(started_at__gte=Slot("since")),
        "until": Q(started_at__lt=Slot("until")),
        "status": Q(status=Slot("status")),
    },
    owner_filters=("patient_id", "doctor_id", "appointment_id"),
    counter=ROW_COUNTER,
)


def patient_for_update(actor: Actor, consultation_id: UUID, *, skip_locked: bool) -> list[Patient]:
    """Returns the patient of a consultation that the actor may see, its row locked; empty where there is none.

    `skip_locked`: empty too where another transaction has locked it, instead of waiting.
    """
    return _patient_for_update(actor, skip_locked).instances(consultation_id=consultation_id, **actor_values(actor))


def for_update(consultation_id: UUID) -> Consultation:
    """Returns the consultation with its appointment, its own row locked. The caller has checked that the actor may see it."""
    rows: list[Consultation] = _for_update().instances(consultation_id=consultation_id)
    return rows[0]


def latest_saves(consultation_id: UUID) -> list[StepSave]:
    """Returns the latest save of each step of a consultation, in order of the steps."""
    return _latest().instances(consultation_id=consultation_id)


def chart_and_last_visit(patient_id: UUID, *, before: datetime) -> tuple[list[dict[str, Any]], datetime | None]:
    """Returns the active chart entries of CHART_TYPES, the latest first, and when the last signed visit before began.

    One statement for both: every saved step of an adaptive consultation needs them.
    """
    last = _last_visit().statement(patient_id=patient_id, before=before)
    chart = _chart().statement(patient_id=patient_id)
    assert last is not None
    assert chart is not None
    rows = sql.chart_and_last_visit(chart=chart, last_visit=last)
    entries = [dict(zip(_ENTRY_COLUMNS, row[1:], strict=True)) for row in rows if row[1] is not None]
    return entries, rows[0][0]


@cache
def _last_visit() -> PreparedQuery:
    visits = Consultation.objects.filter(patient=Slot("patient_id"), status__in=SIGNED, started_at__lt=Slot("before"))
    return PreparedQuery(visits.order_by("-started_at", "-id").values("started_at")[:1])


@cache
def _chart() -> PreparedQuery:
    kinds = [kind.value for kind in CHART_TYPES]
    rows = patients.chart(visible_to=SYSTEM, patient_id=Slot("patient_id"), type__in=kinds, status=ACTIVE)
    return PreparedQuery(rows.values(*_ENTRY_COLUMNS)[:_MAX_ENTRIES])


@per_role
def _patient_for_update(actor: Actor, skip_locked: bool) -> PreparedQuery:
    consultation = Consultation.objects.visible_to(actor, NOW).order_by().filter(pk=Slot("consultation_id"))
    of_consultation = Patient.objects.visible_to(actor, NOW).order_by().filter(pk=Subquery(consultation.values("patient_id")))
    return PreparedQuery(of_consultation.select_for_update(skip_locked=skip_locked))


@cache
def _for_update() -> PreparedQuery:
    rows = Consultation.objects.filter(pk=Slot("consultation_id")).order_by().select_related("appointment")
    return PreparedQuery(rows.select_for_update(of=("self",)))


@cache
def _latest() -> PreparedQuery:
    saves = StepSave.objects.filter(consultation=Slot("consultation_id"))
    return PreparedQuery(saves.order_by("number", "-version").distinct("number"))
