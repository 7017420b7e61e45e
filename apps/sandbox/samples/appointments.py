"""The sample schedule: three doctors' weeks, rooms, and a fortnight of appointments around the day of creation.

Generated at each reset, the same on every machine on that day. The past ones are completed, cancelled or missed; now each doctor
is with a patient and two others wait; future ones are booked, confirmed or requested. The day of creation is a busy one, on
weekends too, so that there is something to show on each day of the week.
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
from apps.sandbox.samples.office_hours import within_office_hours
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
_SHARES, _SHARES_TODAY = (0.28, 0.28), (0.65, 0.3)  # of the quarters of an hour, before and after noon, with an appointment
_PAST_TODAY = ("completed", "no_show", *("completed",) * 5, "cancelled", *("completed",) * 5)
_AHEAD_TODAY = ("confirmed", "scheduled", "confirmed", "confirmed", "requested", "scheduled", "confirmed", "scheduled")
_TAKEN_NOW = timedelta(minutes=45)  # the ongoing appointment and those of the two waiting patients
_WAITS = {"dr.smith": (31, 12), "dr.patel": (24, 7), "dr.lee": (17, 5)}  # minutes, of the two waiting patients
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
    today = now.astimezone(availability.clinic_zone()).date()
    random = Random(f"diary of {today}")  # noqa: S311  # a sample, not a secret
    calendars = [
        _DoctorCalendar(random, now, doctor, fixed_id(f"room.{number}"), [*people.of(doctor)])
        for number, doctor in enumerate(DOCTORS)
    ]
    visits = [*_reference_appointments(now, today)]
    for day in (today + offset * _DAY for offset in range(-DAYS_AROUND, DAYS_AROUND + 1)):
        booked: set[UUID] = set()  # a patient has one appointment a day
        for calendar in calendars:
            if calendar.people:
                visits += calendar.of_today(booked) if day == today else calendar.of(day, booked)
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
        self.number = DOCTORS.index(doctor)

    def of(self, day: date, booked: set[UUID]) -> Iterator[ImportedAppointment]:
        """Returns the appointments of a working day: about one in four quarters of an hour; none at weekends."""
        if day.weekday() < 5:
            for at, minutes, kind in self._slots(day, _SHARES):
                yield self.visit(at, minutes, kind, self.status_steps(at, minutes), booked=booked)

    def of_today(self, booked: set[UUID]) -> Iterator[ImportedAppointment]:
        """Returns the ongoing appointment, two waiting patients, and the others of today in a fixed mixture of states."""
        start = self._start_of_ongoing()
        yield from self.ongoing_and_waiting(start, booked)
        past, ahead = self.number, self.number  # each doctor's mixture begins at another place
        today = self.now.astimezone(availability.clinic_zone()).date()
        for at, minutes, kind in self._slots(today, _SHARES_TODAY):
            if at + minutes * _MINUTE <= start:
                steps, past = self.past_steps(at, minutes, _PAST_TODAY[past % len(_PAST_TODAY)]), past + 1
            elif at > self.now and at >= start + _TAKEN_NOW:
                steps, ahead = self.future_steps(at, _AHEAD_TODAY[ahead % len(_AHEAD_TODAY)]), ahead + 1
            else:
                continue
            yield self.visit(at, minutes, kind, steps, booked=booked)

    def _slots(self, day: date, shares: tuple[float, float]) -> Iterator[tuple[datetime, int, str]]:
        """Returns time, length and type of so many of the day's quarters of an hour."""
        at, noon, end = (rules.instant(day, edge, availability.clinic_zone()) for edge in (_HOURS[0], time(12), _HOURS[1]))
        while at < end:
            kind = self.random.choice(("consultation",) * 4 + ("follow_up",) * 4 + ("procedure", "vaccination", "telehealth"))
            minutes = _LENGTHS.get(kind, 15)
            if at + minutes * _MINUTE <= end and self.random.random() < shares[at >= noon]:
                yield at, minutes, kind
                at += -(-minutes // 15) * 15 * _MINUTE
            else:
                at += 15 * _MINUTE

    def _is_open_now(self) -> bool:
        return _HOURS[0] <= self.now.astimezone(availability.clinic_zone()).time() < _HOURS[1]

    def _start_of_ongoing(self) -> datetime:
        """Returns the quarter of an hour that began five to twenty minutes ago; out of hours the five minutes ten ago."""
        back = (self.now.minute - 5) % 15 + 5 if self._is_open_now() else self.now.minute % 5 + 10
        return self.now.replace(second=0, microsecond=0) - back * _MINUTE

    def ongoing_and_waiting(self, start: datetime, booked: set[UUID]) -> Iterator[ImportedAppointment]:
        """Returns the ongoing appointment and two waiting patients; outside of hours these are emergencies."""
        kind = "consultation" if self._is_open_now() else "emergency"
        arrived = min(start, self.now) - (12 + self.number) * _MINUTE
        started = [self.booked(start), ImportedStatus(status="checked_in", at=arrived, by_id=ID_OF["reception.kim"])]
        started.append(ImportedStatus(status="in_progress", at=start, by_id=ID_OF[self.doctor]))
        ongoing = self.visit(start, 15, kind, started, token=3 * self.number + 1, booked=booked)
        yield replace(ongoing, id=fixed_id(ONGOING)) if self.doctor == DOCTORS[0] else ongoing
        for place, wait in enumerate(_WAITS[self.doctor], start=1):
            at, since = start + 15 * place * _MINUTE, self.now - wait * _MINUTE
            waits = [self.booked(min(at, since)), ImportedStatus(status="checked_in", at=since, by_id=ID_OF["reception.kim"])]
            urgent = place == 2 and self.number == 0
            yield self.visit(at, 15, kind, waits, token=3 * self.number + 1 + place, urgent=urgent, booked=booked)

    def status_steps(self, at: datetime, minutes: int) -> list[ImportedStatus]:
        """Returns the status changes of an appointment of another day up to now."""
        chance = self.random.random()
        if at > self.now:
            to = "requested" if chance < 0.06 else "cancelled" if chance < 0.12 else "confirmed" if chance < 0.5 else "scheduled"
            return self.future_steps(at, to)
        return self.past_steps(at, minutes, "cancelled" if chance < 0.08 else "no_show" if chance < 0.16 else "completed")

    def future_steps(self, at: datetime, to: str) -> list[ImportedStatus]:
        """Returns the status changes of an appointment that is still to come."""
        steps = [self.booked(at)]
        if to == "requested":
            return [ImportedStatus(status="requested", at=steps[0].at, by_id=ID_OF["reception.kim"])]
        if to == "cancelled":
            return [*steps, self.at_desk(to, max(steps[0].at, self.now - 5 * 60 * _MINUTE))]
        return [*steps, self.at_desk(to, self.now - 90 * _MINUTE)] if to == "confirmed" else steps

    def past_steps(self, at: datetime, minutes: int, to: str) -> list[ImportedStatus]:
        """Returns the status changes of an appointment whose time has passed."""
        steps = [self.booked(at)]
        if to == "cancelled":
            return [*steps, self.at_desk(to, at - 20 * 60 * _MINUTE)]
        if to == "no_show":
            return [*steps, self.step(to, min(at + 20 * _MINUTE, self.now), "reception.kim")]
        started = at + self.random.randint(0, min(14, minutes)) * _MINUTE
        completed = min(started + self.random.randint(8, minutes + 8) * _MINUTE, self.now)
        arrived = self.step("checked_in", at - self.random.randint(2, 18) * _MINUTE, "reception.kim")
        started = min(started, completed)
        return [*steps, arrived, self.step("in_progress", started, self.doctor), self.step("completed", completed, self.doctor)]

    def booked(self, at: datetime) -> ImportedStatus:
        return self.at_desk("scheduled", min(at, self.now) - self.random.randint(1, 20) * _DAY)

    def at_desk(self, status: str, at: datetime) -> ImportedStatus:
        """Returns a step that reception takes, moved into office hours."""
        return self.step(status, within_office_hours(at), "reception.kim")

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
        booked: set[UUID] | None = None,
    ) -> ImportedAppointment:
        """Returns the appointment of a patient who is not in `booked` yet, and adds the patient to it."""
        booked = set() if booked is None else booked
        patient_id = self.random.choice([one for one in self.people if one not in booked] or self.people)
        booked.add(patient_id)
        return ImportedAppointment(
            id=fixed_id(f"visit.{self.doctor}.{at:%Y-%m-%dT%H:%M}"),
            patient_id=patient_id,
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
        for offset, hour in ((-DAYS_AROUND, 10), (DAYS_AROUND, 16)):
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
    """Removes appointments that would put a person in two places. The first of the list stays."""
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
