"""The table of the schedule, without a database: its grid, its cells, the days on which the clocks change."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from apps.appointments import rules
from apps.appointments.rules import TimeSpan
from apps.appointments.scheduling.day_grid import Column, GridEntry, Kind, Row, build_rows

ZONE = ZoneInfo("America/Los_Angeles")
MONDAY = date(2025, 1, 6)
BEFORE = datetime(2020, 1, 1, tzinfo=UTC)


def span(begins: str, ends: str, day: date = MONDAY) -> TimeSpan:
    first, last = (rules.instant(day, time.fromisoformat(text), ZONE) for text in (begins, ends))
    return TimeSpan(first, last)


def entry(begins: str, ends: str, what: str = "", *, takes_time: bool = True, day: date = MONDAY) -> GridEntry:
    here = span(begins, ends, day)
    return GridEntry(here.start, here.end, takes_time, what)


def rows(*columns: Column, now: datetime = BEFORE) -> list[Row]:
    return build_rows(columns, zone=ZONE, now=now)


def kinds(grid_rows: list[Row], column: int = 0) -> dict[str, str]:
    return {f"{row.at:%H:%M}{'+' if row.again else ''}": row.cells[column].kind.value for row in grid_rows}


def test_free_taken_and_break_stand_where_they_are() -> None:
    hours = (span("09:00", "09:45"), span("10:15", "10:30"))
    grid_rows = rows(Column(MONDAY, "Smith", 15, hours, (), (entry("09:15", "09:30", "a"),)))
    assert kinds(grid_rows) == {
        "09:00": "free",
        "09:15": "taken",
        "09:30": "free",
        "09:45": "break",
        "10:00": "break",
        "10:15": "free",
    }
    assert [one.appointment for one in grid_rows[1].cells[0].entries] == ["a"]


def test_a_long_visit_takes_every_line_it_lasts_and_is_shown_once() -> None:
    grid_rows = rows(Column(MONDAY, "Smith", 15, (span("09:00", "10:00"),), (), (entry("09:10", "09:40", "a"),)))
    assert kinds(grid_rows) == {"09:00": "taken", "09:15": "taken", "09:30": "taken", "09:45": "free"}
    assert [len(row.cells[0].entries) for row in grid_rows] == [1, 0, 0, 0]
    assert grid_rows[1].cells[0].until == span("09:10", "09:40").end


def test_what_takes_no_time_stands_in_a_cell_that_is_free() -> None:
    overbooked = entry("09:00", "09:15", "overbooked", takes_time=False)
    (row,) = rows(Column(MONDAY, "Smith", 15, (span("09:00", "09:15"),), (), (overbooked,)))
    assert (row.cells[0].kind, row.cells[0].entries) == (Kind.FREE, (overbooked,))


def test_time_off_closes_cells_and_is_shown_next_to_what_is_booked() -> None:
    off = (span("09:00", "09:30"),)
    grid_rows = rows(Column(MONDAY, "Smith", 15, (span("09:00", "09:45"),), off, (entry("09:00", "09:15"),)))
    assert kinds(grid_rows) == {"09:00": "taken", "09:15": "off", "09:30": "free"}
    assert grid_rows[0].cells[0].away


def test_free_time_that_has_passed_is_past() -> None:
    grid_rows = rows(Column(MONDAY, "Smith", 15, (span("09:00", "09:30"),)), now=span("09:10", "09:30").start)
    assert kinds(grid_rows) == {"09:00": "past", "09:15": "free"}


def test_a_visit_outside_the_hours_widens_the_table() -> None:
    grid_rows = rows(Column(MONDAY, "Smith", 30, (span("09:00", "10:00"),), (), (entry("07:30", "08:00"),)))
    assert kinds(grid_rows) == {"07:30": "taken", "08:00": "closed", "08:30": "closed", "09:00": "free", "09:30": "free"}


def test_doctors_with_other_slots_share_the_grid_on_which_both_lie() -> None:
    smith = Column(MONDAY, "Smith", 20, (span("09:00", "10:00"),))
    patel = Column(MONDAY, "Patel", 30, (span("09:30", "10:00"),))
    grid_rows = rows(smith, patel)
    assert kinds(grid_rows, 1) == {
        "09:00": "closed",
        "09:10": "closed",
        "09:20": "closed",
        "09:30": "free",
        "09:40": "free",
        "09:50": "free",
    }


def test_a_day_without_doctors_is_shown_empty() -> None:
    grid_rows = rows(Column(MONDAY, "Smith", 60))
    assert (grid_rows[0].at, grid_rows[-1].at) == (time(9), time(16))
    assert set(kinds(grid_rows).values()) == {"closed"}


def test_the_hour_the_clocks_skip_has_no_rows_and_no_time_next_to_another_day() -> None:
    spring, after = date(2025, 3, 9), date(2025, 3, 10)
    night = Column(spring, "Smith", 30, (span("01:00", "04:00", spring),))
    grid_rows = rows(night)
    assert kinds(grid_rows) == {"01:00": "free", "01:30": "free", "03:00": "free", "03:30": "free"}
    grid_rows = rows(night, Column(after, "Smith", 30, (span("01:00", "04:00", after),)))
    assert kinds(grid_rows)["02:00"] == "none"
    assert kinds(grid_rows, 1)["02:00"] == "free"


def test_the_hour_that_comes_twice_has_its_rows_twice() -> None:
    autumn = date(2025, 11, 2)
    first = entry("01:30", "01:59", "first", day=autumn)
    second = GridEntry(datetime(2025, 11, 2, 9, 30, tzinfo=UTC), datetime(2025, 11, 2, 10, 0, tzinfo=UTC), True, "second")
    grid_rows = rows(Column(autumn, "Smith", 30, (span("00:30", "03:00", autumn),), (), (first, second)))
    assert list(kinds(grid_rows)) == ["00:30", "01:00", "01:30", "01:00+", "01:30+", "02:00", "02:30"]
    assert [one.appointment for one in grid_rows[2].cells[0].entries] == ["first"]
    assert [one.appointment for one in grid_rows[4].cells[0].entries] == ["second"]
