"""The sample schedule: three doctors' weeks, rooms, and a fortnight of appointments around the day of creation.

Generated at each reset, the same on every machine on that day. The past ones are completed, cancelled or missed; now each doctor
is with a patient and another patient waits; future ones are booked, confirmed or requested.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

from apps.access.actor import Actor
from apps.appointments import rules, services
from apps.appointments.models import Appointment, DoctorSchedule, Room
from apps.appointments.scheduling import availability
from apps.appointments.scheduling.recurrence import Rhythm
from apps.appointments.services import (
    DoctorAbsence,
    ImportedAppointment,
    ImportedStatus,
    NewAppointment,
    NewSchedule,
    NewSeries,
    NoPlaceFound,
    NothingToMove,
    WeeklyHours,
)
from apps.common import clock
from apps.patients.models import Patient
from apps.sandbox.samples.sample_ids import ONGOING, PAST, SAMPLE_IDS, UPCOMING, fixed_id
from apps.sandbox.samples.staff import ID_OF

DOCTORS = ("dr.smith", "dr.patel", "dr.lee")
SAMPLES = {"dr.smith": "patient_001", "dr.patel": "patient_003", "dr.lee": "patient_002"}
ROOMS = ("Room 1", "Room 2", "Room 3", "Treatment room")
DAYS_AROUND = 7
_HOURS = (time(9), time(17))
_LENGTHS = {"procedure": 45, "vaccination": 10}
_ADULT = 18
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_NOTES = {
    "consultation": ("Tired for some weeks", "Back pain after lifting", "Headaches", "Wants to talk about sleep", ""),
    "follow_up": ("Blood pressure check", "Results of last week", "Wound check", "New medicine: how is it going"),
    "procedure": ("Removal of a mole", "Joint injection"),
    "vaccination": ("Influenza", "Tetanus booster"),
    "telehealth": ("Prefers to talk by video",),
    "emergency": ("Walked in unwell",),
}
_WHY_CANCELLED = ("Patient requested cancellation", "Patient is better", "No transport")


@dataclass(frozen=True)
class PatientPool:
    """The patients of the doctors: children for the pediatrician, adults for the others."""

    adults: Sequence[UUID]
    children: Sequence[UUID]

    def of(self, doctor: str) -> Sequence[UUID]:
        return self.children if doctor == "dr.lee" else self.adults


def create_samples(by: Actor) -> int:
    """Publishes the weeks, creates the rooms, and fills the fortnight where there is no appointment yet. Returns the number of
    appointments."""
    for number, name in enumerate(ROOMS):
        Room.objects.get_or_create(pk=fixed_id(f"room.{number}"), defaults={"name": name, "location": "Ground floor"})
    for doctor in DOCTORS:
        if not DoctorSchedule.objects.filter(pk=ID_OF[doctor]).exists():
            hours = [WeeklyHours(weekday=weekday, starts=_HOURS[0], ends=_HOURS[1]) for weekday in range(5)]
            week = NewSchedule(hours=hours, visit_lengths=_LENGTHS)
            services.set_schedule(by=by, doctor_id=ID_OF[doctor], schedule=week)
    if Appointment.objects.exists():
        return 0
    all_patients = people()
    visits = services.import_records(by=by, visits=sample_appointments(clock.now(), all_patients)) + _create_series(
        by, all_patients
    )
    _create_absence(by)
    return visits


def _create_series(by: Actor, people: PatientPool) -> int:
    """Books a weekly series with dr.smith, from the week after this one. Returns the number of booked appointments."""
    if not people.adults:
        return 0
    first = NewAppointment(
        patient_id=people.adults[0],
        doctor_id=ID_OF["dr.smith"],
        scheduled_time=_at(DAYS_AROUND, time(11)),
        appointment_type="follow_up",
        notes="Wound check",
    )
    return len(services.book_series(by=by, new=NewSeries(first=first, rhythm=Rhythm(count=4))).appointments)


def _create_absence(by: Actor) -> None:
    """Makes dr.patel absent on one of the next days and reschedules the booked appointments."""
    start = _at(3, time(0))
    end = rules.instant(start.astimezone(availability.clinic_zone()).date() + _DAY, time(0), availability.clinic_zone())
    away = DoctorAbsence(doctor_id=ID_OF["dr.patel"], starts_at=start, ends_at=end)
    services.add_time_off(by=by, doctor_id=away.doctor_id, starts_at=start, ends_at=end, reason="Course")
    with suppress(NothingToMove, NoPlaceFound):  # the generated day may be empty
        services.bulk_reschedule(by=by, absence=away, reason="Course", notify_patient=False)


def _at(days: int, at: time) -> datetime:
    """Returns a time so many days from now, or on the Monday after."""
    day = clock.today() + days * _DAY
    return rules.instant(day + {5: 2, 6: 1}.get(day.weekday(), 0) * _DAY, at, availability.clinic_zone())


def sample_appointments(now: datetime, people: PatientPool) -> list[ImportedAppointment]:
    """Returns the appointments from a week ago to a week from now."""
    zone = availability.clinic_zone()
    today = now.astimezone(zone).date()
    random = Random(f"diary of {today}")  # noqa: S311  # a sample, not a secret
    visits: list[ImportedAppointment] = []
    for number, doctor in enumerate(DOCTORS):
        calendar = _DoctorCalendar(random, now, doctor, fixed_id(f"room.{number}"), [*people.of(doctor)])
        if calendar.people:
            for day in (today + offset * _DAY for offset in range(-DAYS_AROUND, DAYS_AROUND + 1)):
                visits += calendar.of(day)
            visits += calendar.ongoing_and_waiting(number)
    visits += _reference_appointments(now, today)
    return _without_conflicts(visits)


def people() -> PatientPool:
    """Returns the patients that the sandbox doctors can see."""
    today = clock.today()
    born = today.replace(year=today.year - _ADULT, day=min(today.day, 28))
    alive = Patient.objects.unmerged().filter(is_active=True, deceased_at=None, restricted=False)
    alive = alive.exclude(pk__in=SAMPLE_IDS.values()).order_by("seq")
    return PatientPool(
        adults=list(alive.filter(date_of_birth__lte=born).values_list("pk", flat=True)),
        children=list(alive.filter(date_of_birth__gt=born).values_list("pk", flat=True)),
    )


class _DoctorCalendar:
    """Generates one doctor's appointments."""

    def __init__(self, random: Random, now: datetime, doctor: str, room_id: UUID, people: list[UUID]) -> None:
        self.random, self.now, self.doctor, self.room_id, self.people = random, now, doctor, room_id, people

    def of(self, day: date) -> Iterator[ImportedAppointment]:
        """Returns the appointments of a working day: two out of five quarters of an hour, none at weekends. Ongoing ones are
        generated separately."""
        if day.weekday() > 4:
            return
        zone = availability.clinic_zone()
        at, end = (rules.instant(day, edge, zone) for edge in _HOURS)
        while at < end:
            kind = self.random.choice(("consultation",) * 4 + ("follow_up",) * 4 + ("procedure", "vaccination", "telehealth"))
            minutes = _LENGTHS.get(kind, 15)
            around_now = abs(at - self.now) < 50 * _MINUTE
            if at + minutes * _MINUTE <= end and not around_now and self.random.random() < 0.4:
                yield self.visit(at, minutes, kind, self.status_steps(at, minutes))
                at += -(-minutes // 15) * 15 * _MINUTE
            else:
                at += 15 * _MINUTE

    def ongoing_and_waiting(self, number: int) -> Iterator[ImportedAppointment]:
        """Returns one ongoing appointment and two waiting patients; outside of hours these are emergencies."""
        start = self.now.replace(second=0, microsecond=0) - timedelta(minutes=self.now.minute % 5 + 10)
        local = self.now.astimezone(availability.clinic_zone())
        in_hours = local.weekday() < 5 and _HOURS[0] <= local.time() < _HOURS[1]
        kind = "consultation" if in_hours else "emergency"
        checked_in = [start - wait * _MINUTE for wait in (12, 9, 4)]
        started = [self.booked(start), ImportedStatus(status="checked_in", at=checked_in[0], by_id=ID_OF["reception.kim"])]
        started.append(ImportedStatus(status="in_progress", at=start, by_id=ID_OF[self.doctor]))
        ongoing = self.visit(start, 20, kind, started, token=3 * number + 1)
        yield replace(ongoing, id=fixed_id(ONGOING)) if self.doctor == DOCTORS[0] else ongoing
        for place in (1, 2):
            at = start + 20 * place * _MINUTE
            waits = [self.booked(at), ImportedStatus(status="checked_in", at=checked_in[place], by_id=ID_OF["reception.kim"])]
            urgent = place == 2 and number == 0
            yield self.visit(at, 20, kind, waits, token=3 * number + 1 + place, urgent=urgent)

    def status_steps(self, at: datetime, minutes: int) -> list[ImportedStatus]:
        """Returns the status changes of an appointment of that time up to now."""
        steps, chance = [self.booked(at)], self.random.random()
        if at > self.now:
            if chance < 0.06:
                return [ImportedStatus(status="requested", at=steps[0].at, by_id=ID_OF["reception.kim"])]
            if chance < 0.12:
                return [*steps, self.step("cancelled", max(steps[0].at, self.now - 5 * 60 * _MINUTE), "reception.kim")]
            return [*steps, self.step("confirmed", self.now - 90 * _MINUTE, "reception.kim")] if chance < 0.5 else steps
        if chance < 0.08:
            return [*steps, self.step("cancelled", at - 20 * 60 * _MINUTE, "reception.kim")]
        if chance < 0.16:
            return [*steps, self.step("no_show", at + 20 * _MINUTE, "reception.kim")]
        started = at + self.random.randint(0, 14) * _MINUTE
        completed = started + self.random.randint(8, minutes + 8) * _MINUTE
        completed = min(completed, self.now)
        checked_in = self.step("checked_in", at - self.random.randint(2, 18) * _MINUTE, "reception.kim")
        return [
            *steps,
            checked_in,
            self.step("in_progress", started, self.doctor),
            self.step("completed", completed, self.doctor),
        ]

    def booked(self, at: datetime) -> ImportedStatus:
        return self.step("scheduled", min(at, self.now) - self.random.randint(1, 20) * _DAY, "reception.kim")

    def step(self, status: str, at: datetime, who: str) -> ImportedStatus:
        return ImportedStatus(status=status, at=at, by_id=ID_OF[who])

    def visit(
        self,
        at: datetime,
        minutes: int,
        kind: str,
        steps: Sequence[ImportedStatus],
        *,
        token: int | None = None,
        urgent: bool = False,
    ) -> ImportedAppointment:
        return ImportedAppointment(
            id=fixed_id(f"visit.{self.doctor}.{at:%Y-%m-%dT%H:%M}"),
            patient_id=self.random.choice(self.people),
            doctor_id=ID_OF[self.doctor],
            scheduled_time=at,
            duration_minutes=minutes,
            steps=steps,
            appointment_type=kind,
            room_id=None if kind == "telehealth" else self.room_id,
            notes=self.random.choice(_NOTES[kind]),
            queue_number=token,
            triage="urgent" if urgent else "routine",
            triage_reason="Short of breath" if urgent else "",
            cancellation_reason=self.random.choice(_WHY_CANCELLED),
        )


def _reference_appointments(now: datetime, today: date) -> Iterator[ImportedAppointment]:
    """Returns the appointments of the reference's three patients: a week or two ago, and in the future."""
    for number, doctor in enumerate(DOCTORS):
        calendar = _DoctorCalendar(Random(number), now, doctor, fixed_id(f"room.{number}"), [SAMPLE_IDS[SAMPLES[doctor]]])  # noqa: S311
        for offset, hour in ((-DAYS_AROUND, 8), (DAYS_AROUND, 17)):
            day = today + offset * _DAY
            day += {5: 2, 6: 1}.get(day.weekday(), 0) * (_DAY if offset > 0 else -_DAY)
            at = rules.instant(day, time(hour, 15 * number), availability.clinic_zone())
            steps = [calendar.booked(at)] if offset > 0 else _completed_steps(calendar, at)
            visit = calendar.visit(at, 15, "follow_up", steps)
            yield replace(visit, id=fixed_id(UPCOMING if offset > 0 else PAST)) if doctor == DOCTORS[0] else visit


def _completed_steps(calendar: _DoctorCalendar, at: datetime) -> list[ImportedStatus]:
    checked_in = calendar.step("checked_in", at - 9 * _MINUTE, "reception.kim")
    started, completed = (
        calendar.step("in_progress", at + 2 * _MINUTE, calendar.doctor),
        calendar.step("completed", at + 16 * _MINUTE, calendar.doctor),
    )
    return [calendar.booked(at), checked_in, started, completed]


def _without_conflicts(visits: Sequence[ImportedAppointment]) -> list[ImportedAppointment]:
    """Removes appointments that would put a person in two places; generated ones, not requested ones."""
    kept: list[ImportedAppointment] = []
    for visit in visits:
        span = rules.TimeSpan(visit.scheduled_time, visit.scheduled_time + visit.duration_minutes * _MINUTE)
        if not any(
            (visit.patient_id == other.patient_id or visit.doctor_id == other.doctor_id)
            and span.overlaps(rules.TimeSpan(other.scheduled_time, other.scheduled_time + other.duration_minutes * _MINUTE))
            for other in kept
        ):
            kept.append(visit)
    return kept
