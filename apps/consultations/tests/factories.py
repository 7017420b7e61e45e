"""Visits for tests."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.appointments import services as appointments
from apps.appointments.models import Appointment
from apps.appointments.services import NewAppointment
from apps.common import clock
from apps.consultations import services
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import NewConsultation, NewSave
from apps.consultations.steps.definitions import Step
from apps.patients.models import Patient

FILLED: dict[int, dict[str, Any]] = {
    0: {"identity_confirmed": True},
    1: {"bp": "120/80", "pulse": 70},
    2: {"chief_complaint": "Back pain"},
    3: {"allergies_reviewed": True, "medications_reviewed": True, "problems_reviewed": True},
    4: {"findings": ["Back stiff"]},
    5: {"tests": [{"test_code": "CBC"}]},
    6: {"diagnoses": [{"code": "R51.9", "primary": True}]},
    7: {"plan": "Rest and fluids"},
    8: {"medications": [{"name": "Paracetamol", "quantity": 20}]},
    9: {"instructions": "Come back if it gets worse"},
}


def start_consultation(
    doctor: User, patient: Patient, workflow: str = "adaptive", *, by: User | None = None, **more: Any
) -> ConsultationDetails:
    """A consultation that was started by its doctor, or by another user for the doctor."""
    if by is not None and "appointment_id" not in more:
        more["doctor_id"] = doctor.pk
    return services.start(by=by or doctor, new=NewConsultation(patient_id=patient.pk, workflow_type=workflow, **more))


def save(
    by: Any, visit: ConsultationDetails | UUID, number: int, data: dict[str, Any] | None = None, **more: Any
) -> ConsultationDetails:
    """A step saved, with something believable."""
    pk = visit if isinstance(visit, UUID) else visit.row.pk
    kept = NewSave(step=Step(number), data=FILLED[number] if data is None else data, **more)
    return services.save_step(by=by, consultation_id=pk, save=kept)


def fill(by: Any, visit: ConsultationDetails, *numbers: int) -> ConsultationDetails:
    """These steps saved; without numbers all that are missing."""
    for number in numbers or [int(step) for step in visit.progress.missing]:
        visit = save(by, visit, number)
    return visit


def signed(doctor: User, patient: Patient, workflow: str = "quick", **more: Any) -> ConsultationDetails:
    """A visit that is over."""
    visit = fill(doctor, start_consultation(doctor, patient, workflow, **more))
    return services.complete(by=doctor, consultation_id=visit.row.pk)


def booked(patient: Patient, doctor: User, kind: str = "consultation", minutes_ahead: int = 0) -> Appointment:
    """Books a patient, from now on."""
    asked = NewAppointment(
        patient_id=patient.pk,
        doctor_id=doctor.pk,
        scheduled_time=clock.now() + timedelta(minutes=minutes_ahead),
        duration_minutes=15,
        appointment_type=kind,
    )
    return appointments.book(by=SYSTEM, new=asked).appointment
