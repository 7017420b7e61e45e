"""What every operation on a consultation begins with: its locked row, its owner, and its lifecycle."""

from functools import partial
from typing import Any
from uuid import UUID

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.common.actor import AuditActor
from apps.common.errors import Conflict, Forbidden, Invalid, Unavailable
from apps.common.lifecycle.machine import StateMachine, Transition, guarded_update
from apps.consultations import rules, selectors
from apps.consultations.models import Consultation, ConsultationStatusChange
from apps.consultations.queries import prepared
from apps.consultations.rights import Permission
from apps.patients import selectors as patients
from apps.patients.models import Patient


class IllegalMove(Conflict):
    """The consultation cannot go from its status to this one. `details` has `from`, `to` and `allowed`."""

    message = "The consultation's status does not allow this."


class OtherDoctorsConsultation(Forbidden):
    message = "This consultation belongs to another doctor; it must be handed over first."


class ConsultationStates(StateMachine[Consultation]):
    """The lifecycle of a consultation. Every write counts the row's `version` up; the history also has changes of the doctor."""

    lifecycle = rules.LIFECYCLE
    name = "consultation"
    refusal = IllegalMove

    def history(self, transition: Transition[Consultation], *, by: AuditActor, reason: str) -> ConsultationStatusChange:
        before, after = transition.before, transition.after
        return ConsultationStatusChange(
            consultation=after,
            from_status=before.status,
            to_status=after.status,
            from_doctor_id=before.doctor_id if before.doctor_id != after.doctor_id else None,
            to_doctor_id=after.doctor_id,
            reason=reason.strip(),
            at=after.updated_at,
            by_id=by.id,
        )

    def write(self, before: Consultation, after: Consultation, values: dict[str, Any]) -> bool:
        values["version"] = after.version = before.version + 1
        return guarded_update(before, values)


STATES = ConsultationStates()


def get_for_update(by: Actor, consultation_id: UUID) -> tuple[Consultation, Patient]:
    """The consultation and its patient, both locked until the transaction ends, the patient first. Raises NotFound."""
    patient = patients.lock_survivor(partial(prepared.patient_for_update, by, consultation_id))
    if patient is None:
        raise selectors.not_found(consultation_id)
    row = prepared.for_update(consultation_id)
    if row.patient_id != patient.pk:  # moved to another record while we waited for this one
        raise Unavailable("The record is being merged. Try again.")
    return row, patient


def check_owner(by: Actor, row: Consultation) -> None:
    """Raises Forbidden for a doctor in another doctor's consultation."""
    if not by.has_permission(Permission.CONSULTATION_ANY) and row.doctor_id != by.id:
        raise OtherDoctorsConsultation


def check_doctor(by: Actor, doctor_id: UUID) -> UUID:
    """Returns the id if it belongs to an active doctor. Raises Invalid."""
    if not accounts.doctors(visible_to=by).filter(pk=doctor_id).exists():
        raise Invalid(field="doctor_id", issue="There is no such doctor here.")
    return doctor_id


def event_fields(row: Consultation) -> dict[str, Any]:
    """The fields that every event of a consultation has."""
    return {
        "consultation_id": row.pk,
        "patient_id": row.patient_id,
        "doctor_id": row.doctor_id,
        "appointment_id": row.appointment_id,
        "status": row.status,
    }
