"""A visit waits, goes on, does not come about, or is handed to another doctor."""

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
from apps.consultations.models import Consultation, Passage
from apps.consultations.rules import Status
from apps.consultations.selectors import Visit
from apps.consultations.services import alerting
from apps.consultations.services.holding import about, active_doctor, enter, held, passed, refuse_others
from apps.events.services import emit
from apps.patients import services as charts


class AlreadyOver(Conflict):
    message = "Only a consultation that goes on is handed over."


@transaction.atomic
def hold(*, by: Actor, consultation_id: UUID, reason: str = "") -> Visit:
    """Let the visit wait, for a result or for somebody. Raises NotFound, Forbidden, IllegalMove."""
    row, _ = held(by, consultation_id)
    refuse_others(by, row)
    enter(by, row, Status.ON_HOLD, reason=reason)
    emit(ConsultationHeld(**about(row)), by=by)
    return selectors.whole(row)


@transaction.atomic
def resume(*, by: Actor, consultation_id: UUID) -> Visit:
    """Go on with it. Raises NotFound, Forbidden, IllegalMove."""
    row, _ = held(by, consultation_id)
    refuse_others(by, row)
    enter(by, row, Status.IN_PROGRESS)
    emit(ConsultationResumed(**about(row)), by=by)
    return selectors.whole(row)


@transaction.atomic
def cancel(*, by: Actor, consultation_id: UUID, reason: str = "") -> Visit:
    """Give the visit up: the patient left unseen, or it was begun by mistake. Whoever was booked waits again.

    Raises NotFound, Forbidden, IllegalMove.
    """
    row, _ = held(by, consultation_id)
    refuse_others(by, row)
    enter(by, row, Status.CANCELLED, reason=reason, cancelled_at=clock.now(), ready_at=None, ready_by_id=None)
    _let_go(by, row)
    if row.appointment_id:
        waits = appointments.put_back(by=by, appointment_id=row.appointment_id)
        appointments.mark(
            by=by, appointment=waits, alert_since=waits.alert_since, ready_since=None
        )  # an alert stays in the queue
    emit(ConsultationCancelled(**about(row)), by=by)
    return selectors.whole(row)


@transaction.atomic
def hand_over(*, by: Actor, consultation_id: UUID, doctor_id: UUID, reason: str = "") -> Visit:
    """Another doctor goes on with the visit, from where it is. The appointment stays in the schedule it was booked in; the queue
    shows it, with its open alerts, under the doctor who has it now.

    Raises Invalid, NotFound, Forbidden, AlreadyOver.
    """
    row, patient = held(by, consultation_id)
    refuse_others(by, row)
    if row.status not in rules.LIVE:
        raise AlreadyOver(status=row.status)
    if doctor_id == row.doctor_id:
        raise Invalid(field="doctor_id", issue="It is this doctor's already.")
    before = row.doctor_id
    row.doctor_id, row.version, row.updated_at = active_doctor(by, doctor_id), row.version + 1, clock.now()
    row.save(update_fields=["doctor", "version", "updated_at"])
    passed(by, row, row.status, reason=reason, from_doctor_id=before)
    charts.join_care_team(by=by, patient=patient, doctor_id=doctor_id)
    visit = selectors.whole(row)
    open_since = min((alert.raised_at for alert in selectors.vital_alerts(row.pk)), default=None)
    alerting.mark_queue(by, visit, raised_at=open_since)  # also for an alert that the former doctor raised and knew
    emit(ConsultationHandedOver(**about(row), from_doctor_id=before), by=by)
    return visit


def _let_go(by: Actor, row: Consultation) -> None:
    """Doctors of a cancelled visit leave the care team, unless they had the patient in another one."""
    passages = Passage.objects.filter(consultation=row).values_list("to_doctor_id", flat=True)
    others = Consultation.objects.filter(patient=row.patient_id).exclude(status=Status.CANCELLED)
    for doctor_id in {row.doctor_id, *passages}:
        had = Passage.objects.filter(consultation=OuterRef("pk"), to_doctor=doctor_id)
        if not others.filter(Q(doctor=doctor_id) | Exists(had)).exists():
            charts.leave_care_team(by=by, patient_id=row.patient_id, doctor_id=doctor_id)
