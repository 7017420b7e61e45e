"""The schedule as a table: a column for each doctor or day, a row for each line of the grid, in the clinic's local time. Pure.

On a day on which the clocks go back, the repeated hour has its rows twice (`Row.again`). On a day on which they go forward, the
skipped hour has no rows; if another day in the table has that hour, the cells have no time (`Kind.NONE`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from math import gcd
from typing import Any
from zoneinfo import ZoneInfo

from apps.appointments.rules import SHORTEST, TimeSpan

_USUAL = (9 * 60, 17 * 60)  # the minutes of the day that are shown if no doctor works
_DAY = 24 * 60
_FINEST = 2 * SHORTEST  # a finer grid makes an unreadable table


class Kind(StrEnum):
    FREE = "free"
    PAST = "past"  # it was free
    TAKEN = "taken"
    OFF = "off"
    BREAK = "break"
    CLOSED = "closed"
    NONE = "none"


@dataclass(frozen=True)
class GridEntry:
    """An entry of the schedule. `appointment` is None where the user may not see it. An entry that takes no time (overbooked,
    requested, missed) leaves its cell free."""

    start: datetime
    end: datetime
    takes_time: bool = True
    appointment: Any = None

    @property
    def span(self) -> TimeSpan:
        return TimeSpan(self.start, self.end)


@dataclass(frozen=True)
class Column:
    """A doctor's day."""

    day: date
    doctor: Any
    slot_minutes: int
    hours: tuple[TimeSpan, ...] = ()
    off: tuple[TimeSpan, ...] = ()
    entries: tuple[GridEntry, ...] = ()


@dataclass(frozen=True)
class Cell:
    """A line of the grid in a column. `until` is the end of an entry that began earlier; `away` means that the doctor has time
    off."""

    kind: Kind
    start: datetime | None = None
    entries: tuple[GridEntry, ...] = ()
    until: datetime | None = None
    away: bool = False


@dataclass(frozen=True)
class Row:
    at: time
    again: bool
    cells: tuple[Cell, ...]


def build_rows(columns: Sequence[Column], *, zone: ZoneInfo, now: datetime) -> list[Row]:
    """Returns the rows of the table, from the first hours or entry of the day to the last."""
    grid = _grid(columns, zone)
    first, last = _edges(columns, zone)
    keys = _keys(range(first // grid * grid, last, grid), {column.day for column in columns}, zone)
    cells_by_column = [_cells(column, keys, zone, timedelta(minutes=grid), now) for column in columns]
    return [Row(at, again, tuple(cells[number] for cells in cells_by_column)) for number, (at, again) in enumerate(keys)]


def _grid(columns: Sequence[Column], zone: ZoneInfo) -> int:
    """Returns the coarsest grid, in minutes, that fits the slots of all columns; if that is unreadably fine, the shortest
    slot."""
    slots = [column.slot_minutes for column in columns]
    begins = [_minute(span.start, column.day, zone) for column in columns for span in column.hours]
    common = gcd(*slots, *begins)
    return common if common >= _FINEST else max(_FINEST, min(slots, default=_FINEST))


def _edges(columns: Sequence[Column], zone: ZoneInfo) -> tuple[int, int]:
    spans = [
        (_minute(span.start, column.day, zone), _minute(span.end, column.day, zone))
        for column in columns
        for span in (*column.hours, *(entry.span for entry in column.entries))
    ]
    return (min(start for start, _ in spans), max(end for _, end in spans)) if spans else _USUAL


def _minute(at: datetime, day: date, zone: ZoneInfo) -> int:
    """Returns the minute of the day in local time, limited to the day."""
    here = at.astimezone(zone)
    if here.date() != day:
        return 0 if here.date() < day else _DAY
    return here.hour * 60 + here.minute


def _keys(minutes: Sequence[int], days: set[date], zone: ZoneInfo) -> list[tuple[time, bool]]:
    """Returns the local times of the rows, in order. It leaves out times that no day has, and repeats those that occur twice
    after the last of them."""
    keys: list[tuple[time, bool]] = []
    waiting: list[tuple[time, bool]] = []
    for minute in minutes:
        at = time(*divmod(minute, 60))
        if waiting and not any(_instant(day, at, True, zone) for day in days):
            keys, waiting = keys + waiting, []
        if any(_instant(day, at, False, zone) for day in days):
            keys.append((at, False))
        if any(_instant(day, at, True, zone) for day in days):
            waiting.append((at, True))
    return keys + waiting


def _instant(day: date, at: time, again: bool, zone: ZoneInfo) -> datetime | None:
    """Returns the instant of a local time, or of its repetition; None if the day does not have it (PEP 495)."""
    here = datetime.combine(day, at, zone)
    repeated = here.replace(fold=1)
    first, second = here.utcoffset() or timedelta(), repeated.utcoffset() or timedelta()
    if first < second or (again and first == second):
        return None
    return (repeated if again else here).astimezone(UTC)


def _cells(column: Column, keys: Sequence[tuple[time, bool]], zone: ZoneInfo, grid: timedelta, now: datetime) -> list[Cell]:
    cells = [Cell(Kind.NONE)] * len(keys)
    starts = [(number, at) for number, (wall, again) in enumerate(keys) if (at := _instant(column.day, wall, again, zone))]
    ends = [at for _, at in starts[1:]]
    for (number, start), end in zip(starts, [*ends, starts[-1][1] + grid] if starts else [], strict=True):
        cells[number] = _cell(column, TimeSpan(start, end), now)
    return cells


def _cell(column: Column, here: TimeSpan, now: datetime) -> Cell:
    begun = tuple(entry for entry in column.entries if here.start <= entry.start < here.end)
    busy = [entry for entry in column.entries if entry.takes_time and entry.span.overlaps(here)]
    until = max((entry.end for entry in busy if entry.start < here.start), default=None)
    away = any(span.overlaps(here) for span in column.off)
    kind = Kind.TAKEN if busy else Kind.OFF if away else _unbooked(column, here.start, now)
    return Cell(kind, here.start, begun, until, away)


def _unbooked(column: Column, at: datetime, now: datetime) -> Kind:
    if any(span.start <= at < span.end for span in column.hours):
        return Kind.PAST if at < now else Kind.FREE
    between = any(span.end <= at for span in column.hours) and any(span.start > at for span in column.hours)
    return Kind.BREAK if between else Kind.CLOSED
