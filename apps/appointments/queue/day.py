"""The appointments of a day: how many there are of each status, which come next, and those of one doctor."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Count, Min, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.db.models.lookups import GreaterThanOrEqual

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.accounts.models import Doctor
from apps.appointments import rules
from apps.appointments.models import Appointment, StatusChange
from apps.appointments.rules import Status, TimeSpan
from apps.appointments.scheduling import availability, doctor_hours
from apps.common import clock

TO_ARRIVE = (Status.REQUESTED, Status.SCHEDULED, Status.CONFIRMED)
NOT_CONFIRMED = (Status.REQUESTED, Status.SCHEDULED)
_LATE_SHOWN = 3  # so that forgotten appointments of the morning do not hide the next ones


@dataclass(frozen=True)
class DayNumbers:
    """How many appointments of a day have which status."""

    by_status: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Returns the number of all appointments that were not cancelled."""
        return sum(number for status, number in self.by_status.items() if status != Status.CANCELLED)

    def of(self, *statuses: Status) -> int:
        """Returns how many appointments have one of the statuses."""
        return sum(self.by_status.get(status, 0) for status in statuses)


def span_of(day: date, days: int = 1) -> TimeSpan:
    """Returns the instants at which the day begins and the last of so many days ends, in the clinic's time zone."""
    zone = availability.clinic_zone()
    return TimeSpan(rules.instant(day, time.min, zone), rules.instant(day + timedelta(days=days), time.min, zone))


def numbers(by: Actor, days: Sequence[date]) -> list[DayNumbers]:
    """Returns the numbers of these days, which follow one another. One statement."""
    span, zone = span_of(days[0], len(days)), availability.clinic_zone()
    rows = Appointment.objects.visible_to(by).filter(scheduled_time__gte=span.start, scheduled_time__lt=span.end).order_by()
    counted: dict[date, Counter[str]] = defaultdict(Counter)
    by_day = rows.annotate(day=TruncDate("scheduled_time", tzinfo=zone)).values_list("day", "status").annotate(Count("pk"))
    for day, status, number in by_day:
        counted[day][status] = number
    return [DayNumbers(counted[day]) for day in days]


def arriving(by: Actor, limit: int) -> list[Appointment]:
    """Returns today's next patients in order of time, with patient, doctor and room. Patients who are late come first: a few of
    them, or more if the others do not fill the list. Two statements."""
    now, span = clock.now(), span_of(clock.today())
    rows = Appointment.objects.visible_to(by).filter(status__in=TO_ARRIVE).select_related("patient", "doctor", "room")
    next_ones = list(rows.filter(scheduled_time__gte=now, scheduled_time__lt=span.end).order_by("scheduled_time", "id")[:limit])
    late = rows.filter(scheduled_time__gte=span.start, scheduled_time__lt=now).order_by("-scheduled_time", "-id")
    shown = list(late[: max(_LATE_SHOWN, limit - len(next_ones))])
    return [*reversed(shown), *next_ones][:limit]


def of_doctor(by: Actor, doctor_id: UUID) -> list[Appointment]:
    """Returns today's appointments that this doctor attends, without cancelled ones, in order of time, with patient and room.
    One statement."""
    span = span_of(clock.today())
    attends = Q(attending_doctor=doctor_id) | Q(attending_doctor=None, doctor=doctor_id)
    today = Q(scheduled_time__gte=span.start, scheduled_time__lt=span.end)
    # for another day's appointment
    came = Q(status=Status.CHECKED_IN, checked_in_at__gte=span.start) | in_progress_since(span.start)
    rows = Appointment.objects.visible_to(by).filter(attends, today | came).exclude(status=Status.CANCELLED)
    return list(rows.select_related("patient", "room").order_by("scheduled_time", "id"))


def in_progress_since(at: datetime) -> Q:
    """Returns the condition for patients in progress who were called at this instant or later, however long ago they came.

    A scalar subquery, not EXISTS: the planner cannot turn it into a scan of the whole history.
    """
    begun = StatusChange.objects.filter(appointment=OuterRef("pk"), to_status=Status.IN_PROGRESS).order_by("-id")
    called_at = Coalesce(Subquery(begun.values("at")[:1]), "checked_in_at")
    return Q(GreaterThanOrEqual(called_at, at), status=Status.IN_PROGRESS)


@dataclass(frozen=True)
class OpenRequests:
    """How many requested appointments wait for an answer, and since when."""

    number: int
    since: datetime | None


def open_requests(by: Actor) -> OpenRequests:
    """Returns the requested appointments of the future. One statement."""
    rows = Appointment.objects.visible_to(by).filter(status=Status.REQUESTED, scheduled_time__gte=clock.now())
    row = rows.aggregate(number=Count("pk"), since=Min("created_at"))
    return OpenRequests(row["number"], row["since"])


@dataclass(frozen=True)
class DoctorLoad:
    """A doctor's day: the numbers by status, and the minutes that are booked and that the doctor works. None without hours."""

    doctor: Doctor
    numbers: DayNumbers
    booked_minutes: int
    open_minutes: int

    @property
    def share(self) -> int | None:
        """Returns the share of the working time that is booked, in percent; None if the doctor does not work."""
        return round(100 * self.booked_minutes / self.open_minutes) if self.open_minutes else None


def load(by: Actor) -> list[DoctorLoad]:
    """Returns today's load of the doctors who work or have appointments, by name. At most four statements."""
    day, doctors = clock.today(), list(accounts.doctors(visible_to=by))
    span, ids = span_of(day), [doctor.pk for doctor in doctors]
    statuses: dict[UUID, Counter[str]] = defaultdict(Counter)
    minutes: Counter[UUID] = Counter()
    rows = Appointment.objects.visible_to(by).filter(scheduled_time__gte=span.start, scheduled_time__lt=span.end).order_by()
    grouped = rows.filter(doctor__in=ids).values_list("doctor", "status").annotate(Count("pk"), Sum("duration_minutes"))
    for doctor_id, status, number, booked in grouped:
        statuses[doctor_id][status] = number
        minutes[doctor_id] += booked if status not in (Status.CANCELLED, Status.REQUESTED) else 0
    working = _open_minutes(ids, day, span)
    loads = [DoctorLoad(one, DayNumbers(statuses[one.pk]), minutes[one.pk], working.get(one.pk, 0)) for one in doctors]
    return [one for one in loads if one.numbers.total or one.open_minutes]


def _open_minutes(ids: Collection[UUID], day: date, span: TimeSpan) -> dict[UUID, int]:
    """Returns how many minutes each doctor works on the day, without time off."""
    hours, off = doctor_hours.hours_of(ids), doctor_hours.time_off_of(ids, span.start, span.end)
    result = {}
    for doctor_id, weekly in hours.items():
        spans = rules.open_spans(weekly, [day], availability.clinic_zone())
        away = sorted(off.get(doctor_id, []), key=lambda one: one.start)
        worked = (part.end - part.start for part in rules.without(spans, away))
        result[doctor_id] = sum(worked, timedelta()) // timedelta(minutes=1)
    return result
