"""The list of consultations, one consultation and its steps, and the locks that a write begins with: all of them prepared."""

from functools import cache
from uuid import UUID

from django.db.models import Q, Subquery, UUIDField

from apps.access.actor import Actor
from apps.common import row_counters
from apps.common.prepared import NOW, PreparedQuery, Slot
from apps.consultations.models import Consultation, RowCounter, StepSave
from apps.patients.lists.patient_queries import surviving_id
from apps.patients.models import Patient
from apps.rest.scoped_list import ScopedList, actor_values, per_role

ROW_COUNTER = row_counters.RowCounter(table=RowCounter, counted=Consultation, columns=("consultations",))
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


def patient_for_update(actor: Actor, consultation_id: UUID) -> list[Patient]:
    """Returns the patient of a consultation that the actor may see, its row locked; empty if there is none."""
    return _patient_for_update(actor).instances(consultation_id=consultation_id, **actor_values(actor))


def for_update(consultation_id: UUID) -> Consultation:
    """Returns the consultation with its appointment, its own row locked. The caller has checked that the actor may see it."""
    rows: list[Consultation] = _for_update().instances(consultation_id=consultation_id)
    return rows[0]


def latest_saves(consultation_id: UUID) -> list[StepSave]:
    """Returns the latest save of each step of a consultation, in order of the steps."""
    return _latest().instances(consultation_id=consultation_id)


@per_role
def _patient_for_update(actor: Actor) -> PreparedQuery:
    consultation = Consultation.objects.visible_to(actor, NOW).order_by().filter(pk=Slot("consultation_id"))
    patients = Patient.objects.visible_to(actor, NOW).order_by()
    return PreparedQuery(patients.filter(pk=Subquery(consultation.values("patient_id"))).select_for_update())


@cache
def _for_update() -> PreparedQuery:
    rows = Consultation.objects.filter(pk=Slot("consultation_id")).order_by().select_related("appointment")
    return PreparedQuery(rows.select_for_update(of=("self",)))


@cache
def _latest() -> PreparedQuery:
    saves = StepSave.objects.filter(consultation=Slot("consultation_id"))
    return PreparedQuery(saves.order_by("number", "-version").distinct("number"))
