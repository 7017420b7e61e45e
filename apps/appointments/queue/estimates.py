"""Estimates how long a waiting patient will wait. Pure arithmetic on plain values.

A doctor sees one patient after another in the order of the queue. The doctor calls a patient after finishing all work before: the
rest of the appointments in progress, and a usual appointment for each patient ahead. That is the unfinished work before an
arrival (L. Takács' virtual waiting time, 1955). The work of an appointment is estimated by the median of recent ones, because
their lengths are skewed to the right and one that was signed the next morning must not distort the estimate. Times at which the
doctor does not work delay a start. The result is an estimate, not a promise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median
from uuid import UUID

from apps.appointments.rules import TimeSpan

MIN_SAMPLE = 5  # recent appointments; with fewer, the booked length is the better estimate
MAX_SAMPLE = 20  # the largest number of recent appointments that count
SAMPLE_PERIOD = timedelta(days=56)  # appointments within this period are recent
TRIAGE_ORDER = ("emergency", "urgent", "routine")
_MINUTE = timedelta(minutes=1)

Rank = tuple[int, datetime, UUID]


@dataclass(frozen=True, slots=True)
class InProgress:
    """An appointment in progress: when it started, and how many minutes such an appointment usually takes."""

    at: datetime
    minutes: float


def rank(triage: str, checked_in_at: datetime, appointment_id: UUID) -> Rank:
    """Returns the sort key of the queue: triage, then time of check-in."""
    return TRIAGE_ORDER.index(triage), checked_in_at, appointment_id


def usual_minutes(recent: Sequence[float], booked: int) -> float:
    """Returns the usual minutes of an appointment: the median of the recent ones of that doctor and type, or the booked length if
    there are fewer than MIN_SAMPLE."""
    return median(recent) if len(recent) >= MIN_SAMPLE else float(booked)


def remaining(visit: InProgress, now: datetime) -> timedelta:
    """Returns how much longer the appointment is likely to last; at least zero."""
    return max(visit.at + visit.minutes * _MINUTE - now, timedelta())


def estimated_starts(
    now: datetime,
    in_progress: Iterable[InProgress],
    waiting: Iterable[float],
    *,
    closed: Sequence[TimeSpan] = (),
    until: datetime,
) -> list[datetime | None]:
    """Returns when each patient is likely to be called, in order of the queue; None if the doctor has no time before `until`.

    `waiting` contains the usual minutes of each appointment, `closed` the times at which the doctor does not work. A doctor with
    an appointment in progress is working, so a closed time that contains `now` does not count.
    """
    running = list(in_progress)
    if running:
        closed = [span for span in closed if not span.start <= now < span.end]
    at, result = now + sum((remaining(visit, now) for visit in running), timedelta()), []
    for minutes in waiting:
        at = _skip_closed(at, closed)
        result.append(at if at < until else None)
        at += minutes * _MINUTE
    return result


def closed_times(hours: Sequence[TimeSpan], off: Iterable[TimeSpan], day: TimeSpan) -> list[TimeSpan]:
    """Returns when a doctor does not work on a day, in order: before the day's first hours, between hours, and in time off.

    The time after the last hours is not closed, because the doctor still sees the patients who wait by then. On a day without
    hours only time off counts.
    """
    edges = [day.start, *(span.end for span in hours)]
    gaps = [TimeSpan(edge, span.start) for edge, span in zip(edges, hours, strict=False) if edge < span.start]
    return sorted([*gaps, *off], key=lambda span: span.start)


def average(minutes: Sequence[float]) -> float | None:
    """Returns the mean, rounded to a tenth of a minute; None for an empty list."""
    return round(fmean(minutes), 1) if minutes else None


def band(minutes: int, amber: int, red: int) -> str:
    """Classifies a wait as `red` or `amber` from these minutes on, else as an empty string."""
    return "red" if minutes >= red else "amber" if minutes >= amber else ""


def whole_minutes(time: timedelta, *, up: bool = False) -> int:
    """Returns the whole minutes of the time, rounded down, or up with `up`; at least zero."""
    time = max(time, timedelta())
    return -(-time // _MINUTE) if up else time // _MINUTE


def _skip_closed(at: datetime, closed: Sequence[TimeSpan]) -> datetime:
    for span in closed:
        if span.start <= at < span.end:
            at = span.end
    return at
