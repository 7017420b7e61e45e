"""When repeated appointments take place: daily, weekly or monthly, at the same local time of the clinic. Pure.

A rhythm has the meaning of the recurrence rule (RRULE) of RFC 5545, evaluated by python-dateutil: the 31st of each month skips
shorter months, the second Tuesday is BYDAY=TU with BYSETPOS=2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule

from apps.appointments import rules

MIN_OCCURRENCES, MAX_OCCURRENCES = 2, 52  # appointments


class Frequency(StrEnum):
    """The unit of `interval`."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


MAX_INTERVAL = {Frequency.DAILY: 365, Frequency.WEEKLY: 52, Frequency.MONTHLY: 12}
MAX_EVERY_WEEKS = MAX_INTERVAL[Frequency.WEEKLY]
_FREQUENCIES = {Frequency.DAILY: DAILY, Frequency.WEEKLY: WEEKLY, Frequency.MONTHLY: MONTHLY}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_POSITIONS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
_UNITS = {Frequency.DAILY: "day", Frequency.WEEKLY: "week", Frequency.MONTHLY: "month"}


class InvalidRecurrence(ValueError):
    """A rhythm that is not valid. `field` names the part, `issue` says what to send instead."""

    def __init__(self, field: str, issue: str) -> None:
        super().__init__(f"{field}: {issue}")
        self.field, self.issue = field, issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often appointments repeat, and how many there are: `count` in all, or as many as fit until the day `until` (inclusive).

    `by_weekday` contains days from 0 (Monday) to 6, `by_month_day` is 1 to 31 or -1 for the last day, `by_set_position` chooses
    one of a month's matching weekdays: 1 to 5, or -1 for the last.
    """

    frequency: Frequency = Frequency.WEEKLY
    interval: int = 1
    by_weekday: tuple[int, ...] = ()
    by_month_day: int | None = None
    by_set_position: int | None = None
    count: int | None = None
    until: date | None = None

    def check(self) -> None:
        """Raises InvalidRecurrence for a part that is out of range or does not fit the others."""
        max_interval = MAX_INTERVAL[self.frequency]
        monthly = self.frequency is Frequency.MONTHLY
        for is_wrong, field, issue in (
            (
                not 1 <= self.interval <= max_interval,
                "interval",
                f"Must be 1 to {max_interval} for a {self.frequency.value} series.",
            ),
            (
                (self.count is None) == (self.until is None),
                "count",
                "Give the number of appointments or the last day, not both.",
            ),
            (
                self.count is not None and not MIN_OCCURRENCES <= self.count <= MAX_OCCURRENCES,
                "count",
                f"Must be {MIN_OCCURRENCES} to {MAX_OCCURRENCES}.",
            ),
            (not set(self.by_weekday) <= set(range(7)), "by_weekday", "Must be days from 0 (Monday) to 6 (Sunday)."),
            (self.by_month_day is not None and not monthly, "by_month_day", "Only for a monthly series."),
            (self.by_month_day not in (None, -1, *range(1, 32)), "by_month_day", "Must be 1 to 31, or -1 for the last day."),
            (
                self.by_month_day is not None and bool(self.by_weekday),
                "by_month_day",
                "Choose a day of the month or weekdays, not both.",
            ),
            (self.by_set_position is not None and not (monthly and self.by_weekday), *_SET_POSITION_ALONE),
            (self.by_set_position not in (None, -1, *range(1, 6)), "by_set_position", "Must be 1 to 5, or -1 for the last."),
            (monthly and bool(self.by_weekday) and self.by_set_position is None, *_WHICH_WEEKDAY),
        ):
            if is_wrong:
                raise InvalidRecurrence(field, issue)

    def __str__(self) -> str:
        unit = _UNITS[self.frequency]
        often = f"every {unit}" if self.interval == 1 else f"every {self.interval} {unit}s"
        days = " and ".join(WEEKDAYS[day] for day in sorted(self.by_weekday))
        if self.by_month_day is not None:
            return f"{often} on " + ("the last day" if self.by_month_day == -1 else f"day {self.by_month_day}")
        if self.by_set_position is not None:
            return f"{often} on the {_POSITIONS[self.by_set_position]} {days}"
        return f"{often} on {days}" if days else often


_SET_POSITION_ALONE = ("by_set_position", "Only for a monthly series with chosen weekdays.")
_WHICH_WEEKDAY = ("by_set_position", "Send which of the month's weekdays: 1 to 5, or -1 for the last.")


class ClockChange(StrEnum):
    """What a clock change does to a local time."""

    NONE = ""
    SKIPPED = "clocks_skip_time"
    REPEATED = "clocks_repeat_time"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """When an appointment of the series takes place, and whether a clock change affects it."""

    at: datetime
    change: ClockChange = ClockChange.NONE


def occurrences(first: datetime, *, rhythm: Rhythm, zone: ZoneInfo) -> list[Occurrence]:
    """Returns the UTC instants of a series; the first is exactly as requested. Raises InvalidRecurrence.

    The others have the same local time, also after the clocks change. A time that the clocks skip becomes the corresponding time
    after the change, and one that occurs twice is the first (`rules.instant`).
    """
    rhythm.check()
    local = first.astimezone(zone)
    if rhythm.until and rhythm.until < local.date():
        raise InvalidRecurrence("until", "Must not be before the first appointment.")
    days = list(islice(_days(local.date(), rhythm), MAX_OCCURRENCES + 1))
    if not days or days[0] != local.date():
        raise InvalidRecurrence("scheduled_time", "The first appointment must be on a day of its own series.")
    if not MIN_OCCURRENCES <= len(days) <= MAX_OCCURRENCES:
        raise InvalidRecurrence(
            "until" if rhythm.until else "count",
            f"A series has {MIN_OCCURRENCES} to {MAX_OCCURRENCES} appointments, this one {len(days)}.",
        )
    at = local.time().replace(fold=0)
    later = (Occurrence(rules.instant(day, at, zone), clock_change(datetime.combine(day, at), zone)) for day in days[1:])
    return [Occurrence(first), *later]


def _days(first: date, rhythm: Rhythm) -> Iterator[date]:
    rule = rrule(
        _FREQUENCIES[rhythm.frequency],
        dtstart=datetime.combine(first, time()),
        interval=rhythm.interval,
        byweekday=rhythm.by_weekday or None,
        bymonthday=rhythm.by_month_day,
        bysetpos=rhythm.by_set_position,
        count=rhythm.count,
        until=datetime.combine(rhythm.until, time()) if rhythm.until else None,
    )
    return (moment.date() for moment in rule)


def clock_change(wall: datetime, zone: ZoneInfo) -> ClockChange:
    """Returns whether a local time (naive) is skipped or repeated. PEP 495: such a time has two readings with different
    offsets."""
    before, after = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if before is None or after is None or before == after:
        return ClockChange.NONE
    return ClockChange.SKIPPED if before < after else ClockChange.REPEATED
