"""Where today's doctors are: here and how late, away, not here yet, or finished."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import Q

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.accounts.models import Doctor
from apps.appointments import rules
from apps.appointments.models import WorkingHours
from apps.appointments.queue import day as days
from apps.appointments.queue import estimates
from apps.appointments.queue.board import QueueEntry
from apps.appointments.rules import Status, TimeSpan
from apps.appointments.scheduling import availability, doctor_hours
from apps.common import clock


class Presence(StrEnum):
    HERE = "here"
    AWAY = "away"
    LATER = "later"
    FINISHED = "finished"


@dataclass(frozen=True)
class DoctorNow:
    """A doctor who works today. `at` is when the doctor is back, begins or finished; None while the doctor is here."""

    doctor: Doctor
    presence: Presence
    minutes_late: int = 0
    room: str = ""
    at: datetime | None = None


def doctors_now(by: Actor, entries: Sequence[QueueEntry]) -> list[DoctorNow]:
    """Returns the doctors who work today or whose patients wait, by name. `entries` is the queue. Four statements."""
    now, doctors = clock.now(), list(accounts.doctors(visible_to=by))
    today, ids = clock.today(), [doctor.pk for doctor in doctors]
    span, late, rooms, seeing = days.span_of(today), minutes_late(entries), rooms_today(ids), _rooms_of_patients(entries)
    hours, off = doctor_hours.hours_of(ids), doctor_hours.time_off_of(ids, span.start, span.end)
    shown = []
    for doctor in doctors:
        spans = rules.open_spans(hours.get(doctor.pk, []), [today], availability.clinic_zone())
        if not spans and doctor.pk not in seeing:
            continue
        presence, at = presence_at(now, spans, off.get(doctor.pk, []), has_patients=doctor.pk in seeing)
        is_here = presence is Presence.HERE
        shown.append(
            DoctorNow(
                doctor, presence, late.get(doctor.pk, 0) if is_here else 0, rooms.get(doctor.pk) or seeing.get(doctor.pk, ""), at
            )
        )
    return shown


def minutes_late(entries: Iterable[QueueEntry]) -> dict[UUID, int]:
    """Returns how late each doctor is: the minutes from the time at which the doctor's next patient is due, and present, to the
    estimated start. Doctors without waiting patients are left out."""
    late: dict[UUID, int] = {}
    for entry in entries:
        row = entry.appointment
        if row.status != Status.CHECKED_IN or row.doctor_id in late or entry.estimated_start is None or entry.left_over:
            continue
        assert row.checked_in_at is not None  # a checked-in appointment has it
        due = max(row.scheduled_time, row.checked_in_at)
        late[row.doctor_id] = estimates.whole_minutes(entry.estimated_start - due)
    return late


def presence_at(
    now: datetime, spans: Sequence[TimeSpan], off: Iterable[TimeSpan], *, has_patients: bool
) -> tuple[Presence, datetime | None]:
    """Returns where a doctor with these hours and this time off is. A doctor with patients is here outside the hours too."""
    away = next((one for one in off if one.start <= now < one.end), None)
    if away:
        return Presence.AWAY, away.end
    if has_patients or any(one.start <= now < one.end for one in spans):
        return Presence.HERE, None
    coming = next((one.start for one in spans if one.start > now), None)
    if coming is None:
        return Presence.FINISHED, spans[-1].end
    has_begun = any(one.end <= now for one in spans)
    return (Presence.AWAY if has_begun else Presence.LATER), coming


def rooms_today(ids: Collection[UUID]) -> dict[UUID, str]:
    """Returns the room of the first of today's hours of each doctor that name one. One statement."""
    today = clock.today()
    rows = WorkingHours.objects.filter(schedule__in=ids, weekday=today.weekday(), room__isnull=False)
    rows = rows.filter(Q(valid_from=None) | Q(valid_from__lte=today), Q(valid_until=None) | Q(valid_until__gte=today))
    return dict(rows.order_by("-starts").values_list("schedule_id", "room__name"))  # of several, the earliest is read last


def _rooms_of_patients(entries: Iterable[QueueEntry]) -> dict[UUID, str]:
    """Returns the doctors with patients in the queue, with the first room of the appointments; empty if they have none."""
    rooms: dict[UUID, str] = {}
    for entry in entries:
        row = entry.appointment
        if not entry.left_over:
            doctor_id = row.attending_doctor_id or row.doctor_id
            rooms[doctor_id] = rooms.get(doctor_id) or (row.room.name if row.room else "")
    return rooms
