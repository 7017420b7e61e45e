"""Changes an appointment: its time, length, doctor, room or notes, and with them its status."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.access.actor import Actor
from apps.appointments import rules
from apps.appointments.models import Appointment
from apps.appointments.rules import Status
from apps.appointments.scheduling import availability
from apps.appointments.scheduling.availability import DoctorAvailability
from apps.appointments.services import locking, transitions
from apps.appointments.services.booking import BookingResult, booking_warnings, room_to_use, span_of, take_seat
from apps.common.errors import Conflict, Invalid
from apps.common.lifecycle.machine import Transition
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
_PLACE_COLUMNS = frozenset(("scheduled_time", "duration_minutes", "doctor_id", "room_id", "overbook_reason"))
_FINAL = (Status.COMPLETED, Status.CANCELLED)


class NoLongerMovable(Conflict):
    message = "Time, length, doctor and room can change only while the appointment is requested, scheduled or confirmed."


class AlreadyOver(Conflict):
    message = "The appointment has ended and can't be changed."


@locking.retry_on_deadlock  # a new doctor is added to the care team last, while a booking locks the patient first
def change(
    *, by: Actor, appointment_id: UUID, changes: Mapping[str, Any], notify_patient: bool = True, early: bool = False
) -> BookingResult:
    """Applies the values that differ: columns of CHANGEABLE, and `status` (with `cancellation_reason`). Equal values are no
    change.

    `early` allows a check-in on another day than the appointment's. Raises NotFound, Forbidden, Invalid, SlotTaken,
    OverbookingFull, NoLongerMovable, AlreadyOver, IllegalTransition, NotToday, PatientNotActive.
    """
    row = _lock(by, appointment_id, changes)
    transitions.check_owner(by, row)
    changed_values = {name: value for name, value in changes.items() if name in CHANGEABLE and getattr(row, name) != value}
    to = changes.get("status", row.status)
    if to != row.status or (row.status in _FINAL and "status" in changes):
        transitions.STATES.check(row, to)
    elif row.status in _FINAL and changed_values:
        raise transitions.STATES.refused(row, row.status, AlreadyOver)
    done, doctor_availability = _apply(by, row, changed_values)
    if to != row.status:
        transitions.check_manual_transition(row, to, early=early)  # by the new time; the transaction undoes what was written
        done = done.then(transitions.apply_transition(by, row, to, reason=changes.get("cancellation_reason", "")))
    transitions.complete_change(by, done, notify_patient=notify_patient)
    return BookingResult(row, booking_warnings(doctor_availability, span_of(row)) if doctor_availability else ())


def relocate(by: Actor, row: Appointment, changed_values: Mapping[str, Any], *, notify_patient: bool) -> None:
    """Changes columns of a locked appointment; the caller checks whose schedule it is.

    Raises Invalid, SlotTaken, OverbookingFull, NoLongerMovable, PatientNotActive, Forbidden for overbooking without the right.
    """
    done, _ = _apply(by, row, {name: value for name, value in changed_values.items() if getattr(row, name) != value})
    transitions.complete_change(by, done, notify_patient=notify_patient)


def _lock(by: Actor, appointment_id: UUID, changes: Mapping[str, Any]) -> Appointment:
    """Returns the locked appointment; locks its patient first if the changes make it take a time. Raises NotFound."""
    if _PLACE_COLUMNS & changes.keys():
        return transitions.get_with_patient_for_update(by, appointment_id)
    if changes.get("status") in rules.LIVE:
        return transitions.get_with_patient_for_update(by, appointment_id, unless=rules.LIVE)
    return transitions.get_for_update(by, appointment_id)


def _apply(
    by: Actor, row: Appointment, changed_values: dict[str, Any]
) -> tuple[Transition[Appointment], DoctorAvailability | None]:
    """Writes the columns. Returns the transition and, if the appointment was moved, when its doctor can be booked."""
    if not _PLACE_COLUMNS & changed_values.keys():
        return transitions.STATES.amend(row, **changed_values), None
    if row.status not in rules.MOVABLE:
        raise NoLongerMovable(
            movable_while=[str(status) for status in rules.MOVABLE], **rules.LIFECYCLE.details(row.status, row.status)
        )
    transitions.check_patient_active(row)
    values, doctor_availability = _new_place(by, row, changed_values)
    if "doctor_id" in changed_values:
        values["joins_care_team"] = charts.adds_to_care_team(by, row.patient_id)
    return transitions.STATES.amend(row, **values), doctor_availability


def _new_place(by: Actor, row: Appointment, changed_values: dict[str, Any]) -> tuple[dict[str, Any], DoctorAvailability]:
    """Returns the columns of the new place, including the derived ones."""
    moved = Appointment(**{field.attname: getattr(row, field.attname) for field in Appointment._meta.concrete_fields})
    for name, value in changed_values.items():
        setattr(moved, name, value)
    moved.ends_at = moved.scheduled_time + timedelta(minutes=moved.duration_minutes)
    room_to_use(changed_values.get("room_id"))
    doctor_availability = availability.for_doctor(moved.doctor_id, start=moved.scheduled_time, end=moved.ends_at)
    if doctor_availability is None:
        raise Invalid(field="doctor_id", issue="There is no such doctor here.")
    if moved.overbook_reason:
        day = moved.scheduled_time.astimezone(availability.clinic_zone()).date()
        if (day, moved.doctor_id) != (row.overbook_day, row.doctor_id) or row.overbook_seat is None:
            take_seat(by, moved, doctor_availability, moved.overbook_reason)
    else:
        moved.overbook_day = moved.overbook_seat = None
    derived = ("ends_at", "overbook_day", "overbook_seat")
    return changed_values | {name: getattr(moved, name) for name in derived}, doctor_availability
