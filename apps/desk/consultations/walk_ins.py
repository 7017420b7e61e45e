"""Walk-in consultations that need their doctor: on the queue page, whose rows are appointments, and on the start page."""

from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse

from apps.access.actor import Actor
from apps.consultations import selectors
from apps.consultations.rights import Permission
from apps.desk.appointments import labels
from apps.desk.kit.site import can_open


def in_the_queue(request: HttpRequest, doctor_id: UUID | None) -> list[dict[str, Any]]:
    """Returns the lines of the queue page, alerts first. Doctors get their own; users who may not see consultations get none."""
    if not can_open(request.user, Permission.CONSULTATION_SEE_NOTES):
        return []
    by = cast("Actor", request.user)
    mine = doctor_id if by.has_permission(Permission.CONSULTATION_ANY) else by.id
    return [_line(row) for row in selectors.walk_ins_for_the_doctor(visible_to=by, doctor_id=mine)]


def _line(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "patient_id": row.patient_id,
        "url": reverse("admin:consultations_consultation_change", args=[row.pk]),
        "patient": labels.patient(row.patient),
        "mrn": row.patient.mrn,
        "doctor": labels.doctor(row.doctor),
        "alert": labels.clock_time(row.alert_since) if row.alert_since else "",
        "ready": labels.clock_time(row.ready_at) if row.ready_at else "",
    }
