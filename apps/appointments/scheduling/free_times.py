"""The free times that a user offers a patient: the first of one or of all doctors, and those nearest to an appointment.

The number of statements does not depend on the number of doctors. A time at which the patient is booked already is no free time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import nsmallest
from itertools import islice
from uuid import UUID

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.accounts.models import Doctor
from apps.appointments import rules
from apps.appointments.models import Appointment, AppointmentLength, DoctorSchedule
from apps.appointments.rules import Hours, TimeSpan
from apps.appointments.scheduling import availability, doctor_hours
from apps.common import clock

SHOWN = 6
_WINDOWS = (timedelta(days=2), timedelta(days=7), timedelta(days=30))  # tried in turn, until enough times are free
_LONGEST = timedelta(minutes=rules.LONGEST)
_AROUND = timedelta(days=14)


@dataclass(frozen=True)
class FreeTime:
    """A free time of a doctor."""

    doctor: Doctor
    span: TimeSpan


@dataclass(frozen=True)
class Wanted:
    """What the patient (None: not known yet) needs: the type and the length (None: the doctor's own for the type), and the doctor
    (None: any)."""

    patient_id: UUID | None = None
    doctor_id: UUID | None = None
    appointment_type: str = ""
    minutes: int | None = None


def first(by: Actor, wanted: Wanted, *, start: datetime, number: int = SHOWN) -> list[FreeTime]:
    """Returns the first free times from the instant on, the earliest first, within thirty days."""
    start, doctors = max(start, clock.now()), _doctors(by, wanted)
    free: list[FreeTime] = []
    for window in _WINDOWS:
        free = _first_of_each(doctors, wanted, start, start + window, number)
        if len(free) >= number:
            break
    return free[:number]


def next_of_each(by: Actor, *, number: int) -> list[FreeTime]:
    """Returns the next free time of each doctor within seven days, the earliest first, for a patient who is not known yet."""
    now, any_patient = clock.now(), Wanted()
    return _first_of_each(_doctors(by, any_patient), any_patient, now, now + timedelta(days=7), 1)[:number]


def nearest(by: Actor, row: Appointment, *, number: int = SHOWN) -> list[FreeTime]:
    """Returns the doctor's future free times that are nearest to the appointment's time, the earliest first."""
    wanted = Wanted(row.patient_id, row.doctor_id, row.appointment_type, row.duration_minutes)
    start = max(row.scheduled_time - _AROUND, clock.now())
    end = max(row.scheduled_time, start) + _AROUND
    free = _first_of_each(_doctors(by, wanted), wanted, start, end, None)
    near = nsmallest(number, free, key=lambda one: abs(one.span.start - row.scheduled_time))
    return sorted(near, key=lambda one: one.span.start)


def _doctors(by: Actor, wanted: Wanted) -> list[Doctor]:
    doctors = accounts.doctors(visible_to=by).filter(user__is_active=True).select_related("user")
    if wanted.doctor_id is not None:
        doctors = doctors.filter(pk=wanted.doctor_id)
    return list(doctors.order_by("user__last_name", "user__first_name", "pk"))


def _first_of_each(
    doctors: Sequence[Doctor], wanted: Wanted, start: datetime, end: datetime, number: int | None
) -> list[FreeTime]:
    """Returns the first free times of each of these doctors, all of them in order of time."""
    ids = [doctor.pk for doctor in doctors]
    hours, off, taken = doctor_hours.hours_of(ids), doctor_hours.time_off_of(ids, start, end), _taken(ids, wanted, start, end)
    grids = dict(DoctorSchedule.objects.filter(pk__in=ids).values_list("pk", "slot_minutes"))
    of_type = AppointmentLength.objects.filter(schedule__in=ids, appointment_type=wanted.appointment_type)
    lengths = dict(of_type.values_list("schedule_id", "minutes"))
    free: list[FreeTime] = []
    for doctor in doctors:
        grid = grids.get(doctor.pk, rules.SLOT_MINUTES)
        blocked = sorted([*taken.get(doctor.pk, []), *off.get(doctor.pk, [])], key=lambda span: span.start)
        minutes = wanted.minutes or lengths.get(doctor.pk, grid)
        spans = _slots(hours.get(doctor.pk, []), blocked, TimeSpan(start, end), minutes=minutes, grid=grid)
        free += [FreeTime(doctor, span) for span in islice(spans, number)]
    return sorted(free, key=lambda one: one.span.start)


def _slots(
    hours: Sequence[Hours], blocked: Sequence[TimeSpan], period: TimeSpan, *, minutes: int, grid: int
) -> Iterator[TimeSpan]:
    zone = availability.clinic_zone()
    days: Iterator[date] = rules.days_between(period.start, period.end, zone)
    spans = rules.open_spans(hours, days, zone)
    return rules.slots(spans, blocked, minutes=minutes, grid=grid, start=period.start, end=period.end)


def _taken(ids: Sequence[UUID], wanted: Wanted, start: datetime, end: datetime) -> dict[UUID, list[TimeSpan]]:
    """Returns for each doctor when the doctor or the patient is booked. Two statements, which read times only."""
    rows = Appointment.objects.live().filter(scheduled_time__gt=start - _LONGEST, scheduled_time__lt=end, ends_at__gt=start)
    of_patient = rows.filter(patient=wanted.patient_id) if wanted.patient_id else rows.none()
    own = [TimeSpan(*row) for row in of_patient.values_list("scheduled_time", "ends_at")]
    taken = {doctor_id: list(own) for doctor_id in ids}
    of_doctors = rows.filter(doctor__in=ids, overbook_seat=None).values_list("doctor_id", "scheduled_time", "ends_at")
    for doctor_id, begins, ends in of_doctors:
        taken[doctor_id].append(TimeSpan(begins, ends))
    return taken
