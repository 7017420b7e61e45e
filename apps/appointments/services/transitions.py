"""The states of a visit: confirmed, checked in, begun, finished, cancelled, not shown up. Every move is one guarded UPDATE."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from apps.access.actor import Actor
from apps.appointments import rules
from apps.appointments.events import AppointmentUpdated
from apps.appointments.models import Appointment, StatusChange
from apps.appointments.queue.services.marks import set_queue_marks
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.appointments.scheduling import availability
from apps.appointments.services import care_team
from apps.appointments.services.booking import MIN_ATTEMPTS, PatientNotActive, can_attend, find_clash, free_seat, max_attempts
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from apps.events.services import emit
from apps.patients import selectors as patients

_LIVE = tuple(rules.LIVE)
_TIME_COLUMNS = frozenset(("scheduled_time", "ends_at", "doctor_id", "overbook_seat"))  # columns that say which time it takes
_PLACE_LOCK = 0x44494152  # "DIAR": the first half of the advisory locks under which visits are moved


class IllegalTransition(Conflict):
    """From here the visit does not go there. `details` says from, to and what is allowed."""

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
    """The patient said that he will come. Raises NotFound, Forbidden, IllegalTransition, PatientNotActive."""
    return _manual_transition(by, appointment_id, Status.CONFIRMED)


@transaction.atomic
def check_in(*, by: Actor, appointment_id: UUID, early: bool = False) -> Appointment:
    """The patient is here, and gets the day's next token. `early` allows an appointment of another day, past or future.

    Raises NotFound, Forbidden, IllegalTransition, NotToday, NotThatDay, PatientNotActive, SlotTaken.
    """
    return _manual_transition(by, appointment_id, Status.CHECKED_IN, early=early)


@transaction.atomic
def undo_check_in(*, by: Actor, appointment_id: UUID) -> Appointment:
    """Take a check-in back, while no consultation is in progress: the visit is scheduled or confirmed again, whichever it was
    before, and its token is void. Raises NotFound, Forbidden, IllegalTransition."""
    row = get_for_update(by, appointment_id)
    check_owner(by, row)
    if row.status != Status.CHECKED_IN:
        raise illegal_transition(IllegalTransition, row, Status.SCHEDULED)
    before = StatusChange.objects.filter(appointment=row, to_status__in=rules.BEFORE_CHECK_IN).order_by("-id")
    to = before.values_list("to_status", flat=True).first() or Status.SCHEDULED
    set_queue_marks(
        by=by, appointment=row, alert_since=None, ready_since=None
    )  # of a visit that was given up: the next begins without
    return _announced(by, row, apply_transition(by, row, to))


@transaction.atomic
def no_show(*, by: Actor, appointment_id: UUID) -> Appointment:
    """The patient did not come. Raises NotFound, Forbidden, IllegalTransition, TooEarly."""
    return _manual_transition(by, appointment_id, Status.NO_SHOW)


@transaction.atomic
def cancel(*, by: Actor, appointment_id: UUID, reason: str = "", notify_patient: bool = True) -> Appointment:
    """The visit will not take place; its time is free at once. Raises NotFound, Forbidden, IllegalTransition."""
    return _manual_transition(by, appointment_id, Status.CANCELLED, reason=reason, notify_patient=notify_patient)


@transaction.atomic
def start(*, by: Actor, appointment_id: UUID, early: bool = False) -> Appointment:
    """A consultation begins: the patient is checked in, where nobody did, and with the doctor. `early` allows an appointment of
    another day; a check-in today allows it too. Raises NotFound, IllegalTransition, NotToday, PatientNotActive.

    Whose consultation it is, is the caller's to decide.
    """
    row = get_for_update(by, appointment_id)
    if rules.may_follow(row.status, Status.IN_PROGRESS):
        if not can_attend(row.patient, row.scheduled_time):
            raise PatientNotActive
        if needs_early(row) and not early:
            raise illegal_transition(NotToday, row, Status.IN_PROGRESS)
    if row.status in (Status.SCHEDULED, Status.CONFIRMED):
        apply_transition(by, row, Status.CHECKED_IN)
    return _announced(by, row, apply_transition(by, row, Status.IN_PROGRESS))


@transaction.atomic
def complete(*, by: Actor, appointment_id: UUID) -> Appointment:
    """The consultation is signed. Raises NotFound, IllegalTransition."""
    row = get_for_update(by, appointment_id)
    return _announced(by, row, apply_transition(by, row, Status.COMPLETED))


@transaction.atomic
def return_to_queue(*, by: Actor, appointment_id: UUID) -> Appointment:
    """The consultation was cancelled: the patient waits again. Raises NotFound, IllegalTransition."""
    row = get_for_update(by, appointment_id)
    if row.status != Status.IN_PROGRESS:
        raise illegal_transition(IllegalTransition, row, Status.CHECKED_IN)
    return _announced(by, row, apply_transition(by, row, Status.CHECKED_IN))


def get_for_update(by: Actor, appointment_id: UUID) -> Appointment:
    """The visit's row, locked until the transaction ends. Raises NotFound."""
    rows = Appointment.objects.visible_to(by).filter(pk=appointment_id).select_related("patient")
    row = rows.select_for_update(of=("self",)).first()
    if row is None:
        raise NotFound("There is no such appointment.")
    return row


def held_with_patient(by: Actor, appointment_id: UUID, *, unless: Collection[str] = ()) -> Appointment:
    """The visit's row, its patient locked before it unless the visit has one of these statuses. Raises NotFound.

    Who makes a visit take a time locks the patient first, as a booking does. Otherwise a booking of the patient that waits to see
    whether that time is free, and this transaction, which needs the patient later, would wait for each other.
    """
    rows = Appointment.objects.visible_to(by).filter(pk=appointment_id).exclude(status__in=unless)
    patients.get_survivors_for_update(by, *rows.values_list("patient_id", flat=True))
    return get_for_update(by, appointment_id)


def check_owner(by: Actor, row: Appointment) -> None:
    """Raises Forbidden for a doctor in somebody else's diary."""
    if not by.has_permission(Permission.APPOINTMENT_ANY) and row.doctor_id != by.id:
        raise Forbidden("Doctors can change only their own appointments.")


def illegal_transition(kind: type[IllegalTransition], row: Appointment, to: str) -> IllegalTransition:
    """The refusal, as section 3 of the contract wants it told."""
    return kind(**transition_details(row, to))


def transition_details(row: Appointment, to: str) -> dict[str, Any]:
    """From where, to where, and what would be allowed."""
    return {"from": row.status, "to": str(to), "allowed": rules.allowed(row.status)}


def check_manual_transition(row: Appointment, to: str, *, early: bool = False) -> None:
    """Raises IllegalTransition for what the states, the clock or the calendar do not allow by hand, and PatientNotActive for
    what only a patient who can come does."""
    if to not in rules.allowed(row.status):
        raise illegal_transition(IllegalTransition, row, to)
    if to == Status.NO_SHOW and clock.now() < row.scheduled_time:
        raise illegal_transition(TooEarly, row, to)
    if to in (Status.SCHEDULED, Status.CONFIRMED, Status.CHECKED_IN):
        check_patient_active(row)
    if row.status == Status.NO_SHOW and not _is_today(row):
        raise illegal_transition(NotThatDay, row, to)
    if to == Status.CHECKED_IN and needs_early(row) and not early:
        raise illegal_transition(NotToday, row, to)


def check_patient_active(row: Appointment) -> None:
    """Raises PatientNotActive for a visit whose patient is inactive or deceased."""
    if not row.patient.is_active or row.patient.deceased_at:
        raise PatientNotActive


def needs_early(row: Appointment) -> bool:
    """Whether a visit is begun, or its patient checked in, only where somebody says that this one is meant: it is of another
    day than today, and nobody checked the patient in today."""
    return not _is_today(row) and not _checked_in_today(row)


def _is_today(row: Appointment) -> bool:
    return _clinic_day(row.scheduled_time) == clock.today()


def _checked_in_today(row: Appointment) -> bool:
    """Whether somebody checked the patient in today, and so has said that this visit is meant."""
    return row.status == Status.CHECKED_IN and row.checked_in_at is not None and _clinic_day(row.checked_in_at) == clock.today()


def _clinic_day(at: datetime) -> date:
    return at.astimezone(availability.clinic_zone()).date()


def apply_transition(by: Actor, row: Appointment, to: str, *, reason: str = "") -> list[str]:
    """Take the visit to the status, with what that stamps; written into its history. Answers the columns that changed.

    Raises IllegalTransition, and SlotTaken or OverbookingFull where the visit takes a time again that somebody else has by now.
    """
    from_status = row.status
    if not rules.may_follow(from_status, to):
        raise illegal_transition(IllegalTransition, row, to)
    takes_time_again = to in _LIVE and from_status not in _LIVE
    seat = _new_seat(row) if takes_time_again else {}
    changed = update_row(row, status=str(to), **_columns_of_status(row, to, reason), **seat)
    if "attending_doctor_id" in changed:  # no column that others are shown
        changed.remove("attending_doctor_id")
    if takes_time_again:
        care_team.join(by, row)
    elif from_status in care_team.COUNTS and to not in care_team.COUNTS:
        care_team.leave(by, row.patient_id, row.doctor_id)
    StatusChange.objects.create(
        appointment=row, from_status=from_status, to_status=str(to), at=row.updated_at, by_id=by.id, reason=reason
    )
    return changed


def update_row(row: Appointment, **values: Any) -> list[str]:
    """Set columns, guarded by the status we saw. Answers those that changed. Raises SlotTaken, Unavailable.

    A visit that comes to take a time is written under the doctor's and the room's lock of moves: an UPDATE waits where an INSERT
    would step back, so two of them could wait for each other.
    """
    was, before, occupied = row.status, {name: getattr(row, name) for name in values}, _occupied_time(row)
    changed = [name for name, value in values.items() if before[name] != value]
    if not changed:
        return []
    for name in changed:
        setattr(row, name, values[name])
    row.updated_at = clock.now()
    fresh = {name: values[name] for name in changed} | {"updated_at": row.updated_at}
    if _takes_time(was, row, changed):
        _write_where_free(row, was, fresh, [before.get("doctor_id"), before.get("room_id")])
    elif not Appointment.objects.filter(pk=row.pk, status=was).update(**fresh):
        raise Unavailable("Others are changing this appointment. Try again.")
    is_over = row.status not in (*_LIVE, Status.COMPLETED)  # who was seen sooner than planned leaves the rest to the doctor
    if was in _LIVE and occupied and (is_over or _TIME_COLUMNS & set(changed)):
        vars(row).setdefault("left", occupied)  # until it is announced; of several writes the first left what others could see
    return [name.removesuffix("_id") if name == "room_id" else name for name in changed]


def announce(by: Actor, row: Appointment, changes: list[str], *, notify_patient: bool = False) -> None:
    """Say what changed."""
    event = AppointmentUpdated(
        appointment_id=row.pk,
        patient_id=row.patient_id,
        doctor_id=row.doctor_id,
        scheduled_time=row.scheduled_time,
        status=row.status,
        changes=tuple(changes),
        notify_patient=notify_patient,
        **vars(row).pop("left", {}),
    )
    emit(event, by=by)


_NEXT_TOKEN = """
INSERT INTO appointments_queue AS q (day, last_number) VALUES (%s, 1)
ON CONFLICT (day) DO UPDATE SET last_number = q.last_number + 1 RETURNING last_number
"""  # noqa: S105


def _columns_of_status(row: Appointment, to: str, reason: str) -> dict[str, Any]:
    if row.attending_doctor_id:  # handed over while it was in progress
        return {"attending_doctor_id": None}
    if to == Status.CANCELLED:
        return {"cancelled_at": clock.now(), "cancellation_reason": reason}
    if to == Status.CHECKED_IN and row.status != Status.IN_PROGRESS:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT_TOKEN, [clock.today()])
            return {"checked_in_at": clock.now(), "queue_number": cursor.fetchone()[0]}
    if row.status == Status.CHECKED_IN and to in rules.BEFORE_CHECK_IN:
        return {"checked_in_at": None, "queue_number": None}
    return {}


def _new_seat(row: Appointment) -> dict[str, Any]:
    """The seat of an overbooked visit that comes back: somebody else may have its own by now. Raises OverbookingFull."""
    if row.overbook_seat is None:
        return {}
    lock_places(row.doctor_id, row.room_id)  # all that the write will hold, in one call
    doctor_availability = availability.for_doctor(row.doctor_id, start=row.scheduled_time, end=row.ends_at)
    return {"overbook_seat": free_seat(row, doctor_availability)} if doctor_availability else {}


def _takes_time(was: str, row: Appointment, changed: list[str]) -> bool:
    placed = (_TIME_COLUMNS | {"room_id", "overbook_day"}) & set(changed)
    return row.status in _LIVE and (bool(placed) or was not in _LIVE)


def _occupied_time(row: Appointment) -> dict[str, Any]:
    """The doctor's time that the visit takes, as its fact tells what it left; none where it is overbooked."""
    if row.overbook_seat is not None:
        return {}
    place = {"left_doctor_id": row.doctor_id, "left_at": row.scheduled_time}
    return place | {"left_minutes": row.duration_minutes, "left_room_id": row.room_id}


def lock_places(*places: UUID | None) -> None:
    """Keep everybody else from moving visits to or from these doctors and rooms until the transaction ends.

    Whoever needs several takes them in one call: they are locked in an order of their own.
    """
    with connection.cursor() as cursor:
        for place in sorted({hash(place) & 0x7FFFFFFF for place in places if place}):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_PLACE_LOCK, place])


def _write_where_free(row: Appointment, was: str, fresh: dict[str, Any], left: list[UUID | None]) -> None:
    lock_places(row.doctor_id, row.room_id, *left)  # the place it leaves too: whoever books there waits for us
    attempts, doctor_availability = 0, None
    while attempts < (max_attempts(row, doctor_availability) if doctor_availability else MIN_ATTEMPTS):
        attempts += 1
        try:
            with transaction.atomic():
                moved = Appointment.objects.filter(pk=row.pk, status=was).update(**fresh)
        except IntegrityError as error:
            doctor_availability = availability.for_doctor(row.doctor_id, start=row.scheduled_time, end=row.ends_at)
            if doctor_availability is None:
                raise Invalid(field="doctor_id", issue="There is no such doctor here.") from error
            if taken := find_clash(row, doctor_availability):
                raise taken from error
            if row.overbook_seat is not None:  # somebody was given the same seat meanwhile
                fresh["overbook_seat"] = row.overbook_seat = free_seat(row, doctor_availability)
        else:
            if moved:
                return
            break
    raise Unavailable("Others are changing this appointment. Try again.")


def _manual_transition(
    by: Actor, appointment_id: UUID, to: Status, *, reason: str = "", notify_patient: bool = False, early: bool = False
) -> Appointment:
    row = held_with_patient(by, appointment_id, unless=_LIVE) if to in _LIVE else get_for_update(by, appointment_id)
    check_owner(by, row)
    check_manual_transition(row, to, early=early)
    return _announced(by, row, apply_transition(by, row, to, reason=reason), notify_patient=notify_patient)


def _announced(by: Actor, row: Appointment, changes: list[str], *, notify_patient: bool = False) -> Appointment:
    announce(by, row, changes, notify_patient=notify_patient)
    return row
