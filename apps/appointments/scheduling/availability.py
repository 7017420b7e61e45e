"""When a doctor can be booked: reads hours, time off and booked times in few statements, and combines them with `rules`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.appointments import rules
from apps.appointments.rules import Hours, TimeSpan
from apps.appointments.scheduling import sql
from apps.common.errors import Forbidden

_DAY = timedelta(days=1)


class OtherDoctorsSchedule(Forbidden):
    message = "A doctor plans and changes their own schedule only."


def clinic_zone() -> ZoneInfo:
    """Returns the clinic's time zone, in which hours are written."""
    return ZoneInfo(settings.CLINIC_TIME_ZONE)


@dataclass(frozen=True)
class DoctorAvailability:
    """When a doctor can be booked in a range: usual minutes of the appointment type, slot length, overbook seats a day, hours,
    time off."""

    minutes: int
    slot_minutes: int
    overbook_per_day: int
    hours: tuple[Hours, ...]
    off: tuple[TimeSpan, ...]

    def open_spans(self, period: TimeSpan) -> list[TimeSpan]:
        """Returns the published hours of the days of the period, in order."""
        zone = clinic_zone()
        return rules.open_spans(self.hours, rules.days_between(period.start, period.end, zone), zone)

    def is_open(self, period: TimeSpan) -> bool:
        """Returns whether the whole period is within published hours."""
        return any(span.start <= period.start and period.end <= span.end for span in rules.joined(self.open_spans(period)))

    def is_off(self, period: TimeSpan) -> bool:
        """Returns whether the doctor is away during a part of the period."""
        return any(away.overlaps(period) for away in self.off)


def for_doctor(doctor_id: UUID, *, start: datetime, end: datetime, appointment_type: str = "") -> DoctorAvailability | None:
    """Returns when this doctor can be booked between the two instants; None if there is no active doctor with this id."""
    row = sql.for_doctor(doctor_id, start=start, end=end, appointment_type=appointment_type)
    if row is None:
        return None
    minutes, grid, seats, hours, off = row
    hour_rows = json.loads(hours) if isinstance(hours, str) else hours or []
    return DoctorAvailability(
        minutes, grid, seats, tuple(_hours(*one) for one in hour_rows), tuple(TimeSpan(*one) for one in off or [])
    )


def slots(
    doctor_id: UUID, doctor_availability: DoctorAvailability, *, minutes: int, start: datetime, end: datetime
) -> list[TimeSpan]:
    """Returns the doctor's free times between the two instants, in order."""
    return list(_free(doctor_availability, taken(doctor_id, start, end), minutes, start, end))


def taken(doctor_id: UUID, start: datetime, end: datetime) -> list[TimeSpan]:
    """Returns when the doctor is booked, in order."""
    return [TimeSpan(*row) for row in sql.taken_by_doctor(doctor_id, start, end)]


def alternatives(
    doctor_availability: DoctorAvailability,
    *,
    doctor_id: UUID,
    patient_id: UUID,
    room_id: UUID | None,
    minutes: int,
    after: datetime,
    number: int = 3,
) -> list[TimeSpan]:
    """Returns the next free times, at which doctor, patient and room are all free, from an instant on. They are within published
    hours as far as sixty days have enough of them; the rest are any times at which all three are free. Never in time off, which
    the caller has loaded for the refused time only."""
    ahead = for_doctor(doctor_id, start=after, end=after + rules.SPREAD)
    doctor_availability = replace(doctor_availability, off=ahead.off) if ahead else doctor_availability
    for period in (7 * _DAY, rules.SPREAD):
        end = after + period
        busy = [TimeSpan(*row) for row in sql.taken_by_any(doctor_id, patient_id, room_id, after, end)]
        result = list(islice(_free(doctor_availability, busy, minutes, after, end), number))
        if len(result) == number:
            return result
    free = rules.slots(
        [TimeSpan(after, end)], _in_order(busy, doctor_availability.off), minutes=minutes, grid=minutes, start=after, end=end
    )
    rest = (span for span in free if not any(span.overlaps(one) for one in result))
    return sorted([*result, *islice(rest, number - len(result))], key=lambda span: span.start)


def _free(doctor_availability: DoctorAvailability, busy: Sequence[TimeSpan], minutes: int, start: datetime, end: datetime) -> Any:
    zone = clinic_zone()
    spans = rules.open_spans(doctor_availability.hours, rules.days_between(start, end, zone), zone)
    blocked = _in_order(busy, doctor_availability.off)
    return rules.slots(spans, blocked, minutes=minutes, grid=doctor_availability.slot_minutes, start=start, end=end)


def _in_order(*lists: Sequence[TimeSpan]) -> list[TimeSpan]:
    return sorted((span for spans in lists for span in spans), key=lambda span: span.start)


def _hours(weekday: int, starts: str, ends: str, since: str | None, until: str | None) -> Hours:
    return Hours(
        weekday,
        time.fromisoformat(starts),
        time.fromisoformat(ends),
        date.fromisoformat(since) if since else date.min,
        date.fromisoformat(until) if until else None,
    )
