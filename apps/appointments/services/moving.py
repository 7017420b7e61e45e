"""An absent doctor's visits, moved together: a plan first, then the act, and for ten minutes the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.accounts import selectors as accounts
from apps.appointments import moving_plan, openings, rules
from apps.appointments.events import VisitsMoved, VisitsPutBack
from apps.appointments.models import Appointment, BulkMove, MovedVisit
from apps.appointments.moving_plan import Because, Place, Proposal
from apps.appointments.openings import Practice
from apps.appointments.services import changing, together
from apps.appointments.services.booking import OverbookingFull, PatientNotActive, SlotTaken
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from apps.events.services import emit

MOST_VISITS = 200  # in one move: it is one transaction, and a list that a person reads


class NothingToMove(Conflict):
    message = "The doctor has no visit in that time that may still be moved."


class NoPlaceFound(Conflict):
    """`details.unplaced` says of each visit why."""

    message = "Not one of the visits finds another place."


class PlanChanged(Conflict):
    """What would be done now is not what was agreed to."""

    message = "This is not the plan that was shown: the diary changed meanwhile, or what was asked for. Nothing was moved yet."


class AlreadyUndone(Conflict):
    message = "This move was undone already."


class TooLateToUndo(Conflict):
    message = "The time in which a move can be undone is over. Move the visits one by one."


@dataclass(frozen=True, kw_only=True)
class Absence:
    """Whose visits are moved, from when to before when; to whom, or later with the same doctor."""

    doctor_id: UUID
    starts_at: datetime
    ends_at: datetime
    to_doctor_id: UUID | None = None


@dataclass(frozen=True)
class Plan:
    """What would become of each visit. Those of charts that are closed to whoever asks are not in it, nor counted, and stay."""

    absence: Absence
    proposals: tuple[Proposal, ...]

    @property
    def mark(self) -> str:
        """Of what is shown of it."""
        return moving_plan.mark(moving_plan.line(one) for one in self.proposals)


@dataclass(frozen=True)
class Moved:
    """What was done: the move, and the plan as it was carried out."""

    move: BulkMove
    plan: Plan


def plan_move(*, by: Actor, absence: Absence) -> Plan:
    """Where the visits would go; nothing is written. Raises NotFound, Forbidden, Invalid naming the field."""
    _refuse(by, absence)
    rows = list(_to_move(by, absence).select_related("patient").order_by("scheduled_time", "pk")[: MOST_VISITS + 1])
    return _planned(absence, rows)


@together.whole
def move_visits(*, by: Actor, absence: Absence, reason: str, notify_patient: bool = True, agreed: str | None = None) -> Moved:
    """Carry such a plan out, all in one transaction; what was taken meanwhile is told as unplaced, and the others move.

    `agreed` is the mark of a plan that was looked at (`moving_plan.mark`): no other one is carried out.
    Raises as `plan_move`, and NothingToMove, NoPlaceFound, PlanChanged.
    """
    _refuse(by, absence)
    wanted = _to_move(by, absence)
    held = together.held(by, wanted.values_list("pk", flat=True)[: MOST_VISITS + 1], absence.doctor_id, absence.to_doctor_id)
    still = set(wanted.values_list("pk", flat=True))
    plan = _planned(absence, [row for row in held if row.pk in still])
    if not plan.proposals:
        raise NothingToMove
    if agreed is not None and plan.mark != agreed:
        raise PlanChanged
    move = BulkMove.objects.create(
        doctor_id=absence.doctor_id,
        to_doctor_id=absence.to_doctor_id,
        starts_at=absence.starts_at,
        ends_at=absence.ends_at,
        reason=reason,
        notify_patient=notify_patient,
        moved_at=clock.now(),
        moved_by_id=by.id,
    )
    done = tuple(_carried_out(by, move, one) for one in plan.proposals)
    moved = sum(one.goes is not None for one in done)
    if not moved:
        told = [{"appointment_id": one.visit.pk, "because": one.because} for one in done]
        raise NoPlaceFound(unplaced=told)
    emit(VisitsMoved(doctor_id=absence.doctor_id, move_id=move.pk, visits=moved, to_doctor_id=absence.to_doctor_id), by=by)
    return Moved(move, Plan(absence, done))


@together.whole
def undo_move(*, by: Actor, move_id: UUID) -> BulkMove:
    """Put the visits back: each whose old place is free and that nobody changed since; the others are told as kept.

    Raises NotFound, AlreadyUndone, TooLateToUndo.
    """
    move = BulkMove.objects.visible_to(by).filter(pk=move_id).first()
    if move is None:
        raise NotFound("There is no such move.")
    entries = list(MovedVisit.objects.filter(move=move).order_by("-id"))  # the last moved goes back first
    old = [place for entry in entries for place in (entry.from_doctor_id, entry.from_room_id)]
    held = {row.pk: row for row in together.held(by, [entry.appointment_id for entry in entries], *old)}
    move = BulkMove.objects.select_for_update(of=("self",)).get(pk=move.pk)
    _refuse_undo(move)
    for entry in entries:
        _put_back(by, move, entry, held.get(entry.appointment_id))
    move.amend(undone_at=clock.now(), undone_by_id=by.id)
    back = sum(entry.result == MovedVisit.Result.PUT_BACK for entry in entries)
    emit(VisitsPutBack(doctor_id=move.doctor_id, move_id=move.pk, visits=back), by=by)
    return move


def undo_until(move: BulkMove) -> datetime:
    """Until when the move can be undone."""
    return move.moved_at + settings.HIMS_MOVE_UNDO


def _refuse(by: Actor, absence: Absence) -> None:
    if not by.may(Permission.SCHEDULE_KEEP) or accounts.practice(absence.doctor_id) is None:
        raise NotFound("There is no such doctor.")  # one who left is found: the visits must still go elsewhere
    if not by.may(Permission.APPOINTMENT_ANY) and absence.doctor_id != by.id:
        raise Forbidden("Doctors move visits of their own diary alone.")
    if absence.ends_at <= absence.starts_at:
        raise Invalid(field="date_to", issue="Lies before date_from.")
    if absence.ends_at - absence.starts_at > moving_plan.LONGEST_RANGE:
        raise Invalid(field="date_to", issue=f"Move at most {rules.FURTHEST_DAYS} days at a time.")
    if absence.to_doctor_id == absence.doctor_id:
        raise Invalid(field="to_doctor_id", issue="Name another doctor; leave it out to move the visits to later times.")


def _to_move(by: Actor, absence: Absence) -> QuerySet[Appointment]:
    """The visits shown to the actor that may still be moved and are still to come."""
    return Appointment.objects.visible_to(by).filter(**_in_range(absence))


def _in_range(absence: Absence) -> dict[str, object]:
    return {
        "doctor": absence.doctor_id,
        "scheduled_time__gte": max(absence.starts_at, clock.now()),
        "scheduled_time__lt": absence.ends_at,
        "status__in": rules.MOVABLE,
    }


def _planned(absence: Absence, rows: Sequence[Appointment]) -> Plan:
    if len(rows) > MOST_VISITS:
        raise Invalid(field="date_to", issue=f"These are more than {MOST_VISITS} visits: move fewer days at a time.")
    since = max(absence.starts_at if absence.to_doctor_id else absence.ends_at, clock.now())
    found = moving_plan.proposals(
        rows,
        doctor_id=absence.to_doctor_id or absence.doctor_id,
        practice=_practice(absence, since, rows),
        since=since,
        keep_time=absence.to_doctor_id is not None,
    )
    return Plan(absence, tuple(found))


def _practice(absence: Absence, since: datetime, rows: Sequence[Appointment]) -> Practice:
    found = openings.practice(
        absence.to_doctor_id or absence.doctor_id, start=absence.starts_at, end=moving_plan.until(since, rows)
    )
    if found is None:
        issue = "There is no such doctor here." if absence.to_doctor_id else "This doctor sees nobody any more: say who does."
        raise Invalid(field="to_doctor_id", issue=issue)
    return found


def _carried_out(by: Actor, move: BulkMove, one: Proposal) -> Proposal:
    if one.goes is None:
        return one
    row, before = one.visit, one.visit.overbook_reason
    if not _went(by, row, one.goes, "", notify_patient=move.notify_patient):
        return moving_plan.unplaced(one, Because.TAKEN_MEANWHILE)
    MovedVisit.objects.create(
        move=move,
        appointment=row,
        from_doctor_id=one.stands.doctor_id,
        from_time=one.stands.scheduled_time,
        from_room_id=one.stands.room_id,
        from_overbook_reason=before,
        to_doctor_id=one.goes.doctor_id,
        to_time=one.goes.scheduled_time,
        to_room_id=one.goes.room_id,
        left_at=row.updated_at,
    )
    return one


def _went(by: Actor, row: Appointment, place: Place, overbook_reason: str, *, notify_patient: bool) -> bool:
    """Move the visit there; False where somebody was faster, and the visit is as it was."""
    asked = {
        "doctor_id": place.doctor_id,
        "scheduled_time": place.scheduled_time,
        "room_id": place.room_id,
        "overbook_reason": overbook_reason,
    }
    try:
        with transaction.atomic():
            changing.relocate(by, row, asked, notify_patient=notify_patient)
    except (SlotTaken, OverbookingFull, Unavailable):
        return False
    return True


def _refuse_undo(move: BulkMove) -> None:
    if move.undone_at:
        raise AlreadyUndone
    if clock.now() > undo_until(move):
        raise TooLateToUndo(undo_until=undo_until(move))


def _put_back(by: Actor, move: BulkMove, entry: MovedVisit, row: Appointment | None) -> None:
    entry.because = _kept_because(by, move, entry, row) or ""
    entry.result = MovedVisit.Result.KEPT if entry.because else MovedVisit.Result.PUT_BACK
    entry.save(update_fields=["because", "result"])


def _kept_because(by: Actor, move: BulkMove, entry: MovedVisit, row: Appointment | None) -> Because | None:
    """Why the visit stays where the move took it; None where it went back."""
    if row is None or row.updated_at != entry.left_at or row.status not in rules.MOVABLE:
        return Because.CHANGED_SINCE
    there = Place(entry.from_doctor_id, entry.from_time, entry.from_room_id)
    try:
        went = _went(by, row, there, entry.from_overbook_reason, notify_patient=move.notify_patient)
    except PatientNotActive:
        return Because.PATIENT_NOT_ACTIVE
    except (Invalid, Forbidden):  # the doctor left, the room was closed, or it was overbooked by somebody who may
        return Because.OLD_PLACE_CLOSED
    return None if went else Because.OLD_PLACE_TAKEN
