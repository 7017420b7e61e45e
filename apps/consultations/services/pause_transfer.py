"""Puts a consultation on hold, resumes it, cancels it, or hands it over to another doctor."""

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from apps.access.actor import Actor
from apps.appointments import services as appointments
from apps.common import clock
from apps.common.errors import Conflict, Invalid
from apps.consultations import rules, selectors
from apps.consultations.events import (
    ConsultationCancelled,
    ConsultationHandedOver,
    ConsultationHeld,
    ConsultationResumed,
)
from apps.consultations.models import Consultation, ConsultationStatusChange
from apps.consultations.rules import Status
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import alerting
from apps.consultations.services.locking import STATES, check_doctor, check_owner, event_fields, get_for_update
from apps.events.services import emit
from apps.patients import services as charts


class NotOngoing(Conflict):
    message = "Only a consultation in progress can be handed over."


class SeenByDoctor(Conflict):
    message = "A doctor has already worked on this consultation. Only a doctor can cancel it."


@transaction.atomic
def hold(*, by: Actor, consultation_id: UUID, reason: str = "") -> ConsultationDetails:
    """Puts the consultation on hold, for example until a result arrives. Raises NotFound, Forbidden, IllegalMove."""
    row, _ = get_for_update(by, consultation_id)
    check_owner(by, row)
    STATES.move(row, Status.ON_HOLD, by=by, reason=reason)
    emit(ConsultationHeld(**event_fields(row)), by=by)
    return selectors.details(row)


@transaction.atomic
def resume(*, by: Actor, consultation_id: UUID) -> ConsultationDetails:
    """Resumes the consultation. Raises NotFound, Forbidden, IllegalMove."""
    row, _ = get_for_update(by, consultation_id)
    check_owner(by, row)
    STATES.move(row, Status.IN_PROGRESS, by=by)
    emit(ConsultationResumed(**event_fields(row)), by=by)
    return selectors.details(row)


@transaction.atomic
def cancel(*, by: Actor, consultation_id: UUID, reason: str = "") -> ConsultationDetails:
    """Cancels the consultation: the patient left unseen, or it was started by mistake. A patient with an appointment waits again.
    A nurse cancels only what no doctor has worked on.

    Raises NotFound, Forbidden, IllegalMove, SeenByDoctor.
    """
    row, _ = get_for_update(by, consultation_id)
    check_owner(by, row)
    STATES.check(row, Status.CANCELLED)
    if not selectors.may_cancel(by, row):
        raise SeenByDoctor
    STATES.move(row, Status.CANCELLED, by=by, reason=reason, cancelled_at=clock.now(), ready_at=None, ready_by_id=None)
    _leave_care_teams(by, row)
    if row.appointment_id:
        appointment = appointments.return_to_queue(by=by, appointment_id=row.appointment_id)
        appointments.set_queue_marks(
            by=by, appointment=appointment, alert_since=appointment.alert_since, ready_since=None
        )  # an alert stays in the queue
    emit(ConsultationCancelled(**event_fields(row)), by=by)
    return selectors.details(row)


@transaction.atomic
def hand_over(*, by: Actor, consultation_id: UUID, doctor_id: UUID, reason: str = "") -> ConsultationDetails:
    """Hands the consultation over to another doctor at its current step. The appointment stays in its schedule; the queue shows
    it, with its open alerts, under the new doctor.

    Raises Invalid, NotFound, Forbidden, NotOngoing.
    """
    row, patient = get_for_update(by, consultation_id)
    check_owner(by, row)
    if row.status not in rules.LIVE:
        raise NotOngoing(status=row.status)
    if doctor_id == row.doctor_id:
        raise Invalid(field="doctor_id", issue="The consultation already belongs to this doctor.")
    handover = STATES.amend(row, doctor_id=check_doctor(by, doctor_id))
    STATES.record(handover, by=by, reason=reason)
    charts.join_care_team(by=by, patient=patient, doctor_id=doctor_id)
    consultation = selectors.details(row)
    open_since = min((alert.raised_at for alert in selectors.vital_alerts(row.pk)), default=None)
    alerting.mark_queue(by, consultation, raised_at=open_since)  # also for an alert that the former doctor raised and knew
    emit(ConsultationHandedOver(**event_fields(row), from_doctor_id=handover.before.doctor_id), by=by)
    return consultation


def _leave_care_teams(by: Actor, row: Consultation) -> None:
    """Removes the doctors of a cancelled consultation from the care team, unless they had the patient in another one."""
    doctor_ids = ConsultationStatusChange.objects.filter(consultation=row).values_list("to_doctor_id", flat=True)
    others = Consultation.objects.filter(patient=row.patient_id).exclude(status=Status.CANCELLED)
    for doctor_id in {row.doctor_id, *doctor_ids}:
        had_doctor = ConsultationStatusChange.objects.filter(consultation=OuterRef("pk"), to_doctor=doctor_id)
        if not others.filter(Q(doctor=doctor_id) | Exists(had_doctor)).exists():
            charts.leave_care_team(by=by, patient_id=row.patient_id, doctor_id=doctor_id)
