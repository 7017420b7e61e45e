"""Books appointments. A time that is taken is refused with free times instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.access.actor import Actor
from apps.access.roles import Role
from apps.appointments import rules, sql
from apps.appointments.events import AppointmentBooked
from apps.appointments.models import Appointment, AppointmentType, Room
from apps.appointments.rights import Permission
from apps.appointments.rules import Status, TimeSpan
from apps.appointments.scheduling import availability
from apps.appointments.scheduling.availability import DoctorAvailability
from apps.appointments.services import care_team
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from apps.common.transactions import refuses_before_writing
from apps.events.services import emit
from apps.patients import selectors as patients
from apps.patients import services as charts
from apps.patients.models import Patient
from apps.patients.rules import may_attend

MIN_ATTEMPTS = 5  # the conflicting appointment may be gone when `find_clash` looks for it


class SlotTaken(Conflict):
    """The time is taken. `details.taken` lists doctor, patient or room; `details.alternatives` are free times."""

    message = "The doctor is already booked at that time."


class OverbookingForbidden(Forbidden):
    message = "Only administrators and receptionists can overbook."


class OverbookingFull(Conflict):
    message = "This doctor's day has no overbook seat left."


class PatientNotActive(Conflict):
    """The record is inactive, or the appointment does not lie before the patient's death."""

    reason = "patient_not_active"
    message = "The patient is inactive or deceased. Appointments can only be cancelled, or entered for a time before the death."


@dataclass(frozen=True, kw_only=True)
class NewAppointment:
    """A requested booking. The default doctor is the caller, if a doctor; the default length is the doctor's own for that
    type."""

    patient_id: UUID
    scheduled_time: datetime
    doctor_id: UUID | None = None
    appointment_type: str = AppointmentType.CONSULTATION.value
    duration_minutes: int | None = None
    notes: str = ""
    room_id: UUID | None = None
    overbook_reason: str = ""
    status: str = Status.SCHEDULED.value
    series_id: UUID | None = None
    with_series: bool = False  # `book_series` books it with the others


@dataclass(frozen=True)
class BookingWarning:
    """A remark about a booking that does not prevent it."""

    code: str
    message: str


@dataclass(frozen=True)
class BookingResult:
    appointment: Appointment
    warnings: tuple[BookingWarning, ...] = ()


@refuses_before_writing
def book(*, by: Actor, new: NewAppointment) -> BookingResult:
    """Book the patient with the doctor; the database's exclusion constraints decide whether the time is free.

    Raises Invalid (patient, doctor or room unknown, field named), Forbidden for overbooking without the right, SlotTaken,
    OverbookingFull, PatientNotActive.
    """
    patient = patient_to_book(by, new.patient_id, at=new.scheduled_time)
    doctor_id = new.doctor_id or _calling_doctor_id(by)
    doctor_availability = _availability_of(doctor_id, new)
    row = _new_row(by, patient, doctor_id, new, doctor_availability)
    _claim(by, row, doctor_availability)
    care_team.join(by, row)
    emit(booked_event(row, with_series=new.with_series), by=by)
    return BookingResult(row, booking_warnings(doctor_availability, span_of(row)))


def patient_to_book(by: Actor, patient_id: UUID, *, at: datetime) -> Patient:
    """Returns the patient's row, locked. Raises Invalid naming patient_id, and PatientNotActive if the patient is inactive or was
    deceased at the time of the appointment. An appointment before the death can still be entered."""
    try:
        patient = patients.get_for_update(by, patient_id)
    except NotFound as not_found:
        refusal = Invalid(field="patient_id", issue="There is no such patient.")
        refusal.withheld = not_found.withheld
        raise refusal from not_found
    if not can_attend(patient, at):
        raise PatientNotActive
    return patient


def can_attend(patient: Patient, at: datetime) -> bool:
    """Whether the patient can be seen at that instant (`patients.rules.may_attend`)."""
    return may_attend(at, is_active=patient.is_active, died=patient.deceased_at, zone=availability.clinic_zone())


def _calling_doctor_id(by: Actor) -> UUID:
    if by.role != Role.DOCTOR or by.id is None:
        raise Invalid(field="doctor_id", issue="doctor_id is required unless the caller is a doctor.")
    return by.id


def _availability_of(doctor_id: UUID, new: NewAppointment) -> DoctorAvailability:
    """When the doctor can be booked around the time, for appointments of this type. Raises Invalid."""
    doctor_availability = availability.for_doctor(
        doctor_id,
        start=new.scheduled_time,
        end=new.scheduled_time + timedelta(minutes=rules.LONGEST),
        appointment_type=new.appointment_type,
    )
    if doctor_availability is None:
        raise Invalid(field="doctor_id", issue="There is no such doctor here.")
    return doctor_availability


def _new_row(
    by: Actor, patient: Patient, doctor_id: UUID, new: NewAppointment, doctor_availability: DoctorAvailability
) -> Appointment:
    minutes = new.duration_minutes or doctor_availability.minutes
    return Appointment(
        patient=patient,
        doctor_id=doctor_id,
        room_id=room_to_use(new.room_id),
        series_id=new.series_id,
        appointment_type=new.appointment_type,
        status=new.status,
        scheduled_time=new.scheduled_time,
        duration_minutes=minutes,
        ends_at=new.scheduled_time + timedelta(minutes=minutes),
        notes=new.notes,
        booked_by_id=by.id,
        overbook_reason=new.overbook_reason,
        joins_care_team=charts.adds_to_care_team(by, patient.pk),
    )


def room_to_use(room_id: UUID | None) -> UUID | None:
    """Returns the room's id if the room is in use. Raises Invalid."""
    if room_id is not None and not Room.objects.filter(pk=room_id, is_active=True).exists():
        raise Invalid(field="room_id", issue="There is no such room in use.")
    return room_id


def _claim(by: Actor, row: Appointment, doctor_availability: DoctorAvailability) -> None:
    """Inserts the row. Raises SlotTaken, OverbookingFull."""
    for _ in range(max_attempts(row, doctor_availability)):
        if row.overbook_reason:
            take_seat(by, row, doctor_availability, row.overbook_reason)
        if sql.claim(row):
            row._state.adding = False
            return
        if taken := find_clash(row, doctor_availability):
            raise taken
    raise Unavailable("This time is being booked by others. Try again.")


def take_seat(by: Actor, row: Appointment, doctor_availability: DoctorAvailability, reason: str) -> None:
    """Gives the appointment an overbook seat of the doctor's day. Raises Forbidden, OverbookingFull."""
    if not by.has_permission(Permission.APPOINTMENT_OVERBOOK):
        raise OverbookingForbidden(field="overbook_reason")
    day = row.scheduled_time.astimezone(availability.clinic_zone()).date()
    row.overbook_reason, row.overbook_day = reason, day
    row.overbook_seat = free_seat(row, doctor_availability)


def free_seat(row: Appointment, doctor_availability: DoctorAvailability) -> int:
    """Returns the lowest free overbook seat of the day with this doctor. Raises OverbookingFull."""
    others = Appointment.objects.live().filter(doctor=row.doctor_id, overbook_day=row.overbook_day).exclude(pk=row.pk)
    taken = set(others.values_list("overbook_seat", flat=True))
    seat = next((seat for seat in range(1, doctor_availability.overbook_per_day + 1) if seat not in taken), None)
    if seat is None:
        raise OverbookingFull(overbook_per_day=doctor_availability.overbook_per_day)
    return seat


def max_attempts(row: Appointment, doctor_availability: DoctorAvailability) -> int:
    """Returns how often a write is tried. Other bookings may take each overbook seat of the day before this one, until the day is
    full."""
    return MIN_ATTEMPTS + (doctor_availability.overbook_per_day if row.overbook_reason else 0)


def find_clash(row: Appointment, doctor_availability: DoctorAvailability) -> SlotTaken | None:
    """Returns why the appointment cannot take its time, with free times instead; None if nothing conflicts now."""
    overlap = Q(patient=row.patient_id)
    if row.overbook_seat is None:
        overlap |= Q(doctor=row.doctor_id, overbook_seat=None)
        overlap |= Q(room=row.room_id, overbook_seat=None) if row.room_id else Q()
    others = Appointment.objects.live().filter(overlap, scheduled_time__lt=row.ends_at, ends_at__gt=row.scheduled_time)
    overlapping = list(others.exclude(pk=row.pk).values("doctor_id", "patient_id", "room_id", "overbook_seat"))
    if not overlapping:
        return None
    free = availability.alternatives(
        doctor_availability,
        doctor_id=row.doctor_id,
        patient_id=row.patient_id,
        room_id=row.room_id,
        minutes=row.duration_minutes,
        after=row.scheduled_time,
    )
    taken = _taken_parties(row, overlapping)
    return SlotTaken(
        f"{_taken_message(taken)} already booked at that time.",
        taken=taken,
        alternatives=[
            {"doctor_id": row.doctor_id, "scheduled_time": span.start, "duration_minutes": row.duration_minutes} for span in free
        ],
    )


def _taken_parties(row: Appointment, clashes: Sequence[Any]) -> list[str]:
    regular = [clash for clash in clashes if clash["overbook_seat"] is None and row.overbook_seat is None]
    taken = ["doctor"] if any(clash["doctor_id"] == row.doctor_id for clash in regular) else []
    taken += ["patient"] if any(clash["patient_id"] == row.patient_id for clash in clashes) else []
    return taken + (["room"] if row.room_id and any(clash["room_id"] == row.room_id for clash in regular) else [])


def _taken_message(taken: Sequence[str]) -> str:
    """Returns "The doctor is" for one, "The doctor, the patient and the room are" for several."""
    named = [f"the {who}" for who in taken]
    *others, last = named
    return f"{', '.join(others)} and {last} are".capitalize() if others else f"{last} is".capitalize()


def booked_event(row: Appointment, *, with_series: bool) -> AppointmentBooked:
    return AppointmentBooked(
        appointment_id=row.pk,
        patient_id=row.patient_id,
        doctor_id=row.doctor_id,
        scheduled_time=row.scheduled_time,
        status=row.status,
        with_series=with_series,
    )


def booking_warnings(doctor_availability: DoctorAvailability, span: TimeSpan) -> tuple[BookingWarning, ...]:
    """Returns remarks about an unusual time, for the user who booked it."""
    warnings = []
    if span.start < clock.now():
        warnings.append(BookingWarning("in_the_past", "The appointment is in the past and was recorded as such."))
    if doctor_availability.is_off(span):
        warnings.append(BookingWarning("doctor_time_off", "The doctor is away at that time."))
    elif not doctor_availability.is_open(span):
        warnings.append(BookingWarning("outside_hours", "The time is outside the doctor's published hours."))
    return tuple(warnings)


def span_of(row: Appointment) -> TimeSpan:
    """Returns the time of the appointment."""
    return TimeSpan(row.scheduled_time, row.ends_at)
