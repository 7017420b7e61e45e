"""The list of appointments, one appointment, and its lock: prepared per role and set of filters (`rest.scoped_list`)."""

from uuid import UUID

from django.db.models import Q, UUIDField

from apps.access.actor import Actor
from apps.appointments.apps import ROW_COUNTER
from apps.appointments.models import Appointment
from apps.common.prepared import NOW, PreparedQuery, Slot
from apps.patients.lists.patient_queries import surviving_id
from apps.rest.scoped_list import ScopedList, actor_values, per_role

COLUMNS = (
    "id",
    "patient_id",
    "doctor_id",
    "room_id",
    "series_id",
    "appointment_type",
    "status",
    "scheduled_time",
    "ends_at",
    "duration_minutes",
    "notes",
    "overbook_reason",
    "triage",
    "queue_number",
    "checked_in_at",
    "cancelled_at",
    "cancellation_reason",
)
APPOINTMENTS = ScopedList(
    Appointment,
    columns=COLUMNS,
    orders={"newest": ("-scheduled_time", "-id"), "oldest": ("scheduled_time", "id")},
    filters={
        "patient_id": Q(patient=surviving_id(Slot("patient_id", UUIDField()))),
        "doctor_id": Q(doctor=Slot("doctor_id")),
        "since": Q(scheduled_time__gte=Slot("since")),
        "until": Q(scheduled_time__lt=Slot("until")),
        "status": Q(status=Slot("status")),
    },
    owner_filters=("patient_id", "doctor_id"),
    counter=ROW_COUNTER,
)


def for_update(actor: Actor, appointment_id: UUID) -> Appointment | None:
    """Returns the appointment with its patient, its own row locked until the transaction ends; None if the actor may not see
    it."""
    return next(iter(_for_update(actor).instances(appointment_id=appointment_id, **actor_values(actor))), None)


@per_role
def _for_update(actor: Actor) -> PreparedQuery:
    rows = Appointment.objects.visible_to(actor, NOW).order_by().filter(pk=Slot("appointment_id")).select_related("patient")
    return PreparedQuery(rows.select_for_update(of=("self",)))
