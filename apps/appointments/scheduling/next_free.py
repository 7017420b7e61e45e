"""The next free time of each doctor, the soonest first, in a fixed number of statements."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.accounts.models import Doctor
from apps.appointments import rules
from apps.appointments.models import Appointment, DoctorSchedule
from apps.appointments.rules import Hours, TimeSpan
from apps.appointments.scheduling import availability, doctor_hours
from apps.common import clock

_REACH = timedelta(days=7)
_LONGEST = timedelta(minutes=rules.LONGEST)


@dataclass(frozen=True)
class FreeTime:
    """A free time of a doctor."""

    doctor: Doctor
    span: TimeSpan

    @property
    def minutes(self) -> int:
        return (self.span.end - self.span.start) // timedelta(minutes=1)


def next_free(by: Actor, limit: int) -> list[FreeTime]:
    """Returns the next free times within seven days, one of each doctor, the soonest first. Five statements."""
    now, doctors = clock.now(), list(accounts.doctors(visible_to=by))
    end, ids = now + _REACH, [doctor.pk for doctor in doctors]
    slots = dict(DoctorSchedule.objects.filter(pk__in=ids).values_list("pk", "slot_minutes"))
    hours, off, taken = doctor_hours.hours_of(ids), doctor_hours.time_off_of(ids, now, end), _taken(ids, now, end)
    shown = []
    for doctor in doctors:
        blocked = sorted([*off.get(doctor.pk, []), *taken.get(doctor.pk, [])], key=lambda span: span.start)
        span = _first(hours.get(doctor.pk, []), blocked, slots.get(doctor.pk, rules.SLOT_MINUTES), now, end)
        if span:
            shown.append(FreeTime(doctor, span))
    return sorted(shown, key=lambda one: one.span.start)[:limit]


def _first(hours: list[Hours], blocked: list[TimeSpan], minutes: int, now: datetime, end: datetime) -> TimeSpan | None:
    zone = availability.clinic_zone()
    spans = rules.open_spans(hours, rules.days_between(now, end, zone), zone)
    return next(rules.slots(spans, blocked, minutes=minutes, grid=minutes, start=now, end=end), None)


def _taken(ids: list[UUID], start: datetime, end: datetime) -> dict[UUID, list[TimeSpan]]:
    """Returns when each doctor is booked."""
    rows = Appointment.objects.live().filter(doctor__in=ids, overbook_seat=None, ends_at__gt=start)
    rows = rows.filter(scheduled_time__gt=start - _LONGEST, scheduled_time__lt=end).order_by()
    taken: dict[UUID, list[TimeSpan]] = {}
    for doctor_id, begins, ends in rows.values_list("doctor_id", "scheduled_time", "ends_at"):
        taken.setdefault(doctor_id, []).append(TimeSpan(begins, ends))
    return taken
