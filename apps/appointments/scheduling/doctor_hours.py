"""The schedules of several doctors, or one doctor's week, for a table: a fixed number of statements."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import QuerySet

from apps.access.actor import Actor
from apps.accounts.models import Doctor
from apps.appointments import rules
from apps.appointments.models import Appointment, DoctorSchedule, TimeOff, WorkingHours
from apps.appointments.models.appointments import LIVE
from apps.appointments.rules import Hours, Status, TimeSpan
from apps.appointments.scheduling import availability
from apps.appointments.scheduling.day_grid import Away, Column, GridEntry

UNCONFIRMED = "unconfirmed"  # requested or scheduled: the patient has not confirmed


@dataclass(frozen=True)
class GridFilter:
    """Which appointments are shown with details. Others that take a doctor's time are shown only as taken."""

    appointment_type: str = ""
    status: str = ""

    def includes(self, row: Appointment) -> bool:
        """Returns whether the appointment is shown. Cancelled ones are shown only if the filter names that status."""
        if self.appointment_type and row.appointment_type != self.appointment_type:
            return False
        if self.status == UNCONFIRMED:
            return row.status in (Status.REQUESTED, Status.SCHEDULED)
        return row.status == self.status if self.status else row.status != Status.CANCELLED


def columns(by: Actor, doctors: Sequence[Doctor], days: Sequence[date], grid_filter: GridFilter | None = None) -> list[Column]:
    """Returns a column for each doctor and day, ordered by doctor. Appointments of charts closed to the actor are shown as taken
    time. Doctors who left have no hours any more."""
    zone, ids = availability.clinic_zone(), [doctor.pk for doctor in doctors]
    start = rules.instant(days[0], time.min, zone)
    end = rules.instant(days[-1] + timedelta(days=1), time.min, zone)
    slots = dict(DoctorSchedule.objects.filter(pk__in=ids).values_list("pk", "slot_minutes"))
    entries = _entries(by, ids, start, end, grid_filter or GridFilter())
    here = [doctor.pk for doctor in doctors if doctor.works_here]
    hours, off, rooms = hours_of(here), _away(ids, start, end), _rooms(ids)
    return [
        Column(
            day,
            doctor,
            slots.get(doctor.pk, rules.SLOT_MINUTES),
            tuple(rules.open_spans(hours.get(doctor.pk, []), [day], zone)),
            tuple(off.get(doctor.pk, [])),
            tuple(entry for entry in entries.get(doctor.pk, []) if entry.start.astimezone(zone).date() == day),
            next((room for one, room in rooms.get(doctor.pk, []) if one.counts_on(day)), ""),
        )
        for doctor in doctors
        for day in days
    ]


def hours_of(ids: Collection[UUID]) -> dict[UUID, list[Hours]]:
    """Returns the published hours of these doctors."""
    hours_by_doctor: dict[UUID, list[Hours]] = {}
    for row in WorkingHours.objects.filter(schedule__in=ids):
        hours_by_doctor.setdefault(row.schedule_id, []).append(_hours(row))
    return hours_by_doctor


def time_off_of(ids: Collection[UUID], start: datetime, end: datetime) -> dict[UUID, list[TimeSpan]]:
    """Returns when these doctors are away in the range."""
    time_off: dict[UUID, list[TimeSpan]] = {}
    for row in _time_off(ids, start, end):
        time_off.setdefault(row.doctor_id, []).append(TimeSpan(row.starts_at, row.ends_at))
    return time_off


def _hours(row: WorkingHours) -> Hours:
    return Hours(row.weekday, row.starts, row.ends, row.valid_from or date.min, row.valid_until)


def _rooms(ids: Collection[UUID]) -> dict[UUID, list[tuple[Hours, str]]]:
    """Returns the hours that have a room, with its name, from the earliest of the day on."""
    rooms: dict[UUID, list[tuple[Hours, str]]] = {}
    for row in WorkingHours.objects.filter(schedule__in=ids, room__isnull=False).select_related("room").order_by("starts"):
        rooms.setdefault(row.schedule_id, []).append((_hours(row), row.room.name if row.room else ""))
    return rooms


def _away(ids: Collection[UUID], start: datetime, end: datetime) -> dict[UUID, list[Away]]:
    away: dict[UUID, list[Away]] = {}
    for row in _time_off(ids, start, end):
        away.setdefault(row.doctor_id, []).append(Away(TimeSpan(row.starts_at, row.ends_at), row.reason))
    return away


def _time_off(ids: Collection[UUID], start: datetime, end: datetime) -> QuerySet[TimeOff]:
    return TimeOff.objects.filter(doctor__in=ids, ends_at__gt=start, starts_at__lt=end).order_by("starts_at")


def _entries(
    by: Actor, ids: Collection[UUID], start: datetime, end: datetime, grid_filter: GridFilter
) -> dict[UUID, list[GridEntry]]:
    """Returns the entries of the schedules, in order. Two statements; the second reads only ids and times, no patient data."""
    in_period = Appointment.objects.filter(doctor__in=ids, scheduled_time__gte=start, scheduled_time__lt=end)
    shown = {row.pk: row for row in in_period.visible_to(by).select_related("patient", "room") if grid_filter.includes(row)}
    entries: dict[UUID, list[GridEntry]] = {}
    for row in shown.values():
        takes_time = row.status in LIVE and row.overbook_seat is None
        is_request = row.status == Status.REQUESTED
        entries.setdefault(row.doctor_id, []).append(GridEntry(row.scheduled_time, row.ends_at, takes_time, row, is_request))
    others = in_period.filter(status__in=LIVE, overbook_seat=None).values_list("pk", "doctor_id", "scheduled_time", "ends_at")
    for pk, doctor_id, begins, ends in others:
        if pk not in shown:
            entries.setdefault(doctor_id, []).append(GridEntry(begins, ends))
    return {doctor_id: sorted(rows, key=lambda entry: entry.start) for doctor_id, rows in entries.items()}
