"""Marks on an appointment's row in the queue, set by the consultation above: an alert, ready for the doctor, another doctor."""

from datetime import datetime
from uuid import UUID

from apps.access.actor import Actor
from apps.appointments.models import Appointment
from apps.appointments.rules import Status
from apps.common.transactions import refuses_before_writing


@refuses_before_writing
def set_queue_marks(*, by: Actor, appointment: Appointment, alert_since: datetime | None, ready_since: datetime | None) -> None:  # noqa: ARG001
    """Sets or clears (None) both marks, and writes only if they changed. The caller locks the consultation's row and announces
    why.

    The appointment's `updated_at` stays the same: a mark does not change the appointment, and must not make a receptionist's form
    stale.
    """
    if (appointment.alert_since, appointment.ready_since) == (alert_since, ready_since):
        return
    appointment.alert_since, appointment.ready_since = alert_since, ready_since
    Appointment.objects.filter(pk=appointment.pk).update(alert_since=alert_since, ready_since=ready_since)


@refuses_before_writing
def assign_attending(*, by: Actor, appointment: Appointment, doctor_id: UUID) -> None:  # noqa: ARG001
    """Sets the attending doctor of an appointment in progress, in whose queue the row is shown. The appointment stays in its
    schedule.

    The caller locks the consultation's row and announces the handover. Does nothing if the appointment is not in progress.
    """
    attending_id = None if doctor_id == appointment.doctor_id else doctor_id
    appointment.attending_doctor_id = attending_id
    Appointment.objects.filter(pk=appointment.pk, status=Status.IN_PROGRESS).update(attending_doctor_id=attending_id)
