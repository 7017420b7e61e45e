"""What every act on a visit begins with: its row held, whose it is, and the move from one status to the next."""

from typing import Any
from uuid import UUID

from django.db.models import F

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, Invalid, Unavailable
from apps.consultations import rules, selectors
from apps.consultations.models import Consultation, ConsultationStatusChange
from apps.consultations.queries import prepared
from apps.consultations.rights import Permission
from apps.patients import selectors as patients
from apps.patients.models import Patient


class IllegalMove(Conflict):
    """From here the visit does not go there. `details` says from, to and what is allowed."""

    message = "The consultation's status does not allow this."


def get_for_update(by: Actor, consultation_id: UUID) -> tuple[Consultation, Patient]:
    """The visit and its patient, both locked until the transaction ends, the patient first. Raises NotFound."""
    visible = prepared.consultation(by, consultation_id)
    if visible is None:
        raise selectors.not_found(consultation_id)
    patient = patients.get_survivor_for_update(by, visible.patient_id)
    rows = Consultation.objects.select_for_update(of=("self",)).select_related("appointment")
    row = rows.get(pk=consultation_id)
    if row.patient_id != patient.pk:  # moved to another record while we waited for this one
        raise Unavailable("The record is being merged. Try again.")
    return row, patient


def check_owner(by: Actor, row: Consultation) -> None:
    """Raises Forbidden for a doctor in another doctor's visit."""
    if not by.has_permission(Permission.CONSULTATION_ANY) and row.doctor_id != by.id:
        raise Forbidden("This consultation belongs to another doctor; it must be handed over first.")


def illegal_move(row: Consultation, to_status: str) -> IllegalMove:
    """The refusal, as section 3 of the contract wants it told."""
    details: dict[str, Any] = {
        "from": row.status,
        "to": str(to_status),
        "allowed": [one.value for one in rules.MOVES[row.status]],
    }
    return IllegalMove(**details)


def change_status(by: Actor, row: Consultation, to_status: str, *, reason: str = "", **fields: Any) -> None:
    """Take the visit to the status in one guarded UPDATE, and write it into its history. Raises IllegalMove."""
    from_status = row.status
    if not rules.may_follow(from_status, to_status):
        raise illegal_move(row, to_status)
    values: dict[str, Any] = {"status": str(to_status), "updated_at": clock.now(), **fields}
    if not Consultation.objects.filter(pk=row.pk, status=from_status).update(version=F("version") + 1, **values):
        raise Unavailable("Others are changing this consultation. Try again.")
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    log_status_change(by, row, from_status, reason=reason)


def log_status_change(
    by: Actor, row: Consultation, from_status: str, *, reason: str = "", from_doctor_id: UUID | None = None
) -> None:
    """Write a line of the visit's history."""
    ConsultationStatusChange.objects.create(
        consultation=row,
        from_status=from_status,
        to_status=row.status,
        from_doctor_id=from_doctor_id,
        to_doctor_id=row.doctor_id,
        reason=reason.strip(),
        at=row.updated_at,
        by_id=by.id,
    )


def check_doctor(by: Actor, doctor_id: UUID) -> UUID:
    """The id of a doctor who works here today. Raises Invalid."""
    if not accounts.doctors(visible_to=by).filter(pk=doctor_id).exists():
        raise Invalid(field="doctor_id", issue="There is no such doctor here.")
    return doctor_id


def event_fields(row: Consultation) -> dict[str, Any]:
    """What every fact about a visit says."""
    return {
        "consultation_id": row.pk,
        "patient_id": row.patient_id,
        "doctor_id": row.doctor_id,
        "appointment_id": row.appointment_id,
        "status": row.status,
    }
