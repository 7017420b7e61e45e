"""Where an absent doctor's visits could go: looked up in few statements, decided visit by visit, nothing written.

A visit keeps its time where the other doctor is free then. Those visits are placed first, so that nobody is sent away for
somebody who had to be moved in time anyway; the others get, in order of their times, the next time at which doctor and patient
are free.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from apps.appointments import openings, rules
from apps.appointments.models import Appointment
from apps.appointments.openings import Practice
from apps.appointments.rules import Span


class Because(StrEnum):
    """Why a visit finds no place, or stays where it is."""

    NO_HOURS = "doctor_has_no_hours"
    NO_FREE_TIME = "no_free_time_within_60_days"
    TAKEN_MEANWHILE = "taken_meanwhile"
    CHANGED_SINCE = "changed_since"
    OLD_PLACE_TAKEN = "old_place_taken"
    OLD_PLACE_CLOSED = "old_place_closed"
    PATIENT_NOT_ACTIVE = "patient_not_active"


@dataclass(frozen=True, slots=True)
class Place:
    """With whom, when and where."""

    doctor_id: UUID
    scheduled_time: datetime
    room_id: UUID | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """One visit: where it stands, where it would go, or why it cannot."""

    visit: Appointment
    stands: Place
    goes: Place | None = None
    because: Because | None = None


class _Diary:
    """Who is busy when: the doctor the visits go to, their patients, their rooms; kept up as visits are placed."""

    def __init__(
        self, doctor_id: UUID, practice: Practice, visits: Sequence[Appointment], start: datetime, end: datetime
    ) -> None:
        zone = openings.clinic_zone()
        self.doctor_id, self.practice, self.end = doctor_id, practice, end
        self.hours = rules.open_spans(practice.hours, rules.days_between(start, end, zone), zone)
        self._doctor = openings.taken(doctor_id, start, end)
        self._patients: dict[UUID, dict[UUID, Span]] = {}
        self._rooms: dict[UUID, dict[UUID, Span]] = {}
        people, rooms = {row.patient_id for row in visits}, {row.room_id for row in visits if row.room_id}
        around = Appointment.objects.live().filter(scheduled_time__lt=end, ends_at__gt=start).order_by()
        for pk, patient, since, until in around.filter(patient__in=people).values_list(
            "pk", "patient", "scheduled_time", "ends_at"
        ):
            self._patients.setdefault(patient, {})[pk] = Span(since, until)
        in_rooms = around.filter(room__in=rooms, overbook_seat=None) if rooms else around.none()
        for pk, room, since, until in in_rooms.values_list("pk", "room", "scheduled_time", "ends_at"):
            self._rooms.setdefault(room, {})[pk] = Span(since, until)

    def busy(self, visit: Appointment) -> list[Span]:
        """When the doctor is away or with somebody, or the patient elsewhere; in order."""
        elsewhere = [span for pk, span in self._patients.get(visit.patient_id, {}).items() if pk != visit.pk]
        return sorted([*self._doctor, *elsewhere, *self.practice.off], key=lambda span: span.start)

    def room_at(self, visit: Appointment, span: Span) -> UUID | None:
        """The visit's room where it is free then; else none."""
        others = (busy for pk, busy in self._rooms.get(visit.room_id, {}).items() if pk != visit.pk) if visit.room_id else ()
        return None if any(busy.overlaps(span) for busy in others) else visit.room_id

    def put(self, visit: Appointment, span: Span, room_id: UUID | None) -> None:
        """The visit stands there from now on."""
        self._doctor.append(span)
        self._patients.setdefault(visit.patient_id, {})[visit.pk] = span
        if visit.room_id:
            self._rooms.get(visit.room_id, {}).pop(visit.pk, None)
        if room_id:
            self._rooms.setdefault(room_id, {})[visit.pk] = span


def proposals(
    visits: Sequence[Appointment], *, doctor_id: UUID, practice: Practice, since: datetime, keep_time: bool
) -> list[Proposal]:
    """What would become of each visit with this doctor, in the order in which they must be moved; times from `since` on.

    `practice` reaches from `since` to the last visit and sixty days more. `keep_time`: their own times are tried first. Visits
    of patients who are inactive or deceased stay where they are.
    """
    gone = [row for row in visits if not row.patient.is_active or row.patient.deceased_at]
    unmoved = [Proposal(row, stands(row), because=Because.PATIENT_NOT_ACTIVE) for row in gone]
    visits = [row for row in visits if row not in gone]
    if not visits:
        return unmoved
    start = min(since, visits[0].scheduled_time)
    end = until(since, visits)
    diary = _Diary(doctor_id, practice, visits, start, end)
    first = list(_at_their_time(visits, diary)) if keep_time else []
    placed = {one.visit.pk for one in first}
    return first + [_later(row, diary, since) for row in visits if row.pk not in placed] + unmoved


def until(since: datetime, visits: Sequence[Appointment]) -> datetime:
    """How far a place is looked for."""
    return max(since, visits[-1].scheduled_time) + rules.SPREAD if visits else since + rules.SPREAD


def _at_their_time(visits: Iterable[Appointment], diary: _Diary) -> Iterator[Proposal]:
    for row in visits:
        span = Span(row.scheduled_time, row.ends_at)
        if diary.practice.is_open(span) and not any(one.overlaps(span) for one in diary.busy(row)):
            yield _put(row, diary, span)


def _later(row: Appointment, diary: _Diary, since: datetime) -> Proposal:
    free = rules.slots(
        diary.hours,
        diary.busy(row),
        minutes=row.duration_minutes,
        grid=diary.practice.slot_minutes,
        start=max(since, row.scheduled_time),
        end=diary.end,
    )
    found = next(free, None)
    if found is None:
        return Proposal(row, stands(row), because=Because.NO_FREE_TIME if diary.hours else Because.NO_HOURS)
    return _put(row, diary, found)


def _put(row: Appointment, diary: _Diary, span: Span) -> Proposal:
    room_id = diary.room_at(row, span)
    diary.put(row, span, room_id)
    return Proposal(row, stands(row), Place(diary.doctor_id, span.start, room_id))


def stands(row: Appointment) -> Place:
    """Where the visit is now."""
    return Place(row.doctor_id, row.scheduled_time, row.room_id)


def line(one: Proposal) -> str:
    """What the plan says of one visit, so that two plans can be compared."""
    return " ".join([str(one.visit.pk), *_words(one.stands), *(_words(one.goes) if one.goes else [str(one.because)])])


def mark(lines: Iterable[str]) -> str:
    """Tells one plan from another: 64 hex digits of its lines, in any order."""
    return hashlib.sha256("\n".join(sorted(set(lines))).encode()).hexdigest()


def _words(place: Place) -> list[str]:
    return [str(place.doctor_id), place.scheduled_time.astimezone(UTC).isoformat(), str(place.room_id or "-")]


def unplaced(one: Proposal, because: Because) -> Proposal:
    """The proposal, come to nothing."""
    return replace(one, goes=None, because=because)


LONGEST_RANGE = timedelta(days=rules.FURTHEST_DAYS)
