"""Finding visits. Everything here is already scoped to whoever asks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.appointments import rules
from apps.appointments.models import (
    Appointment,
    AppointmentLength,
    BulkReschedule,
    CalendarFeed,
    DoctorSchedule,
    RescheduledAppointment,
    Room,
    StatusChange,
    TimeOff,
    WaitlistEntry,
    WaitlistOffer,
    WaitStatus,
    WorkingHours,
)
from apps.appointments.queries.prepared import APPOINTMENTS
from apps.appointments.rules import TimeSpan
from apps.appointments.scheduling import availability
from apps.common import clock
from apps.common.errors import NotFound
from apps.rest.cursor import Position
from apps.rest.scoped_list import CountedPage, ListPage


def appointments(*, visible_to: Actor) -> QuerySet[Appointment]:
    """All visits the actor may know of, with patient, doctor and room, the latest first."""
    rows = Appointment.objects.visible_to(visible_to).select_related("patient", "doctor", "room")
    return rows.order_by("-scheduled_time", "-id")


def list_page(*, visible_to: Actor, offset: int = 0, limit: int = 20, newest_first: bool = True, **filters: Any) -> CountedPage:
    """A page of visits. Filters: patient_id (a merged id finds the survivor's), doctor_id, since, until (before it), status.

    At most two statements. Without a filter the total is exact, with one it is counted up to 10,000.
    """
    bound = APPOINTMENTS.bind(visible_to, order="newest" if newest_first else "oldest", **filters)
    return bound.page(offset=offset, limit=limit)


def following(*, visible_to: Actor, after: Position, limit: int = 20, newest_first: bool = True, **filters: Any) -> ListPage:
    """The page of visits behind a place, under the same filters. One statement; nothing is counted."""
    bound = APPOINTMENTS.bind(visible_to, order="newest" if newest_first else "oldest", **filters)
    return bound.following(after=after, limit=limit)


def appointment(by: Actor, appointment_id: UUID) -> Appointment:
    """The visit, or NotFound."""
    row: Appointment | None = APPOINTMENTS.instance(by, appointment_id)
    if row is None:
        raise NotFound("There is no such appointment.")
    return row


def appointment_with_people(by: Actor, appointment_id: UUID) -> Appointment:
    """The visit with patient, doctor and room, or NotFound."""
    row = appointments(visible_to=by).filter(pk=appointment_id).first()
    if row is None:
        raise NotFound("There is no such appointment.")
    return row


def history(row: Appointment) -> QuerySet[StatusChange]:
    """What the visit went through, in order."""
    return StatusChange.objects.filter(appointment=row).select_related("by").order_by("id")


def of_series(by: Actor, series_id: UUID) -> list[Appointment]:
    """The visits of a series that are shown to the actor, in order of time. Raises NotFound where there are none."""
    rows = list(appointments(visible_to=by).filter(series=series_id).select_related("series").order_by("scheduled_time", "id"))
    if not rows:
        raise NotFound("There is no such series.")
    return rows


def bulk_reschedule(by: Actor, move_id: UUID) -> BulkReschedule:
    """Visits that were moved together, or NotFound."""
    row = BulkReschedule.objects.visible_to(by).filter(pk=move_id).first()
    if row is None:
        raise NotFound("There is no such rescheduling.")
    return row


def still_movable(by: Actor, move: BulkReschedule) -> QuerySet[Appointment]:
    """The absent doctor's visits in the time of the move that may still be moved, as far as they are shown to the actor."""
    start = max(move.starts_at, clock.now())
    rows = appointments(visible_to=by).filter(doctor=move.doctor_id, scheduled_time__gte=start, scheduled_time__lt=move.ends_at)
    return rows.filter(status__in=rules.MOVABLE).order_by("scheduled_time", "id")


def rescheduled_appointments(by: Actor, move: BulkReschedule) -> QuerySet[RescheduledAppointment]:
    """Its visits as far as they are shown to the actor, in order of the times they had."""
    shown = Appointment.objects.visible_to(by).values("pk")
    rows = RescheduledAppointment.objects.filter(move=move, appointment__in=shown).select_related("appointment")
    return rows.order_by("from_time", "id")


def live_feed(by: Actor, doctor_id: UUID) -> CalendarFeed | None:
    """The calendar of a doctor that can be subscribed to now, if there is one."""
    return CalendarFeed.objects.visible_to(by).filter(doctor=doctor_id, revoked_at=None).first()


def count_upcoming(patient_id: UUID, since: datetime) -> int:
    """How many visits of the patient from the instant on are asked for, booked, or waiting to be seen."""
    ahead = (*rules.MOVABLE, rules.Status.CHECKED_IN)
    return Appointment.objects.filter(patient=patient_id, scheduled_time__gte=since, status__in=ahead).count()


def count_upcoming_with_doctor(by: Actor, doctor_id: UUID) -> int:
    """Returns how many appointments with the doctor are requested, booked or waiting, from now on, of those that the actor may
    see."""
    ahead = Q(status__in=rules.MOVABLE, ends_at__gte=clock.now()) | Q(status=rules.Status.CHECKED_IN)
    return Appointment.objects.visible_to(by).filter(ahead, doctor=doctor_id).count()


def busy(feed: CalendarFeed, start: datetime, end: datetime) -> QuerySet[Appointment]:
    """The feed's visits that take the doctor's time, or were asked for, in order. Whoever fetches them is shown no patient, and
    no visit of a chart that is closed to the doctor."""
    rows = Appointment.objects.visible_to(feed.doctor)
    rows = rows.filter(doctor=feed.doctor_id, scheduled_time__gte=start, scheduled_time__lt=end)
    return rows.exclude(status__in=[rules.Status.CANCELLED, rules.Status.NO_SHOW]).order_by("scheduled_time", "id")


def waitlist(*, visible_to: Actor, status: str = WaitStatus.WAITING.value) -> QuerySet[WaitlistEntry]:
    """The entries of this status: of those who wait the most urgent first, then who waits longest; of the others the newest."""
    rows = WaitlistEntry.objects.visible_to(visible_to).filter(status=status)
    return rows.ranked() if status == WaitStatus.WAITING else rows.order_by("-created_at", "-id")


def waitlist_entry(by: Actor, entry_id: UUID) -> WaitlistEntry:
    """The entry, or NotFound."""
    entry = WaitlistEntry.objects.visible_to(by).filter(pk=entry_id).first()
    if entry is None:
        raise NotFound("There is no such waitlist entry.")
    return entry


def offers_of(entries: Collection[UUID]) -> dict[UUID, list[WaitlistOffer]]:
    """What each of these entries was offered, the latest first, in one statement."""
    offers: dict[UUID, list[WaitlistOffer]] = {entry_id: [] for entry_id in entries}
    for offer in WaitlistOffer.objects.filter(entry__in=entries).order_by("-created_at", "-id"):
        offers[offer.entry_id].append(offer)
    return offers


def rooms(*, visible_to: Actor) -> QuerySet[Room]:
    """The rooms in use, by place and name."""
    return Room.objects.visible_to(visible_to).filter(is_active=True).order_by("location", "name", "id")


@dataclass(frozen=True)
class Week:
    """A doctor's published week."""

    doctor_id: UUID
    schedule: DoctorSchedule
    hours: tuple[WorkingHours, ...]
    lengths: dict[str, int]


def week(by: Actor, doctor_id: UUID) -> Week:
    """The doctor's week; the usual one without hours where nothing was published. Raises NotFound."""
    check_doctor_exists(by, doctor_id)
    schedule = DoctorSchedule.objects.filter(pk=doctor_id).first() or DoctorSchedule(doctor_id=doctor_id)
    hours = tuple(WorkingHours.objects.filter(schedule=doctor_id).order_by("weekday", "starts", "valid_from", "id"))
    lengths = AppointmentLength.objects.filter(schedule=doctor_id).order_by("appointment_type")
    return Week(doctor_id, schedule, hours, dict(lengths.values_list("appointment_type", "minutes")))


def time_off(by: Actor, doctor_id: UUID) -> QuerySet[TimeOff]:
    """When the doctor is away, the soonest first. Raises NotFound."""
    check_doctor_exists(by, doctor_id)
    return TimeOff.objects.visible_to(by).filter(doctor=doctor_id).order_by("starts_at", "id")


def one_time_off(by: Actor, doctor_id: UUID, time_off_id: UUID) -> TimeOff:
    """One time off of the doctor's. Raises NotFound."""
    row = time_off(by, doctor_id).filter(pk=time_off_id).first()
    if row is None:
        raise NotFound("There is no such time off.")
    return row


def free_slots(
    by: Actor, doctor_id: UUID, *, start: datetime, end: datetime, minutes: int | None = None, appointment_type: str = ""
) -> list[TimeSpan]:
    """The doctor's free times between the two that are still to come, none overlapping another. Raises NotFound."""
    check_doctor_exists(by, doctor_id)
    start = max(start, clock.now())
    doctor_availability = availability.for_doctor(doctor_id, start=start, end=end, appointment_type=appointment_type)
    if doctor_availability is None:
        raise NotFound("There is no such doctor.")
    if end <= start:
        return []
    return availability.slots(
        doctor_id, doctor_availability, minutes=minutes or doctor_availability.minutes, start=start, end=end
    )


def check_doctor_exists(by: Actor, doctor_id: UUID) -> None:
    """Raises NotFound for whom the actor does not know as a doctor."""
    if not accounts.doctors(visible_to=by).filter(pk=doctor_id).exists():
        raise NotFound("There is no such doctor.")


def latest_end(start: datetime) -> datetime:
    """Where a range that begins here must end."""
    return start + timedelta(days=rules.FURTHEST_DAYS)
