"""Which status may follow which, and which times are free. Pure decisions on plain values.

Times are half open: the next appointment may begin at the instant at which one ends. A working day is written in the clinic's
local time and converted to instants day by day, so a day on which the clocks change has its true number of hours.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.common.lifecycle.states import Lifecycle

SLOT_MINUTES = 15  # the default slot length
SHORTEST, LONGEST = 5, 480  # the minutes that an appointment may take
OVERBOOK_PER_DAY = 6  # the default number of overbook seats
FURTHEST_DAYS = 366  # the longest range for which free times can be requested
SPREAD = timedelta(days=60)  # the period in which alternatives are searched


class Status(StrEnum):
    REQUESTED = "requested"
    SCHEDULED = "scheduled"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


S = Status
LIFECYCLE = Lifecycle(
    moves={
        S.REQUESTED: (S.SCHEDULED, S.CANCELLED),
        S.SCHEDULED: (S.CONFIRMED, S.CHECKED_IN, S.CANCELLED, S.NO_SHOW),
        S.CONFIRMED: (S.CHECKED_IN, S.CANCELLED, S.NO_SHOW),
        S.CHECKED_IN: (S.CANCELLED, S.NO_SHOW),
        S.IN_PROGRESS: (),
        S.NO_SHOW: (S.CHECKED_IN,),
        S.COMPLETED: (),
        S.CANCELLED: (),
    },
    by_system={  # by the consultation, and by undoing a check-in
        S.SCHEDULED: (S.IN_PROGRESS,),
        S.CONFIRMED: (S.IN_PROGRESS,),
        S.CHECKED_IN: (S.IN_PROGRESS, S.SCHEDULED, S.CONFIRMED),
        S.IN_PROGRESS: (S.COMPLETED, S.CHECKED_IN),
    },
)
LIVE = (S.SCHEDULED, S.CONFIRMED, S.CHECKED_IN, S.IN_PROGRESS)
FOR_CARE_TEAM = (*LIVE, S.COMPLETED)  # an appointment in one of these makes its doctor a member of the care team
MOVABLE = (S.REQUESTED, S.SCHEDULED, S.CONFIRMED)  # time, length, doctor and room can still change
BEFORE_CHECK_IN = (S.SCHEDULED, S.CONFIRMED)  # the statuses to which an undone check-in returns

MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """From `start` to before `end`, both aware."""

    start: datetime
    end: datetime

    def overlaps(self, other: "TimeSpan") -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class AppointmentPlace:
    """An appointment's doctor, time and room."""

    doctor_id: UUID
    scheduled_time: datetime
    room_id: UUID | None


@dataclass(frozen=True, slots=True)
class Hours:
    """A doctor's published hours on one weekday (0 is Monday), in the clinic's local time, on days from `since` to `until`.

    `ends` at 00:00 is the midnight that ends the day, written 24:00.
    """

    weekday: int
    starts: time
    ends: time
    since: date = date.min
    until: date | None = None

    def counts_on(self, day: date) -> bool:
        return day.weekday() == self.weekday and self.since <= day and (self.until is None or day <= self.until)

    def span(self, day: date, zone: ZoneInfo) -> TimeSpan:
        """Returns the hours of one day."""
        last = day + timedelta(days=1) if self.ends == MIDNIGHT else day
        return TimeSpan(instant(day, self.starts, zone), instant(last, self.ends, zone))


def clock_time(at: time, *, is_end: bool = False) -> str:
    """Returns a local time as HH:MM; the midnight that ends a day as 24:00."""
    return "24:00" if is_end and at == MIDNIGHT else f"{at:%H:%M}"


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Returns the UTC instant of a local time. For a time that the clocks skip it is the corresponding time after the change, and
    for one that occurs twice the first (PEP 495, fold=0)."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def open_spans(hours: Iterable[Hours], days: Iterable[date], zone: ZoneInfo) -> list[TimeSpan]:
    """Returns when a doctor works on these days, in order."""
    known = list(hours)
    spans = [one.span(day, zone) for day in days for one in known if one.counts_on(day)]
    return sorted((span for span in spans if span.start < span.end), key=lambda span: span.start)


def joined(spans: Iterable[TimeSpan]) -> list[TimeSpan]:
    """Returns the spans in order, with touching ones joined: a doctor who works past midnight has two spans without a break."""
    whole: list[TimeSpan] = []
    for span in spans:
        if whole and span.start <= whole[-1].end:
            whole[-1] = TimeSpan(whole[-1].start, max(whole[-1].end, span.end))
        else:
            whole.append(span)
    return whole


def days_between(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[date]:
    """Yields the days of a range, in the clinic's time zone."""
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def without(spans: Iterable[TimeSpan], taken: Sequence[TimeSpan]) -> Iterator[TimeSpan]:
    """Yields the parts of the spans that are not taken. Both lists are in order."""
    for span in spans:
        start = span.start
        for busy in taken:
            if busy.start >= span.end:
                break
            if busy.end <= start:
                continue
            if busy.start > start:
                yield TimeSpan(start, busy.start)
            start = max(start, busy.end)
        if start < span.end:
            yield TimeSpan(start, span.end)


def slots(
    spans: Iterable[TimeSpan], taken: Sequence[TimeSpan], *, minutes: int, grid: int, start: datetime, end: datetime
) -> Iterator[TimeSpan]:
    """Yields free times of `minutes` within the spans and the range, without overlaps, on the grid that begins with each span.

    After a taken time the next free time begins on the next line of the grid. `taken` is in order of its starts.
    """
    length, step, index = timedelta(minutes=minutes), timedelta(minutes=grid), 0
    for span in spans:
        at = span.start
        if at < start:
            at += -((at - start) // step) * step
        while at + length <= span.end and at < end:
            while index < len(taken) and taken[index].end <= at:
                index += 1
            busy = _first_overlap(taken, index, at, at + length)
            if busy is None:
                yield TimeSpan(at, at + length)
                at += length
                at += (span.start - at) % step
            else:
                at += -((at - busy.end) // step) * step


def _first_overlap(taken: Sequence[TimeSpan], index: int, start: datetime, end: datetime) -> TimeSpan | None:
    while index < len(taken) and taken[index].start < end:
        if taken[index].end > start:
            return taken[index]
        index += 1
    return None
