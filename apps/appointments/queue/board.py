"""The waiting patients in order, with their estimated wait, in a fixed number of statements.

Each request computes the queue from the appointments and their history, so no stored value can become stale. Restricted charts
that the actor may not see are neither shown nor counted, but their appointments take their doctor's time, as in the schedule.

A patient with a nurse is shown before the waiting patients once a vital sign needs the doctor or the nurse has marked the patient
as ready. Otherwise the doctor would not see them here. An appointment that was handed over is shown under the doctor who has it.

A patient who was checked in on an earlier day and never seen is shown after the patients of the day, marked as left over, without
an estimate and not counted as waiting, until a user changes the appointment's status.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from apps.access.actor import Actor
from apps.appointments import rules
from apps.appointments.models import Appointment, StatusChange
from apps.appointments.queue import estimates, sql
from apps.appointments.queue.day import in_progress_since
from apps.appointments.queue.estimates import InProgress
from apps.appointments.rights import Permission
from apps.appointments.rules import Status, TimeSpan
from apps.appointments.scheduling import availability, doctor_hours
from apps.appointments.scheduling.availability import OtherDoctorsSchedule
from apps.common import clock
from apps.rest import paging
from apps.rest.paging import Total

_NO_LIMIT = 2**31
_MIN_REACH = timedelta(hours=4)  # an estimate reaches to midnight, and in the evening at least this far
_LONGEST = timedelta(minutes=rules.LONGEST)
_SAME_MOMENT = timedelta(seconds=1)  # a patient who is taken in directly is checked in at the same moment


@dataclass(frozen=True)
class QueueEntry:
    """A waiting patient, or a patient with a nurse who is marked. `position` counts from 1 within the filtered queue.

    `estimated_start` is None if the doctor has no time left today, and for appointments that are `left_over` from an earlier day.
    """

    position: int
    appointment: Appointment  # with patient, both doctors and room
    waiting_minutes: int
    estimated_start: datetime | None = None
    estimated_wait_minutes: int | None = None
    left_over: bool = False


@dataclass(frozen=True)
class Summary:
    """The numbers of the filtered queue. `longest_wait_minutes` is None if no patient waits, `average_wait_minutes_today` if none
    has started today."""

    waiting: int
    in_progress: int
    left_over: int
    emergency: int
    urgent: int
    longest_wait_minutes: int | None
    average_wait_minutes_today: float | None
    called_today: int
    alerts: int
    ready: int


@dataclass(frozen=True)
class QueueBoard:
    """A page of the queue, the length of the whole queue, and its numbers. `others` are the patients in progress who are not in
    the queue, because no mark asks for the doctor; all of them, in order of check-in."""

    entries: list[QueueEntry]
    total: Total
    summary: Summary
    at: datetime
    others: list[Appointment] = field(default_factory=list)


@dataclass(frozen=True)
class _DoctorQueue:
    """The patients of one doctor, including restricted charts."""

    in_progress: list[InProgress] = field(default_factory=list)
    waiting: list[tuple[estimates.Rank, float]] = field(default_factory=list)  # unordered, each with the usual minutes


def current(*, by: Actor, offset: int = 0, limit: int = _NO_LIMIT, **filters: Any) -> QueueBoard:
    """Returns the queue. Filters: doctor_id, room_id, triage. A doctor sees only their own queue; raises Forbidden for another's.

    At most ten statements.
    """
    now, own_filters = clock.now(), _own_filters(by, filters)
    day = _day_of(now)
    present = list(
        _present(by, _condition(own_filters), day, now).select_related("patient", "doctor", "attending_doctor", "room")
    )
    waiting, marked = [row for row in present if row.status == Status.CHECKED_IN], _marked(present)
    estimated_starts = _estimates(waiting, day, now)
    entries = [_entry(number, row, estimated_starts.get(row.pk), now) for number, row in enumerate([*marked, *waiting], 1)]
    left_over, left_over_total = _left_over(
        by, Q(**own_filters), day, now, skip=offset - len(entries), limit=limit, behind=len(entries)
    )
    called = _waits_today(by, Q(**own_filters), day)
    summary = Summary(
        waiting=len(waiting),
        in_progress=len(present) - len(waiting),
        left_over=left_over_total.rows,
        emergency=sum(row.triage == "emergency" for row in waiting),
        urgent=sum(row.triage == "urgent" for row in waiting),
        longest_wait_minutes=max((entry.waiting_minutes for entry in entries[len(marked) :]), default=None),
        average_wait_minutes_today=estimates.average(called),
        called_today=len(called),
        alerts=sum(row.alert_since is not None for row in present),
        ready=sum(row.ready_since is not None for row in marked),
    )
    shown = [*entries[offset : offset + limit], *left_over]
    total = Total(len(entries) + left_over_total.rows, left_over_total.is_estimate)
    others = [row for row in present if row.status == Status.IN_PROGRESS and row not in marked]
    return QueueBoard(shown[:limit], total, summary, now, sorted(others, key=lambda row: row.checked_in_at or now))


def count_waiting(by: Actor) -> int:
    """Returns how many patients that the actor may see are waiting now."""
    now = clock.now()
    return _present(by, _condition(_own_filters(by, {})), _day_of(now), now).filter(status=Status.CHECKED_IN).count()


def count_by_doctor(by: Actor) -> dict[UUID, int]:
    """Returns how many patients that the actor may see are here for each doctor: waiting or in progress. One statement."""
    now = clock.now()
    rows = _present(by, _condition(_own_filters(by, {})), _day_of(now), now).order_by()
    attends = rows.annotate(attends=Coalesce("attending_doctor_id", "doctor_id")).values_list("attends")
    return dict(attends.annotate(Count("pk")))


def next_waiting(by: Actor, *, after: UUID) -> Appointment | None:
    """Returns the appointment of the patient who waits behind this patient; of the first who waits if this patient does not wait.
    None if no other patient waits there. One query."""
    now = clock.now()
    rows = _present(by, _condition(_own_filters(by, {})), _day_of(now), now).filter(status=Status.CHECKED_IN)
    waiting = list(rows.select_related("patient"))
    places = [place for place, row in enumerate(waiting) if row.patient_id == after]
    return next(iter(waiting[places[-1] + 1 :] if places else waiting), None)


def _own_filters(by: Actor, filters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the filters, limited to the actor's own queue unless the actor may see all."""
    own_filters = {name: value for name, value in filters.items() if value is not None}
    if not by.has_permission(Permission.APPOINTMENT_ANY) and own_filters.setdefault("doctor_id", by.id) != by.id:
        raise OtherDoctorsSchedule("Doctors see only their own queue.", field="doctor_id")
    return own_filters


def _condition(filters: Mapping[str, Any]) -> Q:
    """Returns the filters as a condition. `doctor_id` is the attending doctor, who after a handover is not the booked one."""
    rest = {name: value for name, value in filters.items() if name != "doctor_id"}
    if "doctor_id" not in filters:
        return Q(**rest)
    return Q(Q(attending_doctor=filters["doctor_id"]) | Q(attending_doctor=None, doctor=filters["doctor_id"]), **rest)


def _day_of(now: datetime) -> TimeSpan:
    zone = availability.clinic_zone()
    today = now.astimezone(zone).date()
    return TimeSpan(rules.instant(today, time.min, zone), rules.instant(today + timedelta(days=1), time.min, zone))


def _in_order(rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Orders the appointments like `estimates.rank`."""
    urgency = Case(
        *(When(triage=word, then=Value(number)) for number, word in enumerate(estimates.TRIAGE_ORDER)),
        output_field=IntegerField(),
    )
    return rows.order_by(urgency, "checked_in_at", "id")


def _present(by: Actor, condition: Q, day: TimeSpan, now: datetime) -> QuerySet[Appointment]:
    return _in_order(Appointment.objects.visible_to(by).filter(condition, _on_site(day, now)))


def _on_site(day: TimeSpan, now: datetime) -> Q:
    """Returns the condition for patients who checked in today and wait, or who are in progress, which may last past midnight.

    A patient in progress may have been checked in on an earlier day and is judged by the call."""
    in_progress = in_progress_since(min(day.start, now - _LONGEST))
    return Q(status=Status.CHECKED_IN, checked_in_at__gte=day.start) | in_progress


def _marked(present: Iterable[Appointment]) -> list[Appointment]:
    """Returns the marked patients who are with a nurse: first alerts, then ready patients, each by the time of the mark."""
    rows = [row for row in present if row.status == Status.IN_PROGRESS and (row.alert_since or row.ready_since)]
    return sorted(rows, key=lambda row: (row.alert_since is None, row.alert_since or row.ready_since))


def _entry(position: int, row: Appointment, estimated_start: datetime | None, now: datetime) -> QueueEntry:
    assert row.checked_in_at is not None  # the query selected the row by it
    waited = estimates.whole_minutes(now - row.checked_in_at)
    wait = None if estimated_start is None else estimates.whole_minutes(estimated_start - now, up=True)
    return QueueEntry(position, row, waited, estimated_start, wait)


# The remaining wait


def _estimates(waiting: Collection[Appointment], day: TimeSpan, now: datetime) -> dict[UUID, datetime]:
    """Returns the estimated start by appointment. Patients that the doctor cannot see today are left out. Four statements, none
    if no patient waits."""
    doctors = {row.doctor_id for row in waiting}
    if not doctors:
        return {}
    until, zone = max(day.end, now + _MIN_REACH), availability.clinic_zone()
    queues, hours, off = (
        _doctor_queues(doctors, day, now),
        doctor_hours.hours_of(doctors),
        doctor_hours.time_off_of(doctors, day.start, until),
    )
    starts_by_appointment: dict[UUID, datetime] = {}
    for doctor_id, doctor_queue in queues.items():
        open_spans = rules.open_spans(hours.get(doctor_id, []), [now.astimezone(zone).date()], zone)
        closed = estimates.closed_times(open_spans, off.get(doctor_id, []), day)
        queue = sorted(doctor_queue.waiting)
        starts = estimates.estimated_starts(
            now, doctor_queue.in_progress, [minutes for _, minutes in queue], closed=closed, until=until
        )
        starts_by_appointment |= {rank[2]: at for (rank, _), at in zip(queue, starts, strict=True) if at is not None}
    return starts_by_appointment


def _doctor_queues(doctors: Collection[UUID], day: TimeSpan, now: datetime) -> dict[UUID, _DoctorQueue]:
    last_begun = StatusChange.objects.filter(appointment=OuterRef("pk"), to_status=Status.IN_PROGRESS).order_by("-id")
    rows = list(
        Appointment.objects.annotate(attends=Coalesce("attending_doctor_id", "doctor_id"))
        .filter(_on_site(day, now), attends__in=doctors)
        .values_list(
            "id",
            "attends",
            "appointment_type",
            "duration_minutes",
            "triage",
            "checked_in_at",
            "status",
            Subquery(last_begun.values("at")[:1]),
        )
    )
    recent = _recent_minutes({(row[1], row[2]) for row in rows}, now)
    queues: dict[UUID, _DoctorQueue] = defaultdict(_DoctorQueue)
    for appointment_id, doctor_id, kind, booked, triage, checked_in_at, status, started_at in rows:
        minutes = estimates.usual_minutes(recent.get((doctor_id, kind), []), booked)
        if status == Status.CHECKED_IN:
            queues[doctor_id].waiting.append((estimates.rank(triage, checked_in_at, appointment_id), minutes))
        else:
            queues[doctor_id].in_progress.append(InProgress(started_at or checked_in_at, minutes))
    return queues


def _recent_minutes(kinds: Iterable[tuple[UUID, str]], now: datetime) -> dict[tuple[UUID, str], list[float]]:
    """Returns how many minutes recent appointments took from start to signature, by doctor and type; at most MAX_SAMPLE of
    each."""
    pairs = sorted(kinds)
    if not pairs:
        return {}
    rows = sql.recent_minutes(
        pairs, since=now - estimates.SAMPLE_PERIOD, until=now + timedelta(days=1), limit=estimates.MAX_SAMPLE
    )
    return {(doctor, kind): minutes for doctor, kind, minutes in rows}


# The past waits


def _waits_today(by: Actor, condition: Q, day: TimeSpan) -> list[float]:
    """Returns the minutes from check-in to start, by the events, of each appointment that was checked in and started today.

    A patient who was returned to the queue counts once: until the first start. A patient who was taken in directly did not wait
    and does not count.
    """
    events = StatusChange.objects.filter(appointment=OuterRef("pk"))
    came = events.filter(to_status=Status.CHECKED_IN).exclude(from_status=Status.IN_PROGRESS).order_by("-id")
    began = events.filter(to_status=Status.IN_PROGRESS, at__gte=OuterRef("checked_in_at")).order_by("id")
    rows = Appointment.objects.visible_to(by).filter(condition, Exists(began), checked_in_at__gte=day.start).order_by()
    pairs = rows.values_list(Subquery(came.values("at")[:1]), Subquery(began.values("at")[:1]))
    return [(start - at).total_seconds() / 60 for at, start in pairs if at is not None and start - at >= _SAME_MOMENT]


# Patients who were never seen


def _left_over(
    by: Actor, condition: Q, day: TimeSpan, now: datetime, *, skip: int, limit: int, behind: int
) -> tuple[list[QueueEntry], Total]:
    """Returns the entries of earlier days that are on this page, and how many there are."""
    checked_in = Appointment.objects.visible_to(by).filter(condition, status=Status.CHECKED_IN)
    rows = _in_order(checked_in.exclude(checked_in_at__gte=day.start))
    first, total = max(skip, 0), paging.capped(rows)
    reached = rows.select_related("patient", "doctor", "room")[first : first + max(limit + min(skip, 0), 0)]
    entries = [
        QueueEntry(behind + number, row, estimates.whole_minutes(now - (row.checked_in_at or row.scheduled_time)), left_over=True)
        for number, row in enumerate(reached, first + 1)
    ]
    return entries, total
