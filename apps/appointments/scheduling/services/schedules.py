"""When doctors work: their weekly hours, their appointment lengths, and their time off."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.accounts.models import Doctor
from apps.appointments import rules
from apps.appointments.events import ScheduleChanged, TimeOffAdded, TimeOffRemoved
from apps.appointments.models import Appointment, AppointmentLength, DoctorSchedule, Room, TimeOff, WorkingHours
from apps.appointments.rights import Permission
from apps.appointments.rules import TimeSpan
from apps.appointments.scheduling import availability
from apps.appointments.scheduling.availability import DoctorAvailability, OtherDoctorsSchedule
from apps.common import clock
from apps.common.errors import Invalid, NotFound
from apps.events.services import emit


@dataclass(frozen=True, kw_only=True)
class WeeklyHours:
    """Hours on one weekday (0 is Monday), in the clinic's local time; `valid_until` is the last day."""

    weekday: int
    starts: time
    ends: time
    room_id: UUID | None = None
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, kw_only=True)
class NewSchedule:
    """A doctor's whole week. `visit_lengths` are minutes by appointment type."""

    hours: Sequence[WeeklyHours]
    slot_minutes: int = rules.SLOT_MINUTES
    overbook_per_day: int = rules.OVERBOOK_PER_DAY
    visit_lengths: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedSchedule:
    """The published week. `affected` is the number of booked appointments, of those that the actor may see, that were within the
    previous hours and are outside the new ones."""

    schedule: DoctorSchedule
    affected: int


@transaction.atomic
def set_schedule(*, by: Actor, doctor_id: UUID, schedule: NewSchedule) -> PublishedSchedule:
    """Publishes a week in place of the previous one; booked appointments stay. Raises NotFound, Forbidden, Invalid."""
    row = lock_schedule(by, doctor_id)
    doctor, before = row.doctor, _current_availability(doctor_id)
    row.slot_minutes, row.overbook_per_day, row.updated_at = schedule.slot_minutes, schedule.overbook_per_day, clock.now()
    row.save()
    AppointmentLength.objects.filter(schedule=row).delete()
    WorkingHours.objects.filter(schedule=row).delete()
    AppointmentLength.objects.bulk_create(
        AppointmentLength(schedule=row, appointment_type=kind, minutes=minutes)
        for kind, minutes in schedule.visit_lengths.items()
    )
    _check_rooms_exist(schedule.hours)
    for number, hours in enumerate(schedule.hours):
        try:
            with transaction.atomic():
                WorkingHours.objects.create(schedule=row, **asdict(hours))
        except IntegrityError as clash:
            issue = "Must end after it begins, and must not overlap other hours of that weekday."
            raise Invalid(field=f"hours[{number}]", issue=issue) from clash
    emit(ScheduleChanged(doctor_id=doctor.pk), by=by)
    return PublishedSchedule(row, _count_outside_hours(by, doctor_id, before, _current_availability(doctor_id)))


@transaction.atomic
def add_time_off(*, by: Actor, doctor_id: UUID, starts_at: datetime, ends_at: datetime, reason: str = "") -> TimeOff:
    """Adds time off: nothing is offered in that time. Booked appointments stay until a user moves them (`count_affected`).

    Raises NotFound, Forbidden, Invalid.
    """
    doctor = doctor_to_plan(by, doctor_id)
    if ends_at <= starts_at:
        raise Invalid(field="ends_at", issue="Must be after starts_at.")
    row = TimeOff.objects.create(
        doctor_id=doctor.pk, starts_at=starts_at, ends_at=ends_at, reason=reason.strip(), added_by_id=by.id
    )
    emit(TimeOffAdded(doctor_id=doctor.pk, time_off_id=row.pk, starts_at=starts_at, ends_at=ends_at), by=by)
    return row


@transaction.atomic
def remove_time_off(*, by: Actor, doctor_id: UUID, time_off_id: UUID) -> TimeOff:
    """Removes time off. Raises NotFound, Forbidden."""
    row = lock_time_off(by, doctor_id, time_off_id)
    TimeOff.objects.filter(pk=row.pk).delete()
    emit(TimeOffRemoved(doctor_id=row.doctor_id, time_off_id=row.pk, starts_at=row.starts_at, ends_at=row.ends_at), by=by)
    return row


def lock_schedule(by: Actor, doctor_id: UUID) -> DoctorSchedule:
    """Returns the doctor's schedule, created if missing and locked until the transaction ends. Raises NotFound, Forbidden."""
    doctor = doctor_to_plan(by, doctor_id)
    row, _ = DoctorSchedule.objects.select_for_update().get_or_create(doctor_id=doctor.pk)
    return row


def lock_time_off(by: Actor, doctor_id: UUID, time_off_id: UUID) -> TimeOff:
    """Returns the time off, locked until the transaction ends. Raises NotFound, Forbidden."""
    doctor = doctor_to_plan(by, doctor_id)
    row = TimeOff.objects.select_for_update().filter(pk=time_off_id, doctor=doctor.pk).first()
    if row is None:
        raise NotFound("There is no such time off.")
    return row


def count_affected(by: Actor, row: TimeOff) -> int:
    """Returns how many booked appointments that the actor may see are in the time off."""
    shown = Appointment.objects.visible_to(by).live()
    return shown.filter(doctor=row.doctor_id, scheduled_time__lt=row.ends_at, ends_at__gt=row.starts_at).count()


def _current_availability(doctor_id: UUID) -> DoctorAvailability | None:
    return availability.for_doctor(doctor_id, start=clock.now(), end=clock.now())


def _count_outside_hours(by: Actor, doctor_id: UUID, before: DoctorAvailability | None, after: DoctorAvailability | None) -> int:
    """Returns how many future appointments that the actor may see were within the hours of `before` and are outside those of
    `after`."""
    if before is None or after is None or before.hours == after.hours:
        return 0
    ahead = Appointment.objects.visible_to(by).filter(doctor=doctor_id, scheduled_time__gte=clock.now(), status__in=rules.MOVABLE)
    spans = [TimeSpan(start, end) for start, end in ahead.values_list("scheduled_time", "ends_at")]
    return sum(before.is_open(span) and not after.is_open(span) for span in spans)


def doctor_to_plan(by: Actor, doctor_id: UUID) -> Doctor:
    """Returns the doctor whose schedule is planned. Raises NotFound, and Forbidden for a doctor who plans another's."""
    doctor = accounts.doctors(visible_to=by).filter(pk=doctor_id).first()
    if doctor is None:
        raise NotFound("There is no such doctor.")
    if not by.has_permission(Permission.APPOINTMENT_ANY) and doctor.pk != by.id:
        raise OtherDoctorsSchedule("Doctors can change only their own schedule.")
    return doctor


def _check_rooms_exist(hours: Sequence[WeeklyHours]) -> None:
    room_ids = {one.room_id for one in hours if one.room_id}
    known = set(Room.objects.filter(pk__in=room_ids, is_active=True).values_list("pk", flat=True)) if room_ids else set()
    for number, one in enumerate(hours):
        if one.room_id and one.room_id not in known:
            raise Invalid(field=f"hours[{number}].room_id", issue="There is no such room in use.")
