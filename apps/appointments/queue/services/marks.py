"""Marks on an appointment's row in the queue, set by the consultation above: an alert, ready for the doctor, another doctor."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.appointments.models import Appointment
from apps.appointments.rules import Status


@transaction.atomic
def set_queue_marks(*, by: Actor, appointment: Appointment, alert_since: datetime | None, ready_since: datetime | None) -> None:  # noqa: ARG001
    """Set or clear (None) both marks; writes only what changed. The caller holds the consultation's row and announces the reason.

    The appointment's `updated_at` stays: a mark is no change of the appointment, and must not make a receptionist's save stale.
    """
    if (appointment.alert_since, appointment.ready_since) == (alert_since, ready_since):
        return
    appointment.alert_since, appointment.ready_since = alert_since, ready_since
    Appointment.objects.filter(pk=appointment.pk).update(alert_since=alert_since, ready_since=ready_since)


@transaction.atomic
def assign_attending(*, by: Actor, appointment: Appointment, doctor_id: UUID) -> None:  # noqa: ARG001
    """Name the doctor who has the visit that goes on: the queue shows the row there. The appointment stays in its schedule.

    The caller holds the consultation's row and announces the handover. Does nothing for a visit that is not in progress.
    """
    attending_id = None if doctor_id == appointment.doctor_id else doctor_id
    appointment.attending_doctor_id = attending_id
    Appointment.objects.filter(pk=appointment.pk, status=Status.IN_PROGRESS).update(attending_doctor_id=attending_id)
