"""How long somebody in the waiting room will wait. Pure arithmetic on plain values.

A doctor sees one person after another in the order of the queue. Whoever waits is called when the doctor is through with all that
comes before: what is left of the visits that go on, and a usual visit for each person ahead. That is the unfinished work in front
of an arrival (L. Takács' virtual waiting time, 1955), with the work of each visit estimated by the median of recent ones: lengths
of visits are skewed to the right, and one that was signed the next morning must not move everybody. Times at which the doctor
does not work push a start behind them. It is an estimate: nobody is promised it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median
from uuid import UUID

from apps.appointments.rules import TimeSpan

MIN_SAMPLE = 5  # recent visits; of fewer the booked length says more
MAX_SAMPLE = 20  # recent visits that are looked at
SAMPLE_PERIOD = timedelta(days=56)  # that count as recent
TRIAGE_ORDER = ("emergency", "urgent", "routine")
_MINUTE = timedelta(minutes=1)

Rank = tuple[int, datetime, UUID]


@dataclass(frozen=True, slots=True)
class InProgress:
    """A visit that goes on: since when, and how many minutes one like it takes."""

    at: datetime
    minutes: float


def rank(triage: str, checked_in_at: datetime, appointment_id: UUID) -> Rank:
    """What the queue is sorted by: triage, then who came first."""
    return TRIAGE_ORDER.index(triage), checked_in_at, appointment_id


def usual_minutes(recent: Sequence[float], booked: int) -> float:
    """How many minutes a visit takes: the median of recent ones of that doctor and type, the booked length where they are few."""
    return median(recent) if len(recent) >= MIN_SAMPLE else float(booked)


def remaining(visit: InProgress, now: datetime) -> timedelta:
    """How much longer the visit should go on; never less than nothing."""
    return max(visit.at + visit.minutes * _MINUTE - now, timedelta())


def estimated_starts(
    now: datetime,
    in_progress: Iterable[InProgress],
    waiting: Iterable[float],
    *,
    closed: Sequence[TimeSpan] = (),
    until: datetime,
) -> list[datetime | None]:
    """When each person should be called, in order of the queue; None for whom the doctor has no time before `until`.

    `waiting` holds the usual minutes of each visit, `closed` the times at which the doctor does not work. Who is with somebody is
    at work, whatever was published: a closed time that `now` lies in does not count then.
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
    """When a doctor does not work on a day: before the first of the day's hours, between them, and in time off; in order.

    Behind the last hour nothing is closed: who waits by then is still seen. Without hours that day only time off counts.
    """
    edges = [day.start, *(span.end for span in hours)]
    gaps = [TimeSpan(edge, span.start) for edge, span in zip(edges, hours, strict=False) if edge < span.start]
    return sorted([*gaps, *off], key=lambda span: span.start)


def average(minutes: Sequence[float]) -> float | None:
    """The mean, to a tenth of a minute; None of nothing."""
    return round(fmean(minutes), 1) if minutes else None


def band(minutes: int, amber: int, red: int) -> str:
    """How long is that: `red`, `amber` or nothing to remark, from these minutes on."""
    return "red" if minutes >= red else "amber" if minutes >= amber else ""


def whole_minutes(time: timedelta, *, up: bool = False) -> int:
    """Minutes that have passed, or with `up` those after which it will have; never less than none."""
    time = max(time, timedelta())
    return -(-time // _MINUTE) if up else time // _MINUTE


def _skip_closed(at: datetime, closed: Sequence[TimeSpan]) -> datetime:
    for span in closed:
        if span.start <= at < span.end:
            at = span.end
    return at
