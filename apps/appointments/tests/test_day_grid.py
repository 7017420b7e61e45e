"""The table of the schedule, without a database: its rows, its blocks, the days on which the clocks change."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from apps.appointments import rules
from apps.appointments.rules import TimeSpan
from apps.appointments.scheduling.day_grid import LINE, Away, Block, Column, Grid, GridEntry, Kind, build

ZONE = ZoneInfo("America/Los_Angeles")
MONDAY = date(2025, 1, 6)
BEFORE = datetime(2020, 1, 1, tzinfo=UTC)


def span(begins: str, ends: str, day: date = MONDAY) -> TimeSpan:
    first, last = (rules.instant(day, time.fromisoformat(text), ZONE) for text in (begins, ends))
    return TimeSpan(first, last)


def entry(
    begins: str, ends: str, what: str = "", *, takes_time: bool = True, day: date = MONDAY, is_request: bool = False
) -> GridEntry:
    here = span(begins, ends, day)
    return GridEntry(here.start, here.end, takes_time, what, is_request)


def table(*columns: Column, now: datetime = BEFORE) -> Grid:
    return build(columns, zone=ZONE, now=now)


def label(grid: Grid, line: int) -> str:
    """Returns the local time of a row."""
    half = grid.labels[line // 6]
    return f"{half.at.hour:02}:{half.at.minute + line % 6 * LINE:02}{'+' if half.again else ''}"


def kinds(grid: Grid, column: int = 0) -> dict[str, tuple[str, int]]:
    """Returns the kind and the minutes of each block by the time at which it begins; for columns without lanes."""
    return {label(grid, one.line): (one.kind.value, one.lines * LINE) for one in grid.columns[column].blocks}


def taken(grid: Grid, column: int = 0) -> list[Block]:
    return [one for one in grid.columns[column].blocks if one.kind is Kind.TAKEN]


def test_free_taken_and_break_last_as_long_as_they_are() -> None:
    hours = (span("09:00", "09:45"), span("10:15", "10:30"))
    grid = table(Column(MONDAY, "Smith", 15, hours, (), (entry("09:15", "09:30", "a"),)))
    assert kinds(grid) == {
        "09:00": ("free", 15),
        "09:15": ("taken", 15),
        "09:30": ("free", 15),
        "09:45": ("break", 30),
        "10:15": ("free", 15),
    }
    assert [one.entry and one.entry.appointment for one in taken(grid)] == ["a"]


def test_every_row_of_a_column_is_in_one_block_of_each_lane() -> None:
    entries = (entry("09:00", "10:00", "long"), entry("09:10", "09:20", "b", takes_time=False), entry("09:20", "09:40", "c"))
    grid = table(Column(MONDAY, "Smith", 15, (span("09:00", "11:00"),), (), entries))
    (lanes,) = grid.columns
    covered = [
        (line, lane)
        for one in lanes.blocks
        for line in range(one.line, one.line + one.lines)
        for lane in range(one.lane, one.lane + one.lanes)
    ]
    assert sorted(covered) == [(line, lane) for line in range(grid.lines) for lane in range(lanes.count)]


def test_two_patients_at_one_time_are_next_to_each_other() -> None:
    entries = (entry("09:00", "09:30", "a"), entry("09:00", "09:15", "b", takes_time=False), entry("09:30", "09:45", "c"))
    grid = table(Column(MONDAY, "Smith", 15, (span("09:00", "10:00"),), (), entries))
    assert grid.columns[0].count == 2
    assert [(one.entry.appointment, one.lane, one.lanes) for one in taken(grid) if one.entry] == [
        ("a", 0, 1),
        ("b", 1, 1),
        ("c", 0, 2),
    ]


def test_the_time_of_an_overbooked_visit_is_still_offered() -> None:
    overbooked = entry("09:00", "09:15", "overbooked", takes_time=False)
    grid = table(Column(MONDAY, "Smith", 15, (span("09:00", "09:30"),), (), (overbooked,)))
    assert [(one.kind, one.lane) for one in grid.columns[0].blocks if one.line == 0] == [(Kind.TAKEN, 0), (Kind.FREE, 1)]


def test_a_time_that_a_patient_asked_for_is_not_offered_to_another() -> None:
    asked = entry("09:00", "09:30", "asked", takes_time=False, is_request=True)
    grid = table(Column(MONDAY, "Smith", 15, (span("09:00", "10:00"),), (), (asked,)))
    assert kinds(grid) == {"09:00": ("taken", 30), "09:30": ("free", 15), "09:45": ("free", 15)}


def test_time_off_closes_what_is_free_and_is_known_of_what_is_booked() -> None:
    off = Away(span("09:00", "09:30"), "Training")
    grid = table(Column(MONDAY, "Smith", 15, (span("09:00", "10:00"),), (off,), (entry("09:00", "09:15"),)))
    assert kinds(grid) == {"09:00": ("taken", 15), "09:15": ("off", 15), "09:30": ("free", 15), "09:45": ("free", 15)}
    assert [one.away for one in grid.columns[0].blocks] == [off, off, None, None]


def test_time_that_has_passed_or_is_shorter_than_a_slot_is_not_free() -> None:
    hours = (span("09:00", "10:00"),)
    grid = table(Column(MONDAY, "Smith", 20, hours, (), (entry("09:30", "09:40"),)), now=span("09:10", "09:30").start)
    assert kinds(grid) == {"09:00": ("gap", 30), "09:30": ("taken", 10), "09:40": ("free", 20)}


def test_the_present_is_a_place_between_the_first_row_and_the_last() -> None:
    column = Column(MONDAY, "Smith", 15, (span("09:00", "11:00"),))
    assert table(column, now=span("09:30", "11:00").start).now == 0.25
    assert table(column, now=span("08:59", "11:00").start).now is None
    assert table(column, now=span("11:00", "12:00").start).now is None
    assert table(column).now is None


def test_the_table_begins_and_ends_with_a_half_hour() -> None:
    grid = table(Column(MONDAY, "Smith", 15, (span("09:10", "10:40"),), (), (entry("07:35", "08:00"),)))
    assert [f"{half.at:%H:%M}" for half in grid.labels] == ["07:30", "08:00", "08:30", "09:00", "09:30", "10:00", "10:30"]
    assert kinds(grid)["08:00"] == ("closed", 70)
    assert kinds(grid)["09:10"] == ("free", 15)


def test_doctors_with_other_slots_share_the_rows() -> None:
    grid = table(
        Column(MONDAY, "Smith", 20, (span("09:00", "10:00"),)),
        Column(MONDAY, "Patel", 30, (span("09:30", "10:00"),)),
    )
    assert kinds(grid) == {"09:00": ("free", 20), "09:20": ("free", 20), "09:40": ("free", 20)}
    assert kinds(grid, 1) == {"09:00": ("closed", 30), "09:30": ("free", 30)}


def test_a_day_without_doctors_is_shown_empty() -> None:
    grid = table(Column(MONDAY, "Smith", 60))
    assert kinds(grid) == {"09:00": ("closed", 8 * 60)}


def test_the_shortest_block_is_known_so_that_its_row_can_be_high_enough() -> None:
    column = Column(MONDAY, "Smith", 30, (span("09:00", "10:00"),), (), (entry("09:00", "09:05"),))
    assert (table(column).shortest, table(Column(MONDAY, "Smith", 15)).shortest) == (1, 3)


def test_the_hour_the_clocks_skip_has_no_rows_and_no_time_next_to_another_day() -> None:
    spring, after = date(2025, 3, 9), date(2025, 3, 10)
    night = Column(spring, "Smith", 30, (span("01:00", "04:00", spring),))
    alone = {"01:00": ("free", 30), "01:30": ("free", 30), "03:00": ("free", 30), "03:30": ("free", 30)}
    assert kinds(table(night)) == alone
    grid = table(night, Column(after, "Smith", 30, (span("01:00", "04:00", after),)))
    assert kinds(grid) == alone | {"02:00": ("none", 60)}
    assert kinds(grid, 1)["02:00"] == ("free", 30)


def test_the_hour_that_comes_twice_has_its_rows_twice() -> None:
    autumn = date(2025, 11, 2)
    first = entry("01:30", "01:59", "first", day=autumn)
    second = GridEntry(datetime(2025, 11, 2, 9, 30, tzinfo=UTC), datetime(2025, 11, 2, 10, 0, tzinfo=UTC), True, "second")
    grid = table(Column(autumn, "Smith", 30, (span("00:30", "03:00", autumn),), (), (first, second)))
    assert [f"{half.at:%H:%M}{'+' if half.again else ''}" for half in grid.labels] == [
        *("00:30", "01:00", "01:30", "01:00+", "01:30+", "02:00", "02:30")
    ]
    places = [(label(grid, one.line), one.entry.appointment) for one in taken(grid) if one.entry]
    assert places == [("01:30", "first"), ("01:30+", "second")]
