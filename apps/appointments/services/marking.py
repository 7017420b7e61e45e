"""Marks on an appointment's row in the queue, set by the consultation above: an alert, and ready for the doctor."""

from datetime import datetime

from django.db import transaction

from apps.access.actor import Actor
from apps.appointments.models import Appointment


@transaction.atomic
def mark(*, by: Actor, appointment: Appointment, alert_since: datetime | None, ready_since: datetime | None) -> None:  # noqa: ARG001
    """Set or clear (None) both marks; writes only what changed. The caller holds the consultation's row and announces the reason.

    The appointment's `updated_at` stays: a mark is no change of the appointment, and must not make a receptionist's save stale.
    """
    if (appointment.alert_since, appointment.ready_since) == (alert_since, ready_since):
        return
    appointment.alert_since, appointment.ready_since = alert_since, ready_since
    Appointment.objects.filter(pk=appointment.pk).update(alert_since=alert_since, ready_since=ready_since)
