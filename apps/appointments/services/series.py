"""Books repeated appointments at the same time of day, and cancels the future appointments of a series."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.appointments import rules
from apps.appointments.events import SeriesBooked
from apps.appointments.models import Appointment, Series
from apps.appointments.rights import Permission
from apps.appointments.scheduling import availability, recurrence
from apps.appointments.scheduling.availability import OtherDoctorsSchedule
from apps.appointments.scheduling.recurrence import ClockChange, InvalidRecurrence, Occurrence, Rhythm
from apps.appointments.services import booking, locking, transitions
from apps.appointments.services.booking import BookingResult, NewAppointment, SlotTaken
from apps.common import clock
from apps.common.errors import Conflict, Invalid, NotFound
from apps.events.services import emit

_CLOCK_WARNINGS = {
    ClockChange.SKIPPED: "The clocks skip that time of day: booked at the corresponding time after the change.",
    ClockChange.REPEATED: "That time of day occurs twice when the clocks change: booked at the first.",
}


class NothingBooked(Conflict):
    """No appointment of the series could be booked. `details.clashes` has the reason and the alternatives for each."""

    message = "Every appointment of the series conflicts with another."


class NothingToCancel(Conflict):
    message = "This series has no future appointments."


@dataclass(frozen=True, kw_only=True)
class NewSeries:
    """`first` is the first appointment; the others follow in the rhythm, 2 to 52 in all."""

    first: NewAppointment
    rhythm: Rhythm


@dataclass(frozen=True)
class Clash:
    """An appointment that was left out: what is taken at that time, and up to three free times."""

    scheduled_time: datetime
    taken: Sequence[str]
    alternatives: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class SeriesWarning:
    """A remark about some appointments of the series."""

    code: str
    message: str
    scheduled_times: tuple[datetime, ...]


@dataclass(frozen=True)
class BookedSeries:
    """The booked appointments, and those that were left out."""

    series: Series
    appointments: tuple[Appointment, ...]
    clashes: tuple[Clash, ...]
    warnings: tuple[SeriesWarning, ...]


@locking.retry_on_deadlock
def book_series(*, by: Actor, new: NewSeries) -> BookedSeries:
    """Books all appointments of the series whose times are free. It returns the conflicts and books the others.

    Raises NothingBooked, and what `book` raises except SlotTaken; Forbidden for a doctor who books for another.
    """
    occurrences = _occurrences(new)
    _check_owner(by, new.first.doctor_id)
    patient = booking.patient_to_book(by, new.first.patient_id, at=new.first.scheduled_time)
    transitions.lock_places(new.first.doctor_id or by.id, new.first.room_id)  # we take many times: no move may cross them
    series = Series.of(new.rhythm, occurrences=len(occurrences))
    series.save(force_insert=True)
    done: list[tuple[Occurrence, BookingResult]] = []
    clashes: list[Clash] = []
    for one in occurrences:  # in order of time, so that two series of one doctor cannot deadlock
        asked = replace(new.first, scheduled_time=one.at, series_id=series.pk, with_series=True)
        try:
            done.append((one, booking.book(by=by, new=asked)))
        except SlotTaken as taken:
            clashes.append(Clash(one.at, taken.details["taken"], taken.details["alternatives"]))
    if not done:
        raise NothingBooked(clashes=[vars(clash) for clash in clashes])
    event = SeriesBooked(
        series_id=series.pk,
        patient_id=patient.pk,
        doctor_id=done[0][1].appointment.doctor_id,
        every_weeks=series.every_weeks,
        frequency=series.frequency,
        interval=series.interval,
        booked=len(done),
    )
    emit(event, by=by)
    return BookedSeries(series, tuple(booked.appointment for _, booked in done), tuple(clashes), _warnings(done))


def _occurrences(new: NewSeries) -> list[Occurrence]:
    try:
        return recurrence.occurrences(new.first.scheduled_time, rhythm=new.rhythm, zone=availability.clinic_zone())
    except InvalidRecurrence as unfit:
        raise Invalid(field=unfit.field, issue=unfit.issue) from unfit


@transaction.atomic
def plan_series(*, by: Actor, new: NewSeries) -> BookedSeries:
    """Returns what `book_series` would book now: it books the series and rolls back. Raises the same errors."""
    planned = book_series(by=by, new=new)
    transaction.set_rollback(True)
    return planned


@locking.retry_on_deadlock
def cancel_rest(
    *, by: Actor, series_id: UUID, reason: str = "", notify_patient: bool = True, since: datetime | None = None
) -> list[Appointment]:
    """Cancels the future appointments of a series from an instant on, and returns them.

    Raises NotFound, Forbidden for a doctor in another doctor's schedule, NothingToCancel.
    """
    appointments = Appointment.objects.visible_to(by).filter(series=series_id)
    if not appointments.exists():
        raise NotFound("There is no such series.")
    start = max(since, clock.now()) if since else clock.now()
    coming = appointments.filter(scheduled_time__gte=start, status__in=rules.MOVABLE)
    locked = locking.lock_appointments(by, coming.values_list("pk", flat=True))
    rows = [row for row in locked if row.status in rules.MOVABLE and row.scheduled_time >= start]
    if not rows:
        raise NothingToCancel
    notified_id = rows[0].pk if notify_patient else None  # one notification for all of them
    return [transitions.cancel(by=by, appointment_id=row.pk, reason=reason, notify_patient=row.pk == notified_id) for row in rows]


def _check_owner(by: Actor, doctor_id: UUID | None) -> None:
    if doctor_id and doctor_id != by.id and not by.has_permission(Permission.APPOINTMENT_ANY):
        raise OtherDoctorsSchedule("Doctors can book series only in their own schedule.", field="doctor_id")


def _warnings(done: Sequence[tuple[Occurrence, BookingResult]]) -> tuple[SeriesWarning, ...]:
    """Returns each warning once, with its times."""
    times_by_warning: dict[tuple[str, str], list[datetime]] = {}
    for one, booked in done:
        warnings = [(caution.code, caution.message) for caution in booked.warnings]
        warnings += [(str(one.change), _CLOCK_WARNINGS[one.change])] if one.change else []
        for key in warnings:
            times_by_warning.setdefault(key, []).append(one.at)
    return tuple(SeriesWarning(code, message, tuple(times)) for (code, message), times in times_by_warning.items())
