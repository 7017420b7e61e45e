"""Booking: a visit is put into the diary, or refused with times that are free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.access.roles import Role
from apps.appointments import openings, rules
from apps.appointments.events import AppointmentBooked
from apps.appointments.models import Appointment, Room, VisitType
from apps.appointments.openings import Practice
from apps.appointments.rules import Span, Status
from apps.appointments.services import team
from apps.common import clock, prepared
from apps.common.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from apps.events.services import emit
from apps.patients import selectors as patients
from apps.patients import services as charts
from apps.patients.models import Patient
from apps.patients.rules import may_attend

TRIES = 5  # a visit that stood in the way may have gone when we look who it was


class SlotTaken(Conflict):
    """Somebody is taken at that time: `details.taken` says who (doctor, patient, room), `details.alternatives` when instead."""

    message = "The doctor is already booked at that time."


class OverbookingFull(Conflict):
    message = "This doctor's day has no seat left for overbooked visits."


class PatientNotActive(Conflict):
    """The record is inactive, or the appointment does not lie before the patient's death."""

    reason = "patient_not_active"
    message = "The patient is inactive or deceased. Appointments can only be cancelled, or entered for a time before the death."


@dataclass(frozen=True, kw_only=True)
class NewVisit:
    """What is asked for. Without a doctor it is the caller, if one; without a length the doctor's own for that type of visit."""

    patient_id: UUID
    scheduled_time: datetime
    doctor_id: UUID | None = None
    appointment_type: str = VisitType.CONSULTATION.value
    duration_minutes: int | None = None
    notes: str = ""
    room_id: UUID | None = None
    overbook_reason: str = ""
    status: str = Status.SCHEDULED.value
    series_id: UUID | None = None


@dataclass(frozen=True)
class Caution:
    """What does not stop a booking and should be known."""

    code: str
    message: str


@dataclass(frozen=True)
class Booked:
    appointment: Appointment
    warnings: tuple[Caution, ...] = ()


_COLUMNS = [str(field.column) for field in Appointment._meta.concrete_fields]
# One statement: the visit, and the first line of its history. A clash is no error: the row is simply not there, and nobody waits
# in a circle (an INSERT that fails on the constraint does, when many want one doctor).
_CLAIM = f"""
WITH booked AS (
    INSERT INTO appointments_appointment ({", ".join(_COLUMNS)}) VALUES ({", ".join(["%s"] * len(_COLUMNS))})
    ON CONFLICT DO NOTHING RETURNING id, status, created_at, booked_by_id)
INSERT INTO appointments_statuschange (appointment_id, from_status, to_status, at, by_id, reason)
SELECT id, '', status, created_at, booked_by_id, '' FROM booked
"""


@transaction.atomic
def book(*, by: Actor, visit: NewVisit) -> Booked:
    """Put the patient in the doctor's diary; the exclusion constraints have the last word.

    Raises Invalid (patient, doctor or room unknown, field named), Forbidden for overbooking without the right, SlotTaken,
    OverbookingFull, PatientNotActive.
    """
    patient = patient_to_book(by, visit.patient_id, at=visit.scheduled_time)
    doctor_id = visit.doctor_id or _oneself(by)
    found = openings.practice(
        doctor_id,
        start=visit.scheduled_time,
        end=visit.scheduled_time + timedelta(minutes=rules.LONGEST),
        appointment_type=visit.appointment_type,
    )
    if found is None:
        raise Invalid(field="doctor_id", issue="There is no such doctor here.")
    row = _drafted(by, patient, doctor_id, visit, found)
    _claim(by, row, found)
    team.join(by, row)
    emit(booked(row), by=by)
    return Booked(row, cautions(found, span_of(row)))


def patient_to_book(by: Actor, patient_id: UUID, *, at: datetime) -> Patient:
    """The patient's row, held. Raises Invalid naming patient_id, and PatientNotActive where the patient is inactive or, at the
    time of the appointment, deceased: what happened before a death can still be entered."""
    try:
        patient = patients.locked(by, patient_id)
    except NotFound as nobody:
        refusal = Invalid(field="patient_id", issue="There is no such patient.")
        refusal.withheld = nobody.withheld
        raise refusal from nobody
    if not can_attend(patient, at):
        raise PatientNotActive
    return patient


def can_attend(patient: Patient, at: datetime) -> bool:
    """Whether the patient can be seen at that instant (`patients.rules.may_attend`)."""
    return may_attend(at, is_active=patient.is_active, died=patient.deceased_at, zone=openings.clinic_zone())


def span_of(row: Appointment) -> Span:
    """When the visit takes place."""
    return Span(row.scheduled_time, row.ends_at)


def booked(row: Appointment) -> AppointmentBooked:
    return AppointmentBooked(
        appointment_id=row.pk,
        patient_id=row.patient_id,
        doctor_id=row.doctor_id,
        scheduled_time=row.scheduled_time,
        status=row.status,
    )


def cautions(found: Practice, asked: Span) -> tuple[Caution, ...]:
    """What is unusual about a time, for whoever books it on purpose."""
    told = []
    if asked.start < clock.now():
        told.append(Caution("in_the_past", "The visit lies in the past: taken as entered afterwards."))
    if found.is_off(asked):
        told.append(Caution("doctor_time_off", "The doctor is away at that time."))
    elif not found.is_open(asked):
        told.append(Caution("outside_hours", "The time lies outside the doctor's published hours."))
    return tuple(told)


def room_to_use(room_id: UUID | None) -> UUID | None:
    """The room, checked. Raises Invalid."""
    if room_id is not None and not Room.objects.filter(pk=room_id, is_active=True).exists():
        raise Invalid(field="room_id", issue="There is no such room in use.")
    return room_id


def take_seat(by: Actor, row: Appointment, found: Practice, reason: str) -> None:
    """Give the visit a seat of the doctor's day, on purpose. Raises Forbidden, OverbookingFull."""
    if not by.may(Permission.APPOINTMENT_OVERBOOK):
        raise Forbidden("Only administrators and receptionists overbook.", field="overbook_reason")
    day = row.scheduled_time.astimezone(openings.clinic_zone()).date()
    row.overbook_reason, row.overbook_day = reason, day
    row.overbook_seat = free_seat(row, found)


def free_seat(row: Appointment, found: Practice) -> int:
    """The lowest free seat of the visit's day with its doctor. Raises OverbookingFull."""
    others = Appointment.objects.live().filter(doctor=row.doctor_id, overbook_day=row.overbook_day).exclude(pk=row.pk)
    held = set(others.values_list("overbook_seat", flat=True))
    seat = next((seat for seat in range(1, found.overbook_per_day + 1) if seat not in held), None)
    if seat is None:
        raise OverbookingFull(overbook_per_day=found.overbook_per_day)
    return seat


def tries(row: Appointment, found: Practice) -> int:
    """How often a write is tried. An overbooked visit may lose every seat of the day to another, one at a time, before it is
    known that the day is full."""
    return TRIES + (found.overbook_per_day if row.overbook_reason else 0)


def clash(row: Appointment, found: Practice) -> SlotTaken | None:
    """Why the visit cannot stand where it was to stand, with what is free instead; None where nothing is in its way now."""
    here = Q(patient=row.patient_id)
    if row.overbook_seat is None:
        here |= Q(doctor=row.doctor_id, overbook_seat=None)
        here |= Q(room=row.room_id, overbook_seat=None) if row.room_id else Q()
    others = Appointment.objects.live().filter(here, scheduled_time__lt=row.ends_at, ends_at__gt=row.scheduled_time)
    clashes = list(others.exclude(pk=row.pk).values("doctor_id", "patient_id", "room_id", "overbook_seat"))
    if not clashes:
        return None
    free = openings.alternatives(
        found,
        doctor_id=row.doctor_id,
        patient_id=row.patient_id,
        room_id=row.room_id,
        minutes=row.duration_minutes,
        after=row.scheduled_time,
    )
    taken = _who(row, clashes)
    return SlotTaken(
        f"{_told(taken)} already booked at that time.",
        taken=taken,
        alternatives=[
            {"doctor_id": row.doctor_id, "scheduled_time": span.start, "duration_minutes": row.duration_minutes} for span in free
        ],
    )


def _who(row: Appointment, clashes: Sequence[Any]) -> list[str]:
    regular = [clash for clash in clashes if clash["overbook_seat"] is None and row.overbook_seat is None]
    told = ["doctor"] if any(clash["doctor_id"] == row.doctor_id for clash in regular) else []
    told += ["patient"] if any(clash["patient_id"] == row.patient_id for clash in clashes) else []
    return told + (["room"] if row.room_id and any(clash["room_id"] == row.room_id for clash in regular) else [])


def _told(taken: Sequence[str]) -> str:
    """Of one "The doctor is", of several "The doctor, the patient and the room are"."""
    named = [f"the {who}" for who in taken]
    *others, last = named
    return f"{', '.join(others)} and {last} are".capitalize() if others else f"{last} is".capitalize()


def _oneself(by: Actor) -> UUID:
    if by.role != Role.DOCTOR or by.id is None:
        raise Invalid(field="doctor_id", issue="Say with which doctor: you are none yourself.")
    return by.id


def _drafted(by: Actor, patient: Patient, doctor_id: UUID, visit: NewVisit, found: Practice) -> Appointment:
    minutes = visit.duration_minutes or found.minutes
    return Appointment(
        patient=patient,
        doctor_id=doctor_id,
        room_id=room_to_use(visit.room_id),
        series_id=visit.series_id,
        appointment_type=visit.appointment_type,
        status=visit.status,
        scheduled_time=visit.scheduled_time,
        duration_minutes=minutes,
        ends_at=visit.scheduled_time + timedelta(minutes=minutes),
        notes=visit.notes,
        booked_by_id=by.id,
        overbook_reason=visit.overbook_reason,
        joins_care_team=charts.adds_to_care_team(by, patient.pk),
    )


def _claim(by: Actor, row: Appointment, found: Practice) -> None:
    """Insert the row. Raises SlotTaken, OverbookingFull."""
    for _ in range(tries(row, found)):
        if row.overbook_reason:
            take_seat(by, row, found, row.overbook_reason)
        with prepared.cursor() as cursor:
            cursor.execute(_CLAIM, [getattr(row, field.attname) for field in Appointment._meta.concrete_fields])
            if cursor.rowcount:
                row._state.adding = False
                return
        if taken := clash(row, found):
            raise taken
    raise Unavailable("The slot changes hands again and again right now.")
