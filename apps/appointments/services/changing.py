"""Changing a visit: another time, length, doctor, room or note; and, in the same breath, another status."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.access.actor import Actor
from apps.appointments import openings, rules
from apps.appointments.models import Appointment
from apps.appointments.openings import Practice
from apps.appointments.rules import Status
from apps.appointments.services import team, together, visiting
from apps.appointments.services.booking import Booked, cautions, room_to_use, span_of, take_seat
from apps.common.errors import Conflict, Invalid
from apps.patients import services as charts

CHANGEABLE = (
    "scheduled_time",
    "duration_minutes",
    "doctor_id",
    "room_id",
    "overbook_reason",
    "appointment_type",
    "notes",
    "triage",
    "triage_reason",
)
_PLACE = frozenset(("scheduled_time", "duration_minutes", "doctor_id", "room_id", "overbook_reason"))
_FOLLOWS = ("ends_at", "overbook_day", "overbook_seat", "joins_care_team")  # not told as changes
_FINAL = (Status.COMPLETED, Status.CANCELLED)


class NoLongerMovable(Conflict):
    message = "Time, length, doctor and room change only while a visit is requested, scheduled or confirmed."


class AlreadyOver(Conflict):
    message = "The visit is over: it stays as it was."


@together.whole  # another doctor is written on the patient's care team last, where a booking begins with the patient
def change(
    *, by: Actor, appointment_id: UUID, changes: Mapping[str, Any], notify_patient: bool = True, early: bool = False
) -> Booked:
    """Apply what differs: columns of CHANGEABLE, and `status` (with `cancellation_reason`). What is the same is no change.

    `early` allows a check-in on another day than the appointment's. Raises NotFound, Forbidden, Invalid, SlotTaken,
    OverbookingFull, NoLongerMovable, AlreadyOver, IllegalMove, NotToday, PatientNotActive.
    """
    row = _held(by, appointment_id, changes)
    visiting.refuse_others(by, row)
    asked = {name: value for name, value in changes.items() if name in CHANGEABLE and getattr(row, name) != value}
    to = changes.get("status", row.status)
    if to != row.status or (row.status in _FINAL and "status" in changes):
        visiting.refuse_by_hand(row, to, early=early)
    elif row.status in _FINAL and asked:
        raise AlreadyOver(**visiting.told(row, row.status))
    before = row.doctor_id
    changed, found = _apply(by, row, asked)
    if to != row.status:
        changed += visiting.enter(by, row, to, reason=changes.get("cancellation_reason", ""))
    if row.doctor_id != before:
        team.leave(by, row.patient_id, before)
        team.join(by, row)
    if changed:
        visiting.announce(by, row, list(dict.fromkeys(changed)), notify_patient=notify_patient)
    return Booked(row, cautions(found, span_of(row)) if found else ())


def _held(by: Actor, appointment_id: UUID, changes: Mapping[str, Any]) -> Appointment:
    """The visit's row, with its patient where the changes make it take a time. Raises NotFound."""
    if _PLACE & changes.keys():
        return visiting.held_with_patient(by, appointment_id)
    if changes.get("status") in rules.LIVE:
        return visiting.held_with_patient(by, appointment_id, unless=rules.LIVE)
    return visiting.held(by, appointment_id)


def relocate(by: Actor, row: Appointment, asked: Mapping[str, Any], *, notify_patient: bool) -> list[str]:
    """Change columns of a visit that is held; whose diary that is, is the caller's to decide. Answers those that changed.

    Raises Invalid, SlotTaken, OverbookingFull, NoLongerMovable, PatientNotActive, Forbidden for overbooking without the right.
    """
    before = row.doctor_id
    changed, _ = _apply(by, row, {name: value for name, value in asked.items() if getattr(row, name) != value})
    if row.doctor_id != before:
        team.leave(by, row.patient_id, before)
        team.join(by, row)
    if changed:
        visiting.announce(by, row, changed, notify_patient=notify_patient)
    return changed


def _apply(by: Actor, row: Appointment, asked: dict[str, Any]) -> tuple[list[str], Practice | None]:
    """Write the columns. Answers those that changed and, where the visit was moved, how its doctor can be booked."""
    if not _PLACE & asked.keys():
        return visiting.write(row, **asked), None
    if row.status not in rules.MOVABLE:
        allowed = [status.value for status in rules.MOVABLE]
        raise NoLongerMovable(movable_while=allowed, **visiting.told(row, row.status))
    visiting.refuse_not_active(row)
    values, found = _placed(by, row, asked)
    if "doctor_id" in asked:
        values["joins_care_team"] = charts.adds_to_care_team(by, row.patient_id)
    return [name for name in visiting.write(row, **values) if name not in _FOLLOWS], found


def _placed(by: Actor, row: Appointment, asked: dict[str, Any]) -> tuple[dict[str, Any], Practice]:
    """The columns of the new place, those that follow included."""
    there = Appointment(**{field.attname: getattr(row, field.attname) for field in Appointment._meta.concrete_fields})
    for name, value in asked.items():
        setattr(there, name, value)
    there.ends_at = there.scheduled_time + timedelta(minutes=there.duration_minutes)
    room_to_use(asked.get("room_id"))
    found = openings.practice(there.doctor_id, start=there.scheduled_time, end=there.ends_at)
    if found is None:
        raise Invalid(field="doctor_id", issue="There is no such doctor here.")
    if there.overbook_reason:
        day = there.scheduled_time.astimezone(openings.clinic_zone()).date()
        if (day, there.doctor_id) != (row.overbook_day, row.doctor_id) or row.overbook_seat is None:
            take_seat(by, there, found, there.overbook_reason)
    else:
        there.overbook_day = there.overbook_seat = None
    follow = ("ends_at", "overbook_day", "overbook_seat")
    return asked | {name: getattr(there, name) for name in follow}, found
