"""Imports past appointments: from paper records of a downtime, or from another system."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.appointments import sql
from apps.appointments.events import AppointmentsImported
from apps.appointments.models import Appointment, AppointmentType, StatusChange
from apps.appointments.rules import Status
from apps.appointments.scheduling import availability
from apps.appointments.services import care_team
from apps.common.ids import new_id
from apps.events.services import emit
from apps.patients import selectors as patients
from apps.patients import services as charts


@dataclass(frozen=True, kw_only=True)
class ImportedStatus:
    """A status of the appointment, when it was set, and by which user."""

    status: str
    at: datetime
    by_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class ImportedAppointment:
    """An appointment with its status history, in order; the first step is the booking."""

    patient_id: UUID
    doctor_id: UUID
    scheduled_time: datetime
    duration_minutes: int
    steps: Sequence[ImportedStatus]
    id: UUID = field(default_factory=new_id)
    appointment_type: str = AppointmentType.CONSULTATION.value
    room_id: UUID | None = None
    notes: str = ""
    queue_number: int | None = None
    triage: str = "routine"
    triage_reason: str = ""
    cancellation_reason: str = ""


@transaction.atomic
def import_records(*, by: Actor, visits: Sequence[ImportedAppointment]) -> int:
    """Inserts appointments with their history, and skips those that exist already or conflict with existing ones.

    Returns the number of imported appointments. Raises NotFound for an unknown patient.
    """
    patient_ids = list(dict.fromkeys(record.patient_id for record in visits))
    people = dict(zip(patient_ids, patients.get_survivors_for_update(by, *patient_ids), strict=True))
    visits = [replace(record, patient_id=people[record.patient_id].pk) for record in visits]
    Appointment.objects.bulk_create([_row(record) for record in visits], ignore_conflicts=True)
    imported_ids = set(_fresh(visits))
    imported = [record for record in visits if record.id in imported_ids]
    StatusChange.objects.bulk_create(change for record in imported for change in _history(record))
    by_patient = defaultdict(set)
    for record in imported:
        if record.steps[-1].status in care_team.COUNTS:
            by_patient[record.patient_id].add(record.doctor_id)
    for person in people.values():
        for doctor_id in by_patient.pop(person.pk, ()):
            charts.join_care_team(by=by, patient=person, doctor_id=doctor_id, because=care_team.BECAUSE)
    _reserve_queue_numbers(imported)
    emit(AppointmentsImported(visits=len(imported)), by=by)
    return len(imported)


def _fresh(visits: Sequence[ImportedAppointment]) -> Iterable[UUID]:
    """Returns the ids of the appointments that were inserted now: they have no history yet."""
    rows = Appointment.objects.filter(pk__in=[record.id for record in visits])
    with_history = StatusChange.objects.filter(appointment__in=[record.id for record in visits]).values("appointment")
    return rows.exclude(pk__in=with_history).values_list("pk", flat=True)


def _row(record: ImportedAppointment) -> Appointment:
    first, last = record.steps[0], record.steps[-1]
    cancelled = last.status == Status.CANCELLED
    return Appointment(
        id=record.id,
        created_at=first.at,
        updated_at=last.at,
        patient_id=record.patient_id,
        doctor_id=record.doctor_id,
        room_id=record.room_id,
        appointment_type=record.appointment_type,
        status=last.status,
        scheduled_time=record.scheduled_time,
        duration_minutes=record.duration_minutes,
        ends_at=record.scheduled_time + timedelta(minutes=record.duration_minutes),
        notes=record.notes,
        booked_by_id=first.by_id,
        joins_care_team=True,  # past appointments of another system give no user new access to a chart
        checked_in_at=next((step.at for step in record.steps if step.status == Status.CHECKED_IN), None),
        queue_number=record.queue_number,
        triage=record.triage,
        triage_reason=record.triage_reason,
        cancelled_at=last.at if cancelled else None,
        cancellation_reason=record.cancellation_reason if cancelled else "",
    )


def _history(record: ImportedAppointment) -> Iterable[StatusChange]:
    previous = ""
    for step in record.steps:
        yield StatusChange(appointment_id=record.id, from_status=previous, to_status=step.status, at=step.at, by_id=step.by_id)
        previous = step.status


def _reserve_queue_numbers(visits: Sequence[ImportedAppointment]) -> None:
    """Raises the last queue number of each day, so that later check-ins get higher tokens than the imported ones."""
    last: dict[date, int] = {}
    for record in visits:
        if record.queue_number:
            day = record.scheduled_time.astimezone(availability.clinic_zone()).date()
            last[day] = max(last.get(day, 0), record.queue_number)
    for day, number in sorted(last.items()):
        sql.raise_last_number(day, number)
