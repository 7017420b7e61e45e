"""A visit every so many weeks at the same time of day where the clinic is. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from apps.appointments import rules

EVERY_MOST = 52  # weeks
FEWEST, MOST = 2, 52  # visits


class ClockChange(StrEnum):
    """What the clocks do to a wall time."""

    NONE = ""
    SKIPPED = "clocks_skip_time"
    REPEATED = "clocks_repeat_time"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """When a visit of the series takes place, and whether the clocks had a say in it."""

    at: datetime
    change: ClockChange = ClockChange.NONE


def occurrences(first: datetime, *, every_weeks: int, number: int, zone: ZoneInfo) -> Iterator[Occurrence]:
    """The instants of a series, in UTC, the first as it was asked for.

    The others keep its wall time: ten o'clock stays ten o'clock when the clocks change. A time the clocks skip is the one as long
    after the jump, of one they repeat it is the first (`rules.instant`).
    """
    yield Occurrence(first)
    local = first.astimezone(zone)
    at = local.time().replace(fold=0)
    for place in range(1, number):
        day = local.date() + timedelta(weeks=every_weeks * place)
        yield Occurrence(rules.instant(day, at, zone), clock_change(datetime.combine(day, at), zone))


def clock_change(wall: datetime, zone: ZoneInfo) -> ClockChange:
    """Whether a wall time (naive) exists once. PEP 495: the two readings of one that does not have different offsets."""
    before, after = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if before is None or after is None or before == after:
        return ClockChange.NONE
    return ClockChange.SKIPPED if before < after else ClockChange.REPEATED
