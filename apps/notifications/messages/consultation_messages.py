"""The messages to a doctor about a consultation: an urgent vital sign, a patient who is ready.

A message within HIMS names the patient; a mail never does.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.consultations.events import ConsultationAlertRaised
from apps.consultations.models import VitalAlert
from apps.notifications.messages.wording import clinic_time, person
from apps.notifications.models import Category, Priority, Type
from apps.notifications.services import Notice
from apps.patients import selectors as patients


def is_entered_by_other(event: ConsultationAlertRaised) -> bool:
    """Returns whether another user than the doctor entered the value."""
    return event.announced_by != event.doctor_id


def alert_notice(consultation_id: UUID, patient_id: UUID, alerts: Iterable[VitalAlert]) -> Notice | None:
    """Returns the urgent message about these alerts; None without any."""
    lines = [f"{alert.message} {alert.because}{_since(alert)}" for alert in alerts]
    if not lines:
        return None
    return Notice(
        title="Alert: vital signs",
        message=f"{_patient_name(patient_id)}: {' '.join(lines)}",
        type=Type.WARNING,
        priority=Priority.URGENT,
        category=Category.CONSULTATION,
        action_url=_page(consultation_id),
    )


def ready_notice(consultation_id: UUID, patient_id: UUID, by_id: UUID | None, at: datetime) -> Notice:
    """Returns the message that a nurse marked the patient as ready."""
    who = person(by_id) if by_id else "The system"
    return Notice(
        title="Patient ready",
        message=f"{_patient_name(patient_id)} has been ready for you since {clinic_time(at)}, marked by {who}.",
        priority=Priority.HIGH,
        category=Category.CONSULTATION,
        action_url=_page(consultation_id),
    )


def _since(alert: VitalAlert) -> str:
    cleared = f" Normal when measured again on {clinic_time(alert.cleared_at)}." if alert.cleared_at else ""
    return f" Entered on {clinic_time(alert.raised_at)}.{cleared}"


def _patient_name(patient_id: UUID) -> str:
    patient = patients.patient(SYSTEM, patient_id)
    return f"{patient.first_name} {patient.last_name} ({patient.mrn})"


def _page(consultation_id: UUID) -> str:
    return reverse("admin:consultations_consultation_change", args=[consultation_id])
