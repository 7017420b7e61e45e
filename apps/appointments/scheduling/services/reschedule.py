"""Moves an absent doctor's appointments together: first a plan, then the move, which can be undone for ten minutes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.appointments import rules
from apps.appointments.events import AppointmentsRescheduled, BulkRescheduleUndone
from apps.appointments.models import Appointment, BulkReschedule, RescheduledAppointment
from apps.appointments.rights import Permission
from apps.appointments.rules import AppointmentPlace
from apps.appointments.scheduling import availability, reschedule_plan
from apps.appointments.scheduling.availability import DoctorAvailability, OtherDoctorsSchedule
from apps.appointments.scheduling.reschedule_plan import Proposal, UnplacedReason
from apps.appointments.services import changing, locking
from apps.appointments.services.booking import OverbookingFull, PatientNotActive, SlotTaken
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from apps.events.services import emit

MAX_APPOINTMENTS = 200  # in one move, because it is one transaction and a user reads the list


class NothingToMove(Conflict):
    message = "The doctor has no appointment in that time that can still be moved."


class NoPlaceFound(Conflict):
    """`details.unplaced` has the reason for each appointment."""

    message = "No other place was found for any of the appointments."


class PlanChanged(Conflict):
    """The plan that would be carried out now differs from the agreed one."""

    message = (
        "The plan is out of date: the schedule or the request has changed since. Nothing has been moved. Request a new plan."
    )


class AlreadyUndone(Conflict):
    message = "This rescheduling was already undone."


class TooLateToUndo(Conflict):
    message = "The time limit for undoing the rescheduling has passed. Move the appointments one by one."


@dataclass(frozen=True, kw_only=True)
class DoctorAbsence:
    """The doctor and the period whose appointments move, and the new doctor; without one, they move to later times of the same
    doctor."""

    doctor_id: UUID
    starts_at: datetime
    ends_at: datetime
    to_doctor_id: UUID | None = None


@dataclass(frozen=True)
class ReschedulePlan:
    """The proposal for each appointment. Appointments of charts that are closed to the actor are not included or counted, and
    stay."""

    absence: DoctorAbsence
    proposals: tuple[Proposal, ...]

    @property
    def in_order(self) -> list[Proposal]:
        """The proposals in order of the appointments' previous times."""
        return sorted(self.proposals, key=lambda one: (one.before.scheduled_time, one.appointment.pk))

    @property
    def plan_hash(self) -> str:
        """Identifies the plan that is shown."""
        return reschedule_plan.plan_hash(reschedule_plan.line(one) for one in self.proposals)


@dataclass(frozen=True)
class BulkRescheduleResult:
    """The stored move, and the plan as it was carried out."""

    move: BulkReschedule
    plan: ReschedulePlan


def plan_bulk_reschedule(*, by: Actor, absence: DoctorAbsence) -> ReschedulePlan:
    """Returns where the appointments can move; writes nothing. Raises NotFound, Forbidden, Invalid naming the field."""
    _check_absence(by, absence)
    rows = list(_to_move(by, absence).select_related("patient").order_by("scheduled_time", "pk")[: MAX_APPOINTMENTS + 1])
    return _planned(absence, rows)


@locking.retry_on_deadlock
def bulk_reschedule(
    *, by: Actor, absence: DoctorAbsence, reason: str, notify_patient: bool = True, agreed: str | None = None
) -> BulkRescheduleResult:
    """Moves the appointments in one transaction. It reports as unplaced those whose new time has been taken, and moves the
    others.

    `agreed` is the hash of the plan that the user has reviewed (`reschedule_plan.plan_hash`): any other plan is refused. Raises
    as `plan_bulk_reschedule`, and NothingToMove, NoPlaceFound, PlanChanged.
    """
    _check_absence(by, absence)
    wanted = _to_move(by, absence)
    locked = locking.lock_appointments(
        by, wanted.values_list("pk", flat=True)[: MAX_APPOINTMENTS + 1], absence.doctor_id, absence.to_doctor_id
    )
    matching_ids = set(wanted.values_list("pk", flat=True))
    plan = _planned(absence, [row for row in locked if row.pk in matching_ids])
    if not plan.proposals:
        raise NothingToMove
    if agreed is not None and plan.plan_hash != agreed:
        raise PlanChanged
    move = BulkReschedule.objects.create(
        doctor_id=absence.doctor_id,
        to_doctor_id=absence.to_doctor_id,
        starts_at=absence.starts_at,
        ends_at=absence.ends_at,
        reason=reason,
        notify_patient=notify_patient,
        moved_at=clock.now(),
        moved_by_id=by.id,
    )
    done = tuple(_reschedule_one(by, move, one) for one in plan.proposals)
    moved = sum(one.after is not None for one in done)
    if not moved:
        unplaced = [{"appointment_id": one.appointment.pk, "because": one.because} for one in done]
        raise NoPlaceFound(unplaced=unplaced)
    emit(
        AppointmentsRescheduled(doctor_id=absence.doctor_id, move_id=move.pk, visits=moved, to_doctor_id=absence.to_doctor_id),
        by=by,
    )
    return BulkRescheduleResult(move, ReschedulePlan(absence, done))


@locking.retry_on_deadlock
def undo_bulk_reschedule(*, by: Actor, move_id: UUID) -> BulkReschedule:
    """Moves back each appointment whose previous place is free and that has not changed since. The others get the result `kept`.

    Raises NotFound, AlreadyUndone, TooLateToUndo.
    """
    move = BulkReschedule.objects.visible_to(by).filter(pk=move_id).first()
    if move is None:
        raise NotFound("There is no such rescheduling.")
    entries = list(RescheduledAppointment.objects.filter(move=move).order_by("-id"))  # the last moved goes back first
    previous_places = [place for entry in entries for place in (entry.from_doctor_id, entry.from_room_id)]
    locked = {row.pk: row for row in locking.lock_appointments(by, [entry.appointment_id for entry in entries], *previous_places)}
    move = BulkReschedule.objects.select_for_update(of=("self",)).get(pk=move.pk)
    _check_undo(move)
    for entry in entries:
        _undo_one(by, move, entry, locked.get(entry.appointment_id))
    move.amend(undone_at=clock.now(), undone_by_id=by.id)
    back = sum(entry.result == RescheduledAppointment.Result.PUT_BACK for entry in entries)
    emit(BulkRescheduleUndone(doctor_id=move.doctor_id, move_id=move.pk, visits=back), by=by)
    return move


def undo_until(move: BulkReschedule) -> datetime:
    """Returns until when the move can be undone."""
    return move.moved_at + settings.HIMS_MOVE_UNDO


def _check_absence(by: Actor, absence: DoctorAbsence) -> None:
    if not by.has_permission(Permission.SCHEDULE_KEEP) or accounts.doctor_profile(absence.doctor_id) is None:
        raise NotFound("There is no such doctor.")  # a doctor who left is accepted, because the appointments must still be moved
    if not by.has_permission(Permission.APPOINTMENT_ANY) and absence.doctor_id != by.id:
        raise OtherDoctorsSchedule("Doctors can reschedule only their own appointments.")
    if absence.ends_at <= absence.starts_at:
        raise Invalid(field="date_to", issue="Must not be before date_from.")
    if absence.ends_at - absence.starts_at > reschedule_plan.LONGEST_RANGE:
        raise Invalid(field="date_to", issue=f"Reschedule at most {rules.FURTHEST_DAYS} days at a time.")
    if absence.to_doctor_id == absence.doctor_id:
        raise Invalid(
            field="to_doctor_id", issue="Choose another doctor, or leave it out to move the appointments to later times."
        )


def _to_move(by: Actor, absence: DoctorAbsence) -> QuerySet[Appointment]:
    """Returns the future appointments that the actor may see and that can still be moved."""
    return Appointment.objects.visible_to(by).filter(**_in_range(absence))


def _in_range(absence: DoctorAbsence) -> dict[str, object]:
    return {
        "doctor": absence.doctor_id,
        "scheduled_time__gte": max(absence.starts_at, clock.now()),
        "scheduled_time__lt": absence.ends_at,
        "status__in": rules.MOVABLE,
    }


def _planned(absence: DoctorAbsence, rows: Sequence[Appointment]) -> ReschedulePlan:
    if len(rows) > MAX_APPOINTMENTS:
        raise Invalid(field="date_to", issue=f"There are more than {MAX_APPOINTMENTS} appointments: choose fewer days.")
    since = max(absence.starts_at if absence.to_doctor_id else absence.ends_at, clock.now())
    proposals = reschedule_plan.proposals(
        rows,
        doctor_id=absence.to_doctor_id or absence.doctor_id,
        doctor_availability=_doctor_availability(absence, since, rows),
        since=since,
        keep_time=absence.to_doctor_id is not None,
    )
    return ReschedulePlan(absence, tuple(proposals))


def _doctor_availability(absence: DoctorAbsence, since: datetime, rows: Sequence[Appointment]) -> DoctorAvailability:
    doctor_availability = availability.for_doctor(
        absence.to_doctor_id or absence.doctor_id, start=absence.starts_at, end=reschedule_plan.until(since, rows)
    )
    if doctor_availability is None:
        issue = (
            "There is no such doctor here."
            if absence.to_doctor_id
            else ("This doctor no longer sees patients: choose another doctor.")
        )
        raise Invalid(field="to_doctor_id", issue=issue)
    return doctor_availability


def _reschedule_one(by: Actor, move: BulkReschedule, one: Proposal) -> Proposal:
    if one.after is None:
        return one
    row, before = one.appointment, one.appointment.overbook_reason
    if not _relocate(by, row, one.after, "", notify_patient=move.notify_patient):
        return reschedule_plan.unplaced(one, UnplacedReason.TAKEN_MEANWHILE)
    RescheduledAppointment.objects.create(
        move=move,
        appointment=row,
        from_doctor_id=one.before.doctor_id,
        from_time=one.before.scheduled_time,
        from_room_id=one.before.room_id,
        from_overbook_reason=before,
        to_doctor_id=one.after.doctor_id,
        to_time=one.after.scheduled_time,
        to_room_id=one.after.room_id,
        left_at=row.updated_at,
    )
    return replace(one, is_moved=True)


def _relocate(by: Actor, row: Appointment, place: AppointmentPlace, overbook_reason: str, *, notify_patient: bool) -> bool:
    """Moves the appointment. Returns False, with the appointment unchanged, if the place was taken in the meantime."""
    changed_values = {
        "doctor_id": place.doctor_id,
        "scheduled_time": place.scheduled_time,
        "room_id": place.room_id,
        "overbook_reason": overbook_reason,
    }
    try:
        with transaction.atomic():
            changing.relocate(by, row, changed_values, notify_patient=notify_patient)
    except (SlotTaken, OverbookingFull, Unavailable):
        return False
    return True


def _check_undo(move: BulkReschedule) -> None:
    if move.undone_at:
        raise AlreadyUndone
    if clock.now() > undo_until(move):
        raise TooLateToUndo(undo_until=undo_until(move))


def _undo_one(by: Actor, move: BulkReschedule, entry: RescheduledAppointment, row: Appointment | None) -> None:
    entry.because = _kept_because(by, move, entry, row) or ""
    entry.result = RescheduledAppointment.Result.KEPT if entry.because else RescheduledAppointment.Result.PUT_BACK
    entry.save(update_fields=["because", "result"])


def _kept_because(
    by: Actor, move: BulkReschedule, entry: RescheduledAppointment, row: Appointment | None
) -> UnplacedReason | None:
    """Moves the appointment back. Returns None, or the reason why it stays."""
    if row is None or row.updated_at != entry.left_at or row.status not in rules.MOVABLE:
        return UnplacedReason.CHANGED_SINCE
    try:
        is_back = _relocate(by, row, entry.before, entry.from_overbook_reason, notify_patient=move.notify_patient)
    except PatientNotActive:
        return UnplacedReason.PATIENT_NOT_ACTIVE
    except (Invalid, Forbidden):  # the doctor left, the room was closed, or the caller may not overbook
        return UnplacedReason.OLD_PLACE_CLOSED
    return None if is_back else UnplacedReason.OLD_PLACE_TAKEN
