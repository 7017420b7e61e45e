"""Finds appointments, series, waitlist entries and schedules. Every selector is limited to what the caller may see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.accounts.models import Doctor
from apps.appointments import rules
from apps.appointments.models import (
    Appointment,
    AppointmentLength,
    BulkReschedule,
    CalendarFeed,
    DoctorSchedule,
    OfferStatus,
    RescheduledAppointment,
    Room,
    Series,
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
from apps.rest.paging import FIRST, Page, Window


@dataclass(frozen=True)
class SeriesDetails:
    """A series, its appointments, and the ids of those that the present request has cancelled."""

    series: Series
    appointments: Sequence[Appointment]
    cancelled: Sequence[UUID] = ()


@dataclass(frozen=True)
class MissingFeed:
    """That a doctor's calendar has no feed, in the form of a CalendarFeed."""

    doctor_id: UUID
    is_active: bool = False
    created_at: None = None
    made_by_id: None = None
    last_fetched_at: None = None


def appointments(*, visible_to: Actor) -> QuerySet[Appointment]:
    """Returns all appointments that the actor may see, with patient, doctor and room, the latest first."""
    rows = Appointment.objects.visible_to(visible_to).select_related("patient", "doctor", "room")
    return rows.order_by("-scheduled_time", "-id")


def of_patient(*, visible_to: Actor, patient_id: UUID) -> QuerySet[Appointment]:
    """Returns the patient's appointments that the actor may see, with doctor and room, the latest first."""
    return appointments(visible_to=visible_to).filter(patient=patient_id)


def open_of_patient(*, visible_to: Actor, patient_id: UUID, count: int) -> list[Appointment]:
    """Returns the patient's appointments from the beginning of today on that are requested, booked or under way, the soonest
    first. One query."""
    zone = availability.clinic_zone()
    start = rules.instant(clock.now().astimezone(zone).date(), rules.MIDNIGHT, zone)
    rows = of_patient(visible_to=visible_to, patient_id=patient_id).filter(scheduled_time__gte=start)
    return list(rows.filter(status__in=[*rules.LIVE, rules.Status.REQUESTED]).order_by("scheduled_time", "id")[:count])


def list_page(*, visible_to: Actor, window: Window = FIRST, newest_first: bool = True, **filters: Any) -> Page:
    """Returns a page of appointments. Filters: patient_id (a merged id finds the survivor's), doctor_id, since, until
    (exclusive), status.

    At most two statements. Without a filter the total is exact; with one it is counted up to 10,000.
    """
    return APPOINTMENTS.bind(visible_to, order="newest" if newest_first else "oldest", **filters).page(window)


def appointment(by: Actor, appointment_id: UUID) -> Appointment:
    """Returns the appointment, or raises NotFound."""
    row: Appointment | None = APPOINTMENTS.instance(by, appointment_id)
    if row is None:
        raise NotFound("There is no such appointment.")
    return row


def appointment_with_people(by: Actor, appointment_id: UUID) -> Appointment:
    """Returns the appointment with patient, doctor and room, or raises NotFound."""
    row = appointments(visible_to=by).filter(pk=appointment_id).first()
    if row is None:
        raise NotFound("There is no such appointment.")
    return row


def history(row: Appointment) -> QuerySet[StatusChange]:
    """Returns the appointment's status changes, in order."""
    return StatusChange.objects.filter(appointment=row).select_related("by").order_by("id")


def of_series(by: Actor, series_id: UUID) -> list[Appointment]:
    """Returns the appointments of a series that the actor may see, in order of time. Raises NotFound if there are none."""
    rows = list(appointments(visible_to=by).filter(series=series_id).select_related("series").order_by("scheduled_time", "id"))
    if not rows:
        raise NotFound("There is no such series.")
    return rows


def series(by: Actor, series_id: UUID) -> SeriesDetails:
    """Returns a series with the appointments that the actor may see, in order of time. Raises NotFound if there are none."""
    rows = of_series(by, series_id)
    of_rows = rows[0].series
    assert of_rows is not None  # its appointments were found by it
    return SeriesDetails(of_rows, rows)


def bulk_reschedule(by: Actor, move_id: UUID) -> BulkReschedule:
    """Returns the bulk reschedule, or raises NotFound."""
    row = BulkReschedule.objects.visible_to(by).filter(pk=move_id).first()
    if row is None:
        raise NotFound("There is no such rescheduling.")
    return row


def still_movable(by: Actor, move: BulkReschedule) -> QuerySet[Appointment]:
    """Returns the absent doctor's appointments in the period of the move that can still be moved and that the actor may see."""
    start = max(move.starts_at, clock.now())
    rows = appointments(visible_to=by).filter(doctor=move.doctor_id, scheduled_time__gte=start, scheduled_time__lt=move.ends_at)
    return rows.filter(status__in=rules.MOVABLE).order_by("scheduled_time", "id")


def rescheduled_appointments(by: Actor, move: BulkReschedule) -> QuerySet[RescheduledAppointment]:
    """Returns the moved appointments that the actor may see, in order of their previous times."""
    shown = Appointment.objects.visible_to(by).values("pk")
    rows = RescheduledAppointment.objects.filter(move=move, appointment__in=shown).select_related("appointment")
    return rows.order_by("from_time", "id")


def feed(by: Actor, doctor_id: UUID) -> CalendarFeed | MissingFeed:
    """Returns the doctor's current calendar feed, or that there is none."""
    live = CalendarFeed.objects.visible_to(by).filter(doctor=doctor_id, revoked_at=None).first()
    return live or MissingFeed(doctor_id)


def count_upcoming(patient_id: UUID, since: datetime) -> int:
    """Returns how many appointments of the patient from the instant on are requested, booked or waiting."""
    ahead = (*rules.MOVABLE, rules.Status.CHECKED_IN)
    return Appointment.objects.filter(patient=patient_id, scheduled_time__gte=since, status__in=ahead).count()


def count_upcoming_with_doctor(by: Actor, doctor_id: UUID) -> int:
    """Returns how many appointments with the doctor are requested, booked or waiting, from now on, of those that the actor may
    see."""
    ahead = Q(status__in=rules.MOVABLE, ends_at__gte=clock.now()) | Q(status=rules.Status.CHECKED_IN)
    return Appointment.objects.visible_to(by).filter(ahead, doctor=doctor_id).count()


def care_team_doctors(patient_id: UUID) -> set[UUID]:
    """Returns the doctors that an appointment of the patient makes members of the care team."""
    rows = Appointment.objects.filter(patient=patient_id, joins_care_team=True, status__in=rules.FOR_CARE_TEAM)
    return set(rows.values_list("doctor_id", flat=True))


def last_seen(*, visible_to: Actor, patient_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Returns when each of these patients was last seen: the time of the latest completed appointment, in one statement."""
    rows = Appointment.objects.visible_to(visible_to).filter(patient__in=patient_ids, status=rules.Status.COMPLETED)
    latest = rows.order_by().values_list("patient_id").annotate(latest=Max("scheduled_time"))
    return dict(latest.values_list("patient_id", "latest"))


def busy(feed: CalendarFeed, start: datetime, end: datetime) -> QuerySet[Appointment]:
    """Returns the feed's appointments that take the doctor's time or are requested, in order. The calendar shows no patient, and
    no appointment of a chart that is closed to the doctor."""
    rows = Appointment.objects.visible_to(feed.doctor)
    rows = rows.filter(doctor=feed.doctor_id, scheduled_time__gte=start, scheduled_time__lt=end)
    return rows.exclude(status__in=[rules.Status.CANCELLED, rules.Status.NO_SHOW]).order_by("scheduled_time", "id")


def waitlist(*, visible_to: Actor, statuses: Sequence[str] = (WaitStatus.WAITING.value,)) -> QuerySet[WaitlistEntry]:
    """Returns the entries of these statuses: waiting ones alone by priority and then waiting time, others the newest first."""
    rows = WaitlistEntry.objects.visible_to(visible_to).filter(status__in=statuses)
    return rows.ranked() if set(statuses) == {WaitStatus.WAITING} else rows.order_by("-created_at", "-id")


def waitlist_entry(by: Actor, entry_id: UUID) -> WaitlistEntry:
    """Returns the entry, or raises NotFound."""
    entry = WaitlistEntry.objects.visible_to(by).filter(pk=entry_id).first()
    if entry is None:
        raise NotFound("There is no such waitlist entry.")
    return entry


def offers_of(entries: Collection[UUID]) -> dict[UUID, list[WaitlistOffer]]:
    """Returns the offers of each of these entries, the latest first, in one statement."""
    offers: dict[UUID, list[WaitlistOffer]] = {entry_id: [] for entry_id in entries}
    for offer in WaitlistOffer.objects.filter(entry__in=entries).order_by("-created_at", "-id"):
        offers[offer.entry_id].append(offer)
    return offers


def open_offers(*, visible_to: Actor) -> QuerySet[WaitlistOffer]:
    """Returns the offers that can be accepted now, with the patient and the doctor, the first to end first."""
    rows = WaitlistOffer.objects.visible_to(visible_to).filter(status=OfferStatus.OPEN, expires_at__gt=clock.now())
    rows = rows.filter(entry__status=WaitStatus.WAITING).select_related("entry__patient", "doctor")
    return rows.order_by("expires_at", "id")


def with_offers(entries: Sequence[WaitlistEntry]) -> Sequence[WaitlistEntry]:
    """Sets the `offers` of these entries and returns them, in one statement."""
    offers = offers_of([entry.pk for entry in entries])
    for entry in entries:
        vars(entry)["offers"] = offers[entry.pk]
    return entries


def rooms(*, visible_to: Actor) -> QuerySet[Room]:
    """Returns the rooms in use, by location and name."""
    return Room.objects.visible_to(visible_to).filter(is_active=True).order_by("location", "name", "id")


@dataclass(frozen=True)
class Week:
    """A doctor's published week."""

    doctor_id: UUID
    schedule: DoctorSchedule
    hours: tuple[WorkingHours, ...]
    lengths: dict[str, int]


def former_doctors(by: Actor, span: TimeSpan | None = None, *, also: UUID | None = None) -> QuerySet[Doctor]:
    """Returns the doctors who left and still have appointments that take place or were requested, in the span if one is given;
    and the former doctor `also`."""
    left = Appointment.objects.visible_to(by).filter(doctor=OuterRef("pk"), status__in=[rules.Status.REQUESTED, *rules.LIVE])
    if span is not None:
        left = left.filter(scheduled_time__gte=span.start, scheduled_time__lt=span.end)
    return accounts.former_doctors(visible_to=by).filter(Exists(left.order_by()) | Q(pk=also))


def week(by: Actor, doctor_id: UUID) -> Week:
    """Returns the doctor's week; the default one without hours if none was published. Raises NotFound."""
    check_doctor_exists(by, doctor_id)
    schedule = DoctorSchedule.objects.filter(pk=doctor_id).first() or DoctorSchedule(doctor_id=doctor_id)
    hours = tuple(WorkingHours.objects.filter(schedule=doctor_id).order_by("weekday", "starts", "valid_from", "id"))
    lengths = AppointmentLength.objects.filter(schedule=doctor_id).order_by("appointment_type")
    return Week(doctor_id, schedule, hours, dict(lengths.values_list("appointment_type", "minutes")))


def time_off(by: Actor, doctor_id: UUID) -> QuerySet[TimeOff]:
    """Returns the doctor's time off, the soonest first. Raises NotFound."""
    check_doctor_exists(by, doctor_id)
    return TimeOff.objects.visible_to(by).filter(doctor=doctor_id).order_by("starts_at", "id")


def one_time_off(by: Actor, doctor_id: UUID, time_off_id: UUID) -> TimeOff:
    """Returns one time off of the doctor. Raises NotFound."""
    row = time_off(by, doctor_id).filter(pk=time_off_id).first()
    if row is None:
        raise NotFound("There is no such time off.")
    return row


def free_slots(
    by: Actor, doctor_id: UUID, *, start: datetime, end: datetime, minutes: int | None = None, appointment_type: str = ""
) -> list[TimeSpan]:
    """Returns the doctor's future free times between the two instants, without overlaps. Raises NotFound."""
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
    """Raises NotFound unless the actor may see a doctor with this id."""
    if not accounts.doctors(visible_to=by).filter(pk=doctor_id).exists():
        raise NotFound("There is no such doctor.")


def latest_end(start: datetime) -> datetime:
    """Returns the latest end of a range that begins here."""
    return start + timedelta(days=rules.FURTHEST_DAYS)
