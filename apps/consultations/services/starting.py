"""Starts a consultation: for a booked appointment, or for a walk-in patient."""

from dataclasses import dataclass
from uuid import UUID

from apps.access.actor import Actor
from apps.appointments import services as appointments
from apps.appointments.models import Appointment
from apps.appointments.rules import Status as AppointmentStatus
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, Invalid, NotFound
from apps.common.transactions import refuses_before_writing
from apps.consultations import selectors, sql
from apps.consultations.adaptive import VERSION, guidance
from apps.consultations.events import ConsultationStarted
from apps.consultations.models import Consultation, ConsultationStatusChange
from apps.consultations.rights import Permission
from apps.consultations.rules import Workflow
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services.locking import check_doctor, event_fields
from apps.events.services import emit
from apps.patients import selectors as patients
from apps.patients import services as charts
from apps.patients.models import Patient


class AlreadyStarted(Conflict):
    """`details.consultation_id` is the consultation in progress."""

    message = "This appointment already has a consultation in progress."


class PatientNotActive(Conflict):
    reason = "patient_not_active"
    message = "The patient is inactive or deceased. A consultation can only be entered for an appointment before the death."


class OtherDoctor(Forbidden):
    reason = "other_doctor"
    message = "Doctors can start only their own consultations."


@dataclass(frozen=True, kw_only=True)
class NewConsultation:
    """The request. A doctor starts consultations of their own; another user names the doctor, or the appointment does."""

    patient_id: UUID
    appointment_id: UUID | None = None
    workflow_type: str = Workflow.ADAPTIVE.value
    doctor_id: UUID | None = None
    early: bool = False  # an appointment of another day is meant


@refuses_before_writing
def start(*, by: Actor, new: NewConsultation) -> ConsultationDetails:
    """Starts a consultation. Its appointment becomes in progress, and the patient is checked in first if that was not done.

    Raises Invalid naming the field (patient, appointment or doctor unknown, appointment of another patient), Forbidden,
    AlreadyStarted, PatientNotActive, IllegalTransition for an ended appointment, NotToday for one of another day.
    """
    patient = _patient(by, new.patient_id)
    appointment = _appointment(by, patient, new.appointment_id)
    if not appointments.can_attend(patient, appointment.scheduled_time if appointment else clock.now()):
        raise PatientNotActive
    doctor_id = _doctor(by, appointment, new.doctor_id)
    if appointment:
        appointment = _start_appointment(by, appointment, early=new.early)
    row = _create(by, patient, appointment, doctor_id, new.workflow_type)
    charts.join_care_team(by=by, patient=patient, doctor_id=doctor_id)
    event = ConsultationStarted(
        **event_fields(row), workflow_type=row.workflow_type, started_at=row.started_at, entered_by_id=row.entered_by_id
    )
    emit(event, by=by)
    return selectors.build_details(row, {}, {})


def _patient(by: Actor, patient_id: UUID) -> Patient:
    try:
        patient = patients.get_for_update(by, patient_id)
    except NotFound as error:
        raise Invalid(field="patient_id", issue="There is no such patient.") from error
    return patient


def _appointment(by: Actor, patient: Patient, appointment_id: UUID | None) -> Appointment | None:
    if appointment_id is None:
        return None
    try:
        appointment = appointments.get_for_update(by, appointment_id)
    except NotFound as error:
        raise Invalid(field="appointment_id", issue="There is no such appointment.") from error
    if appointment.patient_id != patient.pk:
        raise Invalid(field="appointment_id", issue="This appointment belongs to another patient.")
    return appointment


def _doctor(by: Actor, appointment: Appointment | None, doctor_id: UUID | None) -> UUID:
    """Returns the consultation's doctor. A doctor can name only themselves; for other users it must be the appointment's
    doctor."""
    if not by.has_permission(Permission.CONSULTATION_ANY) and by.id is not None:
        if doctor_id not in (None, by.id):
            raise OtherDoctor(field="doctor_id")
        if appointment and appointment.doctor_id != by.id:
            raise OtherDoctor("This appointment is with another doctor.", field="appointment_id")
        return by.id
    if appointment and doctor_id not in (None, appointment.doctor_id):
        raise Invalid(field="doctor_id", issue="The appointment is with another doctor.")
    chosen_id = appointment.doctor_id if appointment else doctor_id
    if chosen_id is None:
        raise Invalid(field="doctor_id", issue="doctor_id is required without an appointment unless the caller is a doctor.")
    return check_doctor(by, chosen_id)


def _start_appointment(by: Actor, appointment: Appointment, *, early: bool) -> Appointment:
    """Starts the appointment, without the marks that a cancelled consultation may have left. Raises AlreadyStarted."""
    if appointment.status == AppointmentStatus.IN_PROGRESS:  # a live consultation keeps its appointment in progress
        ongoing_id = Consultation.objects.live().filter(appointment=appointment).values_list("pk", flat=True).first()
        if ongoing_id:
            raise AlreadyStarted(consultation_id=ongoing_id)
    appointment = appointments.start_locked(by=by, row=appointment, early=early)
    appointments.set_queue_marks(by=by, appointment=appointment, alert_since=None, ready_since=None)
    return appointment


def _create(by: Actor, patient: Patient, appointment: Appointment | None, doctor_id: UUID, workflow_type: str) -> Consultation:
    """Creates the consultation's row with the initial guidance, and the first row of its history."""
    now = clock.now()
    row = Consultation(
        patient=patient,
        doctor_id=doctor_id,
        appointment=appointment,
        workflow_type=workflow_type,
        started_at=now,
        created_at=now,
        updated_at=now,
        entered_by_id=by.id,
        rule_version=VERSION if workflow_type == Workflow.ADAPTIVE else "",
    )
    row.guidance = guidance.current_guidance(row, patient, {})
    row.current_step = selectors.build_details(row, {}, {}).progress.current
    sql.add_consultation(
        row,
        ConsultationStatusChange(
            consultation=row, from_status="", to_status=row.status, to_doctor_id=doctor_id, at=now, by_id=by.id
        ),
    )
    return row
