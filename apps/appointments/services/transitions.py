"""The states of an appointment: confirmed, checked in, in progress, completed, cancelled, no-show.

`AppointmentStates` moves the row (`common.lifecycle`). Each verb here checks what the states alone do not, moves the row, updates
the care team and announces what changed.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.access.actor import Actor
from apps.appointments import rules, sql
from apps.appointments.events import AppointmentUpdated
from apps.appointments.models import Appointment, StatusChange
from apps.appointments.queries import prepared
from apps.appointments.queue.services.marks import set_queue_marks
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.appointments.scheduling import availability
from apps.appointments.scheduling.availability import OtherDoctorsSchedule
from apps.appointments.services import care_team
from apps.appointments.services.booking import MIN_ATTEMPTS, PatientNotActive, can_attend, find_clash, free_seat, max_attempts
from apps.common import clock, locks
from apps.common.actor import AuditActor
from apps.common.errors import Conflict, Invalid, NotFound
from apps.common.lifecycle.machine import StateMachine, Transition, guarded_update
from apps.common.locks import LockName
from apps.common.transactions import refuses_before_writing
from apps.events.services import emit
from apps.patients import selectors as patients

_LIVE = tuple(rules.LIVE)
_TIME_COLUMNS = frozenset(("scheduled_time", "ends_at", "doctor_id", "overbook_seat"))  # they determine which time it takes
_INTERNAL_COLUMNS = frozenset(("ends_at", "overbook_day", "overbook_seat", "joins_care_team", "attending_doctor_id"))


class IllegalTransition(Conflict):
    """The appointment cannot go from its status to this one. `details` has `from`, `to` and `allowed`."""

    message = "The appointment's status does not allow this."


class TooEarly(IllegalTransition):
    message = "A no-show cannot be recorded before the appointment time."


class NotThatDay(IllegalTransition):
    reason = "not_today"
    message = "A patient who missed the appointment can be checked in only on the day of the appointment. Book another one."


class NotToday(IllegalTransition):
    """The appointment is on another day; `early` confirms that this one is meant."""

    reason = "not_today"
    message = "The appointment is on another day. Choose today's appointment, or send early: true to confirm this one."


@transaction.atomic
def confirm(*, by: Actor, appointment_id: UUID) -> Appointment:
    """Confirms the appointment for the patient. Raises NotFound, Forbidden, IllegalTransition, PatientNotActive."""
    return _move_by_hand(by, appointment_id, Status.CONFIRMED)


@transaction.atomic
def check_in(*, by: Actor, appointment_id: UUID, early: bool = False) -> Appointment:
    """Checks the patient in, with the day's next token. `early` allows an appointment of another day, past or future.

    Raises NotFound, Forbidden, IllegalTransition, NotToday, NotThatDay, PatientNotActive, SlotTaken.
    """
    return _move_by_hand(by, appointment_id, Status.CHECKED_IN, early=early)


@transaction.atomic
def no_show(*, by: Actor, appointment_id: UUID) -> Appointment:
    """Records that the patient did not come. Raises NotFound, Forbidden, IllegalTransition, TooEarly."""
    return _move_by_hand(by, appointment_id, Status.NO_SHOW)


@transaction.atomic
def cancel(*, by: Actor, appointment_id: UUID, reason: str = "", notify_patient: bool = True) -> Appointment:
    """Cancels the appointment and frees its time. Raises NotFound, Forbidden, IllegalTransition."""
    return _move_by_hand(by, appointment_id, Status.CANCELLED, reason=reason, notify_patient=notify_patient)


def _move_by_hand(
    by: Actor, appointment_id: UUID, to: Status, *, reason: str = "", notify_patient: bool = False, early: bool = False
) -> Appointment:
    row = get_with_patient_for_update(by, appointment_id, unless=_LIVE) if to in _LIVE else get_for_update(by, appointment_id)
    check_owner(by, row)
    check_manual_transition(row, to, early=early)
    return complete_change(by, apply_transition(by, row, to, reason=reason), notify_patient=notify_patient)


@transaction.atomic
def undo_check_in(*, by: Actor, appointment_id: UUID) -> Appointment:
    """Undoes a check-in while no consultation is in progress: the appointment is scheduled or confirmed again, whichever it was
    before, and its token is void. Raises NotFound, Forbidden, IllegalTransition."""
    row = get_for_update(by, appointment_id)
    check_owner(by, row)
    if row.status != Status.CHECKED_IN:
        raise STATES.refused(row, Status.SCHEDULED)
    before = StatusChange.objects.filter(appointment=row, to_status__in=rules.BEFORE_CHECK_IN).order_by("-id")
    to = before.values_list("to_status", flat=True).first() or Status.SCHEDULED
    # A cancelled consultation may have left marks; the next one begins without them.
    set_queue_marks(by=by, appointment=row, alert_since=None, ready_since=None)
    return complete_change(by, apply_transition(by, row, to))


@transaction.atomic
def start(*, by: Actor, appointment_id: UUID, early: bool = False) -> Appointment:
    """Starts the consultation, as `start_locked` does. Raises NotFound too."""
    return start_locked(by=by, row=get_for_update(by, appointment_id), early=early)


@refuses_before_writing
def start_locked(*, by: Actor, row: Appointment, early: bool = False) -> Appointment:
    """Starts the consultation of a row from `get_for_update`, and checks the patient in first if that was not done.

    `early` allows an appointment of another day; a check-in today allows it too. Raises IllegalTransition, NotToday,
    PatientNotActive. The caller checks whose consultation it is.
    """
    STATES.check(row, Status.IN_PROGRESS, by_system=True)
    if not can_attend(row.patient, row.scheduled_time):
        raise PatientNotActive
    if needs_early(row) and not early:
        raise STATES.refused(row, Status.IN_PROGRESS, NotToday)
    if row.status in rules.BEFORE_CHECK_IN:
        apply_transition(by, row, Status.CHECKED_IN)
    return complete_change(by, apply_transition(by, row, Status.IN_PROGRESS))


@transaction.atomic
def complete(*, by: Actor, appointment_id: UUID) -> Appointment:
    """Completes the appointment of a signed consultation. Raises NotFound, IllegalTransition."""
    row = get_for_update(by, appointment_id)
    return complete_change(by, apply_transition(by, row, Status.COMPLETED))


@transaction.atomic
def return_to_queue(*, by: Actor, appointment_id: UUID) -> Appointment:
    """Returns the patient of a cancelled consultation to the queue. Raises NotFound, IllegalTransition."""
    row = get_for_update(by, appointment_id)
    if row.status != Status.IN_PROGRESS:
        raise STATES.refused(row, Status.CHECKED_IN)
    return complete_change(by, apply_transition(by, row, Status.CHECKED_IN))


def get_for_update(by: Actor, appointment_id: UUID) -> Appointment:
    """Returns the appointment's row, locked until the transaction ends. Raises NotFound."""
    row = prepared.for_update(by, appointment_id)
    if row is None:
        raise NotFound("There is no such appointment.")
    return row


def get_with_patient_for_update(by: Actor, appointment_id: UUID, *, unless: Collection[str] = ()) -> Appointment:
    """Returns the appointment's locked row. Locks its patient first, unless it has one of these statuses. Raises NotFound.

    A transaction that makes an appointment take a time locks the patient first, as a booking does. Otherwise it could deadlock
    with a booking of the same patient that waits to see whether that time is free.
    """
    rows = Appointment.objects.visible_to(by).filter(pk=appointment_id).exclude(status__in=unless)
    patients.get_survivors_for_update(by, *rows.values_list("patient_id", flat=True))
    return get_for_update(by, appointment_id)


def check_owner(by: Actor, row: Appointment) -> None:
    """Raises Forbidden for a doctor in another doctor's schedule."""
    if not by.has_permission(Permission.APPOINTMENT_ANY) and row.doctor_id != by.id:
        raise OtherDoctorsSchedule("Doctors can change only their own appointments.")


def check_manual_transition(row: Appointment, to: str, *, early: bool = False) -> None:
    """Raises IllegalTransition if the states, the time or the day do not allow a user to set this status, and PatientNotActive if
    it needs an active patient."""
    STATES.check(row, to)
    if to == Status.NO_SHOW and clock.now() < row.scheduled_time:
        raise STATES.refused(row, to, TooEarly)
    if to in (Status.SCHEDULED, Status.CONFIRMED, Status.CHECKED_IN):
        check_patient_active(row)
    if row.status == Status.NO_SHOW and not _is_today(row):
        raise STATES.refused(row, to, NotThatDay)
    if to == Status.CHECKED_IN and needs_early(row) and not early:
        raise STATES.refused(row, to, NotToday)


def check_patient_active(row: Appointment) -> None:
    """Raises PatientNotActive for an appointment whose patient is inactive or deceased."""
    if not row.patient.is_active or row.patient.deceased_at:
        raise PatientNotActive


def needs_early(row: Appointment) -> bool:
    """Returns whether a check-in or a start must confirm that this appointment is meant: it is on another day than today, and the
    patient was not checked in today."""
    return not _is_today(row) and not _checked_in_today(row)


def _is_today(row: Appointment) -> bool:
    return _clinic_day(row.scheduled_time) == clock.today()


def _checked_in_today(row: Appointment) -> bool:
    """Returns whether the patient was checked in today, which confirms that this appointment is meant."""
    return row.status == Status.CHECKED_IN and row.checked_in_at is not None and _clinic_day(row.checked_in_at) == clock.today()


def _clinic_day(at: datetime) -> date:
    return at.astimezone(availability.clinic_zone()).date()


def apply_transition(by: Actor, row: Appointment, to: str, *, reason: str = "") -> Transition[Appointment]:
    """Moves the appointment to the status, with the columns that belong to it, and records the change. The caller passes the
    transition on to `complete_change`.

    Raises IllegalTransition, and SlotTaken or OverbookingFull if the appointment takes a time again that is booked by now.
    """
    STATES.check(row, to, by_system=True)
    columns = _columns_of_status(row, to, reason)
    if to in _LIVE and row.status not in _LIVE:
        columns |= _new_seat(row)
    return STATES.move(row, to, by=by, reason=reason, by_system=True, **columns)


def _columns_of_status(row: Appointment, to: str, reason: str) -> dict[str, Any]:
    if row.attending_doctor_id:  # handed over while it was in progress
        return {"attending_doctor_id": None}
    if to == Status.CANCELLED:
        return {"cancelled_at": clock.now(), "cancellation_reason": reason}
    if to == Status.CHECKED_IN and row.status != Status.IN_PROGRESS:
        return {"checked_in_at": clock.now(), "queue_number": sql.next_queue_number(clock.today())}
    if row.status == Status.CHECKED_IN and to in rules.BEFORE_CHECK_IN:
        return {"checked_in_at": None, "queue_number": None}
    return {}


def _new_seat(row: Appointment) -> dict[str, Any]:
    """Returns a new seat for an overbooked appointment that becomes live again, because its own may be taken. Raises
    OverbookingFull."""
    if row.overbook_seat is None:
        return {}
    lock_places(row.doctor_id, row.room_id)  # all locks that the write needs, in one call
    doctor_availability = availability.for_doctor(row.doctor_id, start=row.scheduled_time, end=row.ends_at)
    return {"overbook_seat": free_seat(row, doctor_availability)} if doctor_availability else {}


class AppointmentStates(StateMachine[Appointment]):
    """The lifecycle of an appointment. A write that makes it take a time is refused if that time is taken."""

    lifecycle = rules.LIFECYCLE
    name = "appointment"
    refusal = IllegalTransition

    def history(self, transition: Transition[Appointment], *, by: AuditActor, reason: str) -> StatusChange:
        before, after = transition.before, transition.after
        return StatusChange(
            appointment=after, from_status=before.status, to_status=after.status, at=after.updated_at, by_id=by.id, reason=reason
        )

    def write(self, before: Appointment, after: Appointment, values: dict[str, Any]) -> bool:
        """Writes the row. Raises SlotTaken, OverbookingFull and Invalid (the doctor is no longer active)."""
        placed = not (_TIME_COLUMNS | {"room_id", "overbook_day"}).isdisjoint(values)
        takes_time = after.status in _LIVE and (placed or before.status not in _LIVE)
        return _write_where_free(before, after, values) if takes_time else guarded_update(before, values)


STATES = AppointmentStates()


def _write_where_free(before: Appointment, after: Appointment, values: dict[str, Any]) -> bool:
    """Writes while holding the locks of the doctor and the room. Without them two UPDATEs could deadlock, because an UPDATE waits
    where the INSERT of a booking does nothing. The previous place is locked too, because a booking there waits for this
    transaction."""
    lock_places(after.doctor_id, after.room_id, before.doctor_id, before.room_id)
    attempts, doctor_availability = 0, None
    while attempts < (max_attempts(after, doctor_availability) if doctor_availability else MIN_ATTEMPTS):
        attempts += 1
        try:
            with transaction.atomic():
                return guarded_update(before, values)
        except IntegrityError as error:
            doctor_availability = availability.for_doctor(after.doctor_id, start=after.scheduled_time, end=after.ends_at)
            if doctor_availability is None:
                raise Invalid(field="doctor_id", issue="There is no such doctor here.") from error
            if taken := find_clash(after, doctor_availability):
                raise taken from error
            if after.overbook_seat is not None:  # another appointment has taken the same seat meanwhile
                values["overbook_seat"] = after.overbook_seat = free_seat(after, doctor_availability)
    return False


def lock_places(*places: UUID | None) -> None:
    """Prevents other transactions from moving appointments to or from these doctors and rooms until this one ends.

    Pass several in one call: they are locked in a fixed order.
    """
    locks.lock_all(LockName.APPOINTMENT_PLACE, filter(None, places))


def complete_change(by: Actor, change: Transition[Appointment], *, notify_patient: bool = False) -> Appointment:
    """Updates the care team after a change, and announces the change if users can see it. Returns the appointment."""
    care_team.follow(by, change)
    changes = tuple("room" if name == "room_id" else name for name in change.changes if name not in _INTERNAL_COLUMNS)
    if changes:
        emit(_updated_event(change, changes, notify_patient), by=by)
    return change.after


def _updated_event(change: Transition[Appointment], changes: tuple[str, ...], notify_patient: bool) -> AppointmentUpdated:
    row = change.after
    return AppointmentUpdated(
        appointment_id=row.pk,
        patient_id=row.patient_id,
        doctor_id=row.doctor_id,
        scheduled_time=row.scheduled_time,
        status=row.status,
        changes=changes,
        notify_patient=notify_patient,
        **_left_time(change),
    )


def _left_time(change: Transition[Appointment]) -> dict[str, Any]:
    """Returns the doctor's time that the appointment took and no longer takes in full. Empty for an overbooked one."""
    before, after = change.before, change.after
    is_over = after.status not in (*_LIVE, Status.COMPLETED)  # the rest of an appointment that ended early is the doctor's own
    moved = not _TIME_COLUMNS.isdisjoint(change.changes)
    if before.status not in _LIVE or before.overbook_seat is not None or not (is_over or moved):
        return {}
    return {
        "left_doctor_id": before.doctor_id,
        "left_at": before.scheduled_time,
        "left_minutes": before.duration_minutes,
        "left_room_id": before.room_id,
    }
