"""Plans where an absent doctor's appointments can move: reads in few statements, decides one by one, writes nothing.

An appointment keeps its time if the other doctor is free then. These appointments are placed first, so that none loses its time
to an appointment that had to change its time anyway. The others get, in order of their times, the next time at which doctor and
patient are free.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from apps.appointments import rules
from apps.appointments.models import Appointment
from apps.appointments.rules import AppointmentPlace, TimeSpan
from apps.appointments.scheduling import availability
from apps.appointments.scheduling.availability import DoctorAvailability


class UnplacedReason(StrEnum):
    """Why an appointment finds no place, or is not moved back."""

    NO_HOURS = "doctor_has_no_hours"
    NO_FREE_TIME = "no_free_time_within_60_days"
    TAKEN_MEANWHILE = "taken_meanwhile"
    CHANGED_SINCE = "changed_since"
    OLD_PLACE_TAKEN = "old_place_taken"
    OLD_PLACE_CLOSED = "old_place_closed"
    PATIENT_NOT_ACTIVE = "patient_not_active"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One appointment: its current place, and its new place or the reason why there is none."""

    appointment: Appointment
    before: AppointmentPlace
    after: AppointmentPlace | None = None
    because: UnplacedReason | None = None
    is_moved: bool = False

    @property
    def result(self) -> str:
        return "unplaced" if self.after is None else "moved" if self.is_moved else "planned"


class _BusyTimes:
    """The busy times of the new doctor, the patients and the rooms; updated as appointments are placed."""

    def __init__(
        self,
        doctor_id: UUID,
        doctor_availability: DoctorAvailability,
        visits: Sequence[Appointment],
        start: datetime,
        end: datetime,
    ) -> None:
        zone = availability.clinic_zone()
        self.doctor_id, self.doctor_availability, self.end = doctor_id, doctor_availability, end
        self.hours = rules.open_spans(doctor_availability.hours, rules.days_between(start, end, zone), zone)
        self._doctor = availability.taken(doctor_id, start, end)
        self._patients: dict[UUID, dict[UUID, TimeSpan]] = {}
        self._rooms: dict[UUID, dict[UUID, TimeSpan]] = {}
        people, rooms = {row.patient_id for row in visits}, {row.room_id for row in visits if row.room_id}
        around = Appointment.objects.live().filter(scheduled_time__lt=end, ends_at__gt=start).order_by()
        for pk, patient, since, until in around.filter(patient__in=people).values_list(
            "pk", "patient", "scheduled_time", "ends_at"
        ):
            self._patients.setdefault(patient, {})[pk] = TimeSpan(since, until)
        in_rooms = around.filter(room__in=rooms, overbook_seat=None) if rooms else around.none()
        for pk, room, since, until in in_rooms.values_list("pk", "room", "scheduled_time", "ends_at"):
            self._rooms.setdefault(room, {})[pk] = TimeSpan(since, until)

    def busy(self, visit: Appointment) -> list[TimeSpan]:
        """Returns when the doctor is away or booked, or the patient has another appointment; in order."""
        elsewhere = [span for pk, span in self._patients.get(visit.patient_id, {}).items() if pk != visit.pk]
        return sorted([*self._doctor, *elsewhere, *self.doctor_availability.off], key=lambda span: span.start)

    def room_at(self, visit: Appointment, span: TimeSpan) -> UUID | None:
        """Returns the appointment's room if it is free then, else None."""
        others = (busy for pk, busy in self._rooms.get(visit.room_id, {}).items() if pk != visit.pk) if visit.room_id else ()
        return None if any(busy.overlaps(span) for busy in others) else visit.room_id

    def put(self, visit: Appointment, span: TimeSpan, room_id: UUID | None) -> None:
        """Records that the appointment takes this place."""
        self._doctor.append(span)
        self._patients.setdefault(visit.patient_id, {})[visit.pk] = span
        if visit.room_id:
            self._rooms.get(visit.room_id, {}).pop(visit.pk, None)
        if room_id:
            self._rooms.setdefault(room_id, {})[visit.pk] = span


def proposals(
    visits: Sequence[Appointment], *, doctor_id: UUID, doctor_availability: DoctorAvailability, since: datetime, keep_time: bool
) -> list[Proposal]:
    """Returns the proposal for each appointment with this doctor, in the order in which they must be moved; times from `since`
    on.

    `doctor_availability` reaches from `since` to sixty days after the last appointment. With `keep_time` appointments keep their
    times where possible. Appointments of inactive or deceased patients stay where they are.
    """
    inactive = [row for row in visits if not row.patient.is_active or row.patient.deceased_at]
    unmoved = [Proposal(row, before(row), because=UnplacedReason.PATIENT_NOT_ACTIVE) for row in inactive]
    visits = [row for row in visits if row not in inactive]
    if not visits:
        return unmoved
    start = min(since, visits[0].scheduled_time)
    end = until(since, visits)
    busy_times = _BusyTimes(doctor_id, doctor_availability, visits, start, end)
    first = list(_at_their_time(visits, busy_times)) if keep_time else []
    placed = {one.appointment.pk for one in first}
    return first + [_later(row, busy_times, since) for row in visits if row.pk not in placed] + unmoved


def until(since: datetime, visits: Sequence[Appointment]) -> datetime:
    """Returns the end of the period in which a place is searched."""
    return max(since, visits[-1].scheduled_time) + rules.SPREAD if visits else since + rules.SPREAD


def _at_their_time(visits: Iterable[Appointment], busy_times: _BusyTimes) -> Iterator[Proposal]:
    for row in visits:
        span = TimeSpan(row.scheduled_time, row.ends_at)
        if busy_times.doctor_availability.is_open(span) and not any(one.overlaps(span) for one in busy_times.busy(row)):
            yield _put(row, busy_times, span)


def _later(row: Appointment, busy_times: _BusyTimes, since: datetime) -> Proposal:
    free = rules.slots(
        busy_times.hours,
        busy_times.busy(row),
        minutes=row.duration_minutes,
        grid=busy_times.doctor_availability.slot_minutes,
        start=max(since, row.scheduled_time),
        end=busy_times.end,
    )
    slot = next(free, None)
    if slot is None:
        return Proposal(row, before(row), because=UnplacedReason.NO_FREE_TIME if busy_times.hours else UnplacedReason.NO_HOURS)
    return _put(row, busy_times, slot)


def _put(row: Appointment, busy_times: _BusyTimes, span: TimeSpan) -> Proposal:
    room_id = busy_times.room_at(row, span)
    busy_times.put(row, span, room_id)
    return Proposal(row, before(row), AppointmentPlace(busy_times.doctor_id, span.start, room_id))


def before(row: Appointment) -> AppointmentPlace:
    """Returns the appointment's current place."""
    return AppointmentPlace(row.doctor_id, row.scheduled_time, row.room_id)


def line(one: Proposal) -> str:
    """Returns the plan of one appointment as a line of text, for comparing two plans."""
    return " ".join(
        [str(one.appointment.pk), *_place_text(one.before), *(_place_text(one.after) if one.after else [str(one.because)])]
    )


def plan_hash(lines: Iterable[str]) -> str:
    """Identifies a plan: the SHA-256 of its lines in any order, as 64 hex digits."""
    return hashlib.sha256("\n".join(sorted(set(lines))).encode()).hexdigest()


def _place_text(place: AppointmentPlace) -> list[str]:
    return [str(place.doctor_id), place.scheduled_time.astimezone(UTC).isoformat(), str(place.room_id or "-")]


def unplaced(one: Proposal, because: UnplacedReason) -> Proposal:
    """Returns the proposal without a new place."""
    return replace(one, after=None, because=because)


LONGEST_RANGE = timedelta(days=rules.FURTHEST_DAYS)
