"""The schedule as a table: a column for each doctor or day, a row for each five minutes, in the clinic's local time. Pure.

A block lasts as many rows as the time it shows. Blocks that overlap are next to each other, in lanes of their column.

On a day on which the clocks go back, the repeated hour has its rows twice (`HalfHour.again`). On a day on which they go forward,
the skipped hour has no rows; if another day in the table has that hour, its rows have no time (`Kind.NONE`).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from apps.appointments import rules
from apps.appointments.rules import TimeSpan

LINE = 5  # the minutes of a row
HALF_HOUR = 30 // LINE  # the rows of a label
_USUAL = (9 * 60, 17 * 60)  # the minutes of the day that are shown if no doctor works
_DAY = 24 * 60


class Kind(StrEnum):
    FREE = "free"  # a time that can be booked
    TAKEN = "taken"
    GAP = "gap"  # working hours that cannot be booked: they have passed, or are shorter than a slot
    OFF = "off"
    BREAK = "break"
    CLOSED = "closed"
    NONE = "none"


@dataclass(frozen=True)
class GridEntry:
    """An entry of the schedule. `appointment` is None where the user may not see it. The time of an entry that takes no time
    (overbooked, missed) is offered again, unless it `is_request`."""

    start: datetime
    end: datetime
    takes_time: bool = True
    appointment: Any = None
    is_request: bool = False

    @property
    def span(self) -> TimeSpan:
        return TimeSpan(self.start, self.end)


@dataclass(frozen=True)
class Away:
    """Time off of a doctor."""

    span: TimeSpan
    reason: str = ""


@dataclass(frozen=True)
class Column:
    """A doctor's day. `room` is the name of the room of its first hours."""

    day: date
    doctor: Any
    slot_minutes: int
    hours: tuple[TimeSpan, ...] = ()
    off: tuple[Away, ...] = ()
    entries: tuple[GridEntry, ...] = ()
    room: str = ""


@dataclass(frozen=True)
class Block:
    """A cell of the table: its first row and number of rows, its first lane and number of lanes.

    `start` is the time of a free block. `away` is the time off that a closed block shows, or that an appointment lies in.
    """

    kind: Kind
    line: int
    lines: int
    lane: int = 0
    lanes: int = 1
    start: datetime | None = None
    entry: GridEntry | None = None
    away: Away | None = None


@dataclass(frozen=True)
class HalfHour:
    """The label of six rows."""

    at: time
    again: bool


@dataclass(frozen=True)
class Lanes:
    """A column as blocks, in order of their rows and lanes. Together they fill the column."""

    count: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Grid:
    """The table. `now` is where the present is, from 0 (above the first row) to 1; None if that is not in the table."""

    labels: tuple[HalfHour, ...]
    columns: tuple[Lanes, ...]
    now: float | None = None

    @property
    def lines(self) -> int:
        return len(self.labels) * HALF_HOUR

    @property
    def shortest(self) -> int:
        """Returns the number of rows of the shortest appointment or free time; that of fifteen minutes if there is none."""
        return min(
            (block.lines for column in self.columns for block in column.blocks if block.kind in (Kind.FREE, Kind.TAKEN)),
            default=15 // LINE,
        )


def build(columns: Sequence[Column], *, zone: ZoneInfo, now: datetime) -> Grid:
    """Returns the table, from the first hours or entry of the day to the last, in whole half hours."""
    first, last = _edges(columns, zone)
    keys = _keys(range(first // 30 * 30, -(-last // 30) * 30, LINE), {column.day for column in columns}, zone)
    days = {column.day: [_instant(column.day, wall, again, zone) for wall, again in keys] for column in columns}
    labels = tuple(HalfHour(*key) for key in keys[::HALF_HOUR])
    today = days.get(now.astimezone(zone).date())
    return Grid(labels, tuple(_lanes(column, days[column.day], now) for column in columns), _place(today, now) if today else None)


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


def _line(starts: Sequence[datetime | None], at: datetime) -> int:
    """Returns the row in which the instant lies: 0 before the first, the number of rows after the last."""
    known = [(start, number) for number, start in enumerate(starts) if start is not None]
    index = bisect_right(known, at, key=lambda one: one[0]) - 1
    if index < 0:
        return 0
    start, number = known[index]
    return number if at < start + timedelta(minutes=LINE) else number + 1


def _lines(starts: Sequence[datetime | None], span: TimeSpan) -> tuple[int, int]:
    """Returns the first row of a time and the number of its rows, without rows at its end that have no time."""
    first, end = min(_line(starts, span.start), len(starts) - 1), _line(starts, span.end)
    while end > first + 1 and starts[end - 1] is None:
        end -= 1
    return first, max(end - first, 1)


def _place(starts: Sequence[datetime | None], now: datetime) -> float | None:
    line = _line(starts, now)
    start = starts[line] if line < len(starts) else None
    if start is None or start > now:
        return None
    return (line + (now - start) / timedelta(minutes=LINE)) / len(starts)


# A column


def _lanes(column: Column, starts: Sequence[datetime | None], now: datetime) -> Lanes:
    drawn = [*(_taken(column, entry, starts) for entry in column.entries), *_free(column, starts, now)]
    groups = list(_groups(sorted(drawn, key=_rank)))
    count = max((1 + max(block.lane for block in group) for group in groups), default=1)
    blocks = [block for group in groups for block in _spread(group, count)]
    covered = {line for block in blocks for line in range(block.line, block.line + block.lines)}
    blocks += _background(column, starts, covered, count)
    return Lanes(count, tuple(sorted(blocks, key=lambda block: (block.line, block.lane))))


def _rank(block: Block) -> tuple[int, int, int]:
    """Orders blocks by their row; in one row what takes time comes first, and free times last."""
    takes_time = block.entry is not None and block.entry.takes_time
    return block.line, 0 if takes_time else 2 if block.kind is Kind.FREE else 1, -block.lines


def _taken(column: Column, entry: GridEntry, starts: Sequence[datetime | None]) -> Block:
    away = next((one for one in column.off if one.span.overlaps(entry.span)), None)
    return Block(Kind.TAKEN, *_lines(starts, entry.span), start=entry.start, entry=entry, away=away)


def _free(column: Column, starts: Sequence[datetime | None], now: datetime) -> Iterator[Block]:
    """Yields the times that can be booked: the slots of the hours that nothing takes and no patient asked for."""
    shut = [entry.span for entry in column.entries if entry.takes_time or entry.is_request]
    shut = sorted([*shut, *(one.span for one in column.off)], key=lambda span: span.start)
    if not column.hours:
        return
    end = max(span.end for span in column.hours)
    slot = column.slot_minutes
    for span in rules.slots(rules.joined(column.hours), shut, minutes=slot, grid=slot, start=now, end=end):
        yield Block(Kind.FREE, *_lines(starts, span), start=span.start)


def _groups(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Yields the blocks that overlap, directly or through others, each in the first lane that is empty at its time."""
    group: list[Block] = []
    ends: list[int] = []  # of the last block in each lane
    for block in blocks:
        if group and block.line >= max(ends):
            yield group
            group, ends = [], []
        lane = next((number for number, end in enumerate(ends) if end <= block.line), len(ends))
        ends[lane : lane + 1] = [block.line + block.lines]
        group.append(replace(block, lane=lane))
    if group:
        yield group


def _spread(group: list[Block], count: int) -> Iterator[Block]:
    """Yields the blocks of a group over all lanes of the column, and gaps where a lane is empty."""
    first, last = group[0].line, max(block.line + block.lines for block in group)
    used = 1 + max(block.lane for block in group)
    for lane in range(used):
        at, lanes = count * lane // used, count * (lane + 1) // used - count * lane // used
        line = first
        for block in (block for block in group if block.lane == lane):
            if line < block.line:
                yield Block(Kind.GAP, line, block.line - line, at, lanes)
            yield replace(block, lane=at, lanes=lanes)
            line = block.line + block.lines
        if line < last:
            yield Block(Kind.GAP, line, last - line, at, lanes)


def _background(column: Column, starts: Sequence[datetime | None], covered: set[int], count: int) -> Iterator[Block]:
    """Yields the rows that no appointment or free time covers, as far as one reason holds."""
    open_lines = ((line, start) for line, start in enumerate(starts) if line not in covered)
    rows = [(line, *_reason(column, start)) for line, start in open_lines]
    runs = groupby(enumerate(rows), key=lambda one: (one[1][0] - one[0], one[1][1:]))
    for (_, (kind, away)), run in runs:
        lines = [row[0] for _, row in run]
        yield Block(kind, lines[0], len(lines), 0, count, away=away)


def _reason(column: Column, at: datetime | None) -> tuple[Kind, Away | None]:
    if at is None:
        return Kind.NONE, None
    away = next((one for one in column.off if one.span.start <= at < one.span.end), None)
    if away is not None:
        return Kind.OFF, away
    if any(span.start <= at < span.end for span in column.hours):
        return Kind.GAP, None
    between = any(span.end <= at for span in column.hours) and any(span.start > at for span in column.hours)
    return (Kind.BREAK if between else Kind.CLOSED), None
