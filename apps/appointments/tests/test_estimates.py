"""How long a patient will wait: examples computed by hand, and properties of any queue."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.appointments.models.appointments import Triage
from apps.appointments.queue import estimates
from apps.appointments.queue.estimates import InProgress
from apps.appointments.rules import TimeSpan

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MIDNIGHT = NOON + timedelta(hours=12)
MINUTE = timedelta(minutes=1)


def span(start: int, end: int) -> TimeSpan:
    """From and to so many minutes after noon."""
    return TimeSpan(NOON + start * MINUTE, NOON + end * MINUTE)


def begins(
    waiting: list[float], *begun: InProgress, closed: tuple[TimeSpan, ...] = (), now: datetime = NOON
) -> list[float | None]:
    """Minutes from noon on."""
    starts = estimates.estimated_starts(now, begun, waiting, closed=closed, until=MIDNIGHT)
    return [None if at is None else (at - NOON) / MINUTE for at in starts]


lengths = st.lists(st.floats(min_value=1, max_value=480), max_size=12)
going_on = st.lists(
    st.builds(
        lambda ago, minutes: InProgress(NOON - ago * MINUTE, minutes),
        st.floats(min_value=0, max_value=600),
        st.floats(min_value=1, max_value=480),
    ),
    max_size=3,
)
shut = st.lists(
    st.builds(lambda start, long: span(start, start + long), st.integers(-300, 700), st.integers(1, 300)), max_size=4
).map(lambda spans: tuple(sorted(spans, key=lambda one: one.start)))


def test_the_first_is_called_at_once_and_each_other_behind_those_before() -> None:
    assert begins([15, 20.5, 10]) == [0, 15, 35.5]
    assert begins([]) == []


def test_what_is_left_of_visits_that_go_on_comes_first() -> None:
    assert begins([15, 15], InProgress(NOON - 12 * MINUTE, 20)) == [8, 23]
    assert begins([15], InProgress(NOON - 12 * MINUTE, 20), InProgress(NOON - 5 * MINUTE, 10)) == [13]
    assert begins([15], InProgress(NOON - 90 * MINUTE, 20)) == [0]


def test_no_start_is_while_the_doctor_is_away() -> None:
    assert begins([15, 15], closed=(span(-60, 30),)) == [30, 45]
    assert begins([15, 15, 15], closed=(span(10, 60),)) == [0, 60, 75]  # who was called before the break is seen to the end
    assert begins([15], closed=(span(-60, 30), span(20, 50), span(50, 60))) == [60]
    assert begins([15, 15], closed=(span(10, 13 * 60),)) == [0, None]


def test_a_doctor_with_a_patient_is_at_work_outside_published_hours() -> None:
    assert begins([15, 15], InProgress(NOON - 5 * MINUTE, 15), closed=(span(-60, 480),)) == [10, 25]
    assert begins([15], closed=(span(-60, 480),)) == [480]


def test_a_doctor_is_closed_before_and_between_his_hours_and_when_away() -> None:
    day = span(-720, 720)
    assert estimates.closed_times([span(-180, 0), span(60, 240)], [span(90, 120)], day) == [
        span(-720, -180),
        span(0, 60),
        span(90, 120),
    ]
    assert estimates.closed_times([], [], day) == []
    assert estimates.closed_times([span(0, 60), span(60, 90)], [], day) == [span(-720, 0)]


@pytest.mark.parametrize(
    ("recent", "booked", "minutes"),
    [([], 15, 15), ([60, 60, 60, 60], 15, 15), ([5, 6, 7, 8, 900], 15, 7), ([10, 10, 20, 20, 10, 20], 15, 15)],
)
def test_a_visit_takes_the_median_of_recent_ones_or_its_booked_length(recent: list[float], booked: int, minutes: float) -> None:
    assert estimates.usual_minutes(recent, booked) == minutes


def test_minutes_waited_are_rounded_down_and_minutes_to_wait_up() -> None:
    ninety = timedelta(seconds=90)
    assert (estimates.whole_minutes(ninety), estimates.whole_minutes(ninety, up=True)) == (1, 2)
    assert (estimates.whole_minutes(-ninety), estimates.whole_minutes(-ninety, up=True)) == (0, 0)
    assert estimates.whole_minutes(timedelta(0), up=True) == 0


def test_an_average_of_nothing_is_nothing() -> None:
    assert (estimates.average([]), estimates.average([1, 2, 2])) == (None, 1.7)


def test_the_order_knows_every_triage_there_is() -> None:
    assert set(estimates.TRIAGE_ORDER) == set(Triage.values)


@given(lengths, going_on, shut)
def test_no_start_is_before_those_ahead_in_the_queue(
    waiting: list[float], begun: list[InProgress], closed: tuple[TimeSpan, ...]
) -> None:
    starts = estimates.estimated_starts(NOON, begun, waiting, closed=closed, until=MIDNIGHT)
    known = [at for at in starts if at is not None]
    assert len(starts) == len(waiting)
    assert starts[: len(known)] == known  # no patient comes after one who is not seen today
    assert all(later - sooner >= minutes * MINUTE for sooner, later, minutes in zip(known, known[1:], waiting, strict=False))
    assert all(NOON <= at < MIDNIGHT for at in known)
    away = [one for one in closed if not (begun and one.start <= NOON < one.end)]  # a doctor with a patient is at work
    assert not any(one.start <= at < one.end for at in known for one in away)


@given(lengths, going_on, shut, st.floats(min_value=1, max_value=480), st.integers(0, 12))
def test_one_more_person_makes_no_start_sooner_and_leaves_those_before_alone(
    waiting: list[float], begun: list[InProgress], closed: tuple[TimeSpan, ...], minutes: float, place: int
) -> None:
    place = min(place, len(waiting))
    before = estimates.estimated_starts(NOON, begun, waiting, closed=closed, until=MIDNIGHT)
    more = [*waiting[:place], minutes, *waiting[place:]]
    after = estimates.estimated_starts(NOON, begun, more, closed=closed, until=MIDNIGHT)
    assert after[:place] == before[:place]
    assert all(
        new is None or (old is not None and new >= old) for old, new in zip(before[place:], after[place + 1 :], strict=True)
    )


@given(going_on, st.floats(min_value=0, max_value=600))
def test_what_is_left_of_a_visit_shrinks_to_nothing(begun: list[InProgress], later: float) -> None:
    for visit in begun:
        now, then = estimates.remaining(visit, NOON), estimates.remaining(visit, NOON + later * MINUTE)
        assert timedelta(0) <= then <= now
        assert estimates.remaining(visit, visit.at + visit.minutes * MINUTE) == timedelta(0)


@given(st.lists(st.tuples(st.sampled_from(Triage.values), st.integers(0, 90), st.uuids()), max_size=10))
def test_more_urgent_patients_come_first_and_equally_urgent_ones_by_arrival(
    people: list[tuple[str, int, UUID]],
) -> None:
    ranks = sorted(estimates.rank(triage, NOON + ago * MINUTE, who) for triage, ago, who in people)
    for one, other in pairwise(ranks):
        assert one[0] <= other[0]
        assert one[0] < other[0] or one[1] <= other[1]
