"""Which entries fit a freed time, and which part of it is worth an offer. Pure decisions on plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.appointments.rules import SHORTEST, TimeSpan, without
from apps.common.lifecycle.states import Lifecycle

MIN_NOTICE = timedelta(minutes=10)  # a patient who is called now needs this long to arrive
MIN_LEAD = timedelta(minutes=5)  # a time that begins sooner is no longer offered
_STEP = timedelta(minutes=5)  # the rest of a time that has begun starts on such a line

# Of an entry of the waitlist: a patient who accepts an offer is booked.
LIFECYCLE = Lifecycle(
    moves={"waiting": ("booked", "withdrawn"), "booked": (), "withdrawn": (), "expired": ()},
    by_system={"waiting": ("expired",)},  # the worker, after the last day
)


@dataclass(frozen=True)
class Preference:
    """When a patient would come: days and times in the clinic's time zone, both ends included. Without times, at any time."""

    date_from: date
    date_to: date
    time_from: time | None = None
    time_to: time | None = None

    def fits(self, span: TimeSpan, zone: ZoneInfo) -> bool:
        """Returns whether the whole span is on these days and between these times."""
        start, end = span.start.astimezone(zone), span.end.astimezone(zone)
        if not self.date_from <= start.date() <= self.date_to:
            return False
        if self.time_from is None or self.time_to is None:
            return True
        return end.date() == start.date() and self.time_from <= start.time() and end.time() <= self.time_to


def worth_offering(left: TimeSpan, freed_at: datetime) -> TimeSpan | None:
    """Returns the part of a freed time that a patient who is called at `freed_at` can still reach; None if there is none.

    The result depends only on the two arguments, so a repeated call gives the same result.
    """
    start = max(left.start, _next_step(freed_at + MIN_NOTICE))
    return TimeSpan(start, left.end) if left.end - start >= timedelta(minutes=SHORTEST) else None


def longest_free(left: TimeSpan, taken: Sequence[TimeSpan]) -> TimeSpan | None:
    """Returns the longest free part of the span, the first of equal ones. `taken` is in order of its starts."""
    free = [span for span in without([left], taken) if span.end - span.start >= timedelta(minutes=SHORTEST)]
    return max(free, key=lambda span: span.end - span.start, default=None)


def free_from_the_start(left: TimeSpan, taken: Sequence[TimeSpan]) -> TimeSpan | None:
    """Returns the free part at the start of the span; None if its start is taken."""
    first = next(without([left], taken), None)
    long_enough = first is not None and first.end - first.start >= timedelta(minutes=SHORTEST)
    return first if first is not None and first.start == left.start and long_enough else None


def minutes_of(span: TimeSpan) -> int:
    """Returns the whole minutes of the span."""
    return int((span.end - span.start) / timedelta(minutes=1))


def _next_step(at: datetime) -> datetime:
    past = timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond) % _STEP
    return at + (_STEP - past if past else timedelta())
