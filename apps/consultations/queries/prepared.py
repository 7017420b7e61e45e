"""The list of consultations, one consultation and its steps: prepared per role and set of filters (`rest.scoped_list`)."""

from functools import cache
from uuid import UUID

from django.db.models import Q, UUIDField

from apps.common import row_counters
from apps.common.prepared import PreparedQuery, Slot
from apps.consultations.models import Consultation, RowCounter, StepSave
from apps.patients.lists.patient_queries import surviving_id
from apps.rest.scoped_list import ScopedList

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


def latest_saves(consultation_id: UUID) -> list[StepSave]:
    """Returns the latest save of each step of a consultation, in order of the steps."""
    return _latest().instances(consultation_id=consultation_id)


@cache
def _latest() -> PreparedQuery:
    saves = StepSave.objects.filter(consultation=Slot("consultation_id"))
    return PreparedQuery(saves.order_by("number", "-version").distinct("number"))
