"""When Redis is left alone, by a clock that the tests set."""

from collections.abc import Sequence

import pytest
import redis

from apps.common import redis_client
from apps.common.redis_client import Breaker, RedisUnavailable


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("lates", "is_open"),
    [
        ((0,), False),
        ((0, 0), False),
        ((0, 0, 0), True),
        ((0, 5, 9.9), True),
        ((0, 5, 10), False),
        ((0, 5, 10, 14), True),
        ((0, 11, 22, 33), False),
    ],
)
def test_three_late_answers_within_ten_seconds_open_it(lates: Sequence[float], is_open: bool) -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for at in lates:
        clock.seconds = 100 + at
        breaker.late()
    assert breaker.is_open is is_open


def test_each_pause_is_twice_as_long_up_to_five_seconds_until_redis_replies() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for pause in (1, 2, 4, 5, 5):
        breaker.trip()
        clock.seconds += pause - 0.01
        assert breaker.is_open
        clock.seconds += 0.01
        assert not breaker.is_open
    breaker.reset()
    breaker.trip()
    clock.seconds += 1
    assert not breaker.is_open


def test_after_a_failure_one_late_answer_opens_it_again() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.trip()
    clock.seconds += 1
    breaker.late()
    assert breaker.is_open


def test_an_answer_forgets_the_late_ones_before_it() -> None:
    breaker = Breaker(Clock())
    for _ in range(5):
        breaker.late()
        breaker.late()
        breaker.reset()
    assert not breaker.is_open


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (redis.ConnectionError("refused"), True),
        (redis.exceptions.ReadOnlyError("read-only"), True),
        (redis.ResponseError("OOM"), True),
        (redis.TimeoutError("late"), False),
    ],
)
def test_a_redis_that_refuses_opens_it_at_once(error: Exception, opens: bool) -> None:
    def command(_: object) -> None:
        raise error

    with pytest.raises(RedisUnavailable):
        redis_client.run(command)
    assert redis_client.breaker.is_open is opens
    redis_client.breaker.reset()


def test_an_error_of_ours_opens_nothing() -> None:
    with pytest.raises(ZeroDivisionError):
        redis_client.run(lambda _: 1 / 0)
    assert not redis_client.breaker.is_open
