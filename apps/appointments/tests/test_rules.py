"""States and free times, without a database."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.appointments import rules
from apps.appointments.rules import Hours, Status, TimeSpan

LA = ZoneInfo("America/Los_Angeles")
MINUTE = timedelta(minutes=1)
NIGHT = Hours(6, time(0), time(6))  # a Sunday: the clocks change in it

# Section 3 of the contract, copied by hand.
LEGAL = {
    "requested": {"scheduled", "cancelled"},
    "scheduled": {"confirmed", "checked_in", "in_progress", "cancelled", "no_show"},
    "confirmed": {"checked_in", "in_progress", "cancelled", "no_show"},
    "checked_in": {"in_progress", "cancelled", "no_show", "scheduled", "confirmed"},
    "in_progress": {"completed", "checked_in"},
    "no_show": {"checked_in"},
    "completed": set(),
    "cancelled": set(),
}


@pytest.mark.parametrize("here", list(LEGAL))
def test_the_legal_moves_are_those_of_the_contract(here: str) -> None:
    assert {there.value for there in Status if rules.LIFECYCLE.may_follow(here, there)} == LEGAL[here]
    elsewhere = {"in_progress": {"checked_in"}, "checked_in": {"scheduled", "confirmed"}}  # by operations of their own
    assert set(rules.LIFECYCLE.allowed(here)) == LEGAL[here] - {"in_progress", "completed"} - elsewhere.get(here, set())


def slots(hours: list[Hours], day: date, minutes: int = 60, grid: int = 60, taken: tuple[TimeSpan, ...] = ()) -> list[str]:
    """The beginnings of the free times of a day, by the clinic's clock with its offset."""
    start = datetime.combine(day, time(), LA).astimezone(UTC)
    spans = rules.open_spans(hours, [day], LA)
    free = rules.slots(spans, taken, minutes=minutes, grid=grid, start=start, end=start + timedelta(days=2))
    return [f"{span.start.astimezone(LA):%H:%M %z}" for span in free]


def test_on_the_day_the_clocks_go_forward_an_hour_is_missing_and_no_slot_lies_in_it() -> None:
    assert slots([NIGHT], date(2026, 3, 8)) == ["00:00 -0800", "01:00 -0800", "03:00 -0700", "04:00 -0700", "05:00 -0700"]


def test_on_the_day_they_go_back_an_hour_comes_twice() -> None:
    assert slots([NIGHT], date(2026, 11, 1)) == [
        "00:00 -0700",
        "01:00 -0700",
        "01:00 -0800",
        "02:00 -0800",
        "03:00 -0800",
        "04:00 -0800",
        "05:00 -0800",
    ]


def test_hours_that_begin_in_the_missing_hour_begin_after_it() -> None:
    assert slots([Hours(6, time(2, 30), time(5))], date(2026, 3, 8), 30, 30) == ["03:30 -0700", "04:00 -0700", "04:30 -0700"]


def test_a_working_day_has_the_same_wall_times_on_both_sides_of_the_change() -> None:
    week = [Hours(weekday, time(9), time(12)) for weekday in range(7)]
    days = [date(2026, 3, 7) + timedelta(days=number) for number in range(3)]
    assert [[slot[:5] for slot in slots(week, day)] for day in days] == [["09:00", "10:00", "11:00"]] * 3


def test_a_taken_time_pushes_the_next_slot_to_the_next_line() -> None:
    day, nine = date(2026, 1, 5), datetime(2026, 1, 5, 9, tzinfo=LA)
    taken = (TimeSpan(nine + 20 * MINUTE, nine + 50 * MINUTE),)
    hours = [Hours(0, time(9), time(11))]
    assert [slot[:5] for slot in slots(hours, day, 30, 15, taken)] == ["10:00", "10:30"]
    assert [slot[:5] for slot in slots(hours, day, 15, 15, taken)] == ["09:00", "10:00", "10:15", "10:30", "10:45"]
    assert [slot[:5] for slot in slots(hours, day, 20, 15, taken)] == ["09:00", "10:00", "10:30"]


def test_hours_count_from_their_first_day_to_their_last() -> None:
    hours = Hours(0, time(9), time(12), since=date(2026, 1, 5), until=date(2026, 1, 12))
    days = [date(2025, 12, 29), date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 12), date(2026, 1, 19)]
    assert [hours.counts_on(day) for day in days] == [False, True, False, True, False]


NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
minutes = st.integers(0, 600)
spans = st.builds(lambda at, length: TimeSpan(NOON + at * MINUTE, NOON + (at + length) * MINUTE), minutes, st.integers(1, 240))


@given(
    st.lists(spans, max_size=3),
    st.lists(spans, max_size=12),
    st.integers(5, 90),
    st.sampled_from([5, 10, 15, 20, 30]),
    minutes,
    minutes,
)
def test_whatever_is_taken_slots_are_free_in_hours_on_the_grid_apart_and_none_is_left_out(
    open_spans: list[TimeSpan], taken: list[TimeSpan], length: int, grid: int, first: int, reach: int
) -> None:
    start, end = NOON + first * MINUTE, NOON + (first + reach) * MINUTE
    hours = sorted(open_spans, key=lambda span: span.start)
    hours = [span for number, span in enumerate(hours) if not any(span.overlaps(other) for other in hours[:number])]
    busy = sorted(taken, key=lambda span: span.start)
    free = list(rules.slots(hours, busy, minutes=length, grid=grid, start=start, end=end))
    for slot in free:
        home = [span for span in hours if span.start <= slot.start and slot.end <= span.end]
        assert len(home) == 1
        assert (slot.start - home[0].start) % timedelta(minutes=grid) == timedelta(0) or slot.start == start
        assert not any(slot.overlaps(other) for other in busy)
        assert start <= slot.start < end
        assert slot.end - slot.start == length * MINUTE
    assert not any(one.overlaps(other) for one, other in pairwise(free))
    for span in hours:  # a place on the grid that is free and apart from every slot found would have been one
        for line in range(0, int((span.end - span.start) / MINUTE), grid):
            place = TimeSpan(span.start + line * MINUTE, span.start + (line + length) * MINUTE)
            fits = place.end <= span.end and start <= place.start < end
            if fits and not any(place.overlaps(other) for other in (*busy, *free)):
                pytest.fail(f"{place} was left out")
