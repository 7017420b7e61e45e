import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.test import override_settings

from apps.common import redis_client


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(redis_client, "breaker", redis_client.Breaker(clock))
    return clock


@pytest.fixture
def dead_redis(settings: Any) -> Iterator[None]:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    yield
    redis_client.breaker.reset()


def ping() -> bool:
    return redis_client.run(lambda client: client.ping())


@contextmanager
def busy_redis() -> Iterator[None]:
    """Makes Redis accept connections and respond to none for a while, as on an overloaded machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener, override_settings():
        django_settings.REDIS_URL = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        yield


def late_ping() -> None:
    with pytest.raises(redis_client.RedisUnavailable) as down:
        ping()
    assert isinstance(down.value.__cause__, redis.TimeoutError)


def test_a_command_is_answered() -> None:
    assert redis_client.is_up()
    assert redis_client.run(lambda client: client.set("test", "1"))


def test_a_dead_redis_is_down_at_once_and_not_asked_again(dead_redis: None, clock: Clock) -> None:
    with pytest.raises(redis_client.RedisUnavailable):
        ping()
    assert redis_client.breaker.is_open
    assert not redis_client.is_up()


def test_after_a_failure_redis_is_left_alone_for_a_while(dead_redis: None, clock: Clock) -> None:
    with pytest.raises(redis_client.RedisUnavailable):
        ping()
    commands: list[Any] = []
    with pytest.raises(redis_client.RedisUnavailable):
        redis_client.run(commands.append)
    assert not commands
    clock.seconds += redis_client.FIRST_PAUSE
    with pytest.raises(redis_client.RedisUnavailable):
        ping()  # asked again, and still dead
    assert redis_client.breaker.is_open


def test_the_breaker_closes_when_redis_is_back(settings: Any, clock: Clock) -> None:
    alive, settings.REDIS_URL = settings.REDIS_URL, "unix:///nowhere/redis.sock"
    with pytest.raises(redis_client.RedisUnavailable):
        ping()
    settings.REDIS_URL = alive
    with pytest.raises(redis_client.RedisUnavailable):
        ping()  # not asked yet
    clock.seconds += redis_client.FIRST_PAUSE
    assert ping()
    assert not redis_client.breaker.is_open


def test_one_late_answer_opens_no_breaker(clock: Clock) -> None:
    with busy_redis():
        late_ping()
    assert not redis_client.breaker.is_open
    assert ping()


def test_late_answers_with_timely_ones_between_them_open_no_breaker(clock: Clock) -> None:
    for _ in range(redis_client.LATE_ANSWERS * 2):
        with busy_redis():
            late_ping()
        assert ping()
    assert not redis_client.breaker.is_open


def test_three_late_answers_in_a_row_open_it_and_redis_is_not_waited_for_again(clock: Clock) -> None:
    with busy_redis():
        for _ in range(redis_client.LATE_ANSWERS):
            assert not redis_client.breaker.is_open
            late_ping()
        assert redis_client.breaker.is_open
        clock.seconds += redis_client.FIRST_PAUSE
        late_ping()  # one probe, which is late again
        assert redis_client.breaker.is_open
    clock.seconds += redis_client.LONGEST_PAUSE
    assert ping()
    assert not redis_client.breaker.is_open


def test_late_answers_far_apart_are_not_counted_together(clock: Clock) -> None:
    with busy_redis():
        for _ in range(redis_client.LATE_ANSWERS * 2):
            late_ping()
            clock.seconds += redis_client.WINDOW
    assert not redis_client.breaker.is_open


def test_the_pause_grows_and_is_never_longer_than_five_seconds() -> None:
    clock = Clock()
    breaker = redis_client.Breaker(clock)
    pauses = []
    for _ in range(6):
        breaker.trip()
        begun = clock.seconds
        while breaker.is_open:
            clock.seconds += 1
        pauses.append(clock.seconds - begun)
    assert pauses == [1, 2, 4, 5, 5, 5]


def test_an_unwilling_redis_is_as_good_as_down(caplog: pytest.LogCaptureFixture) -> None:
    """Full, read-only, or a command of ours that it does not know."""
    with pytest.raises(redis_client.RedisUnavailable) as refused:
        redis_client.run(lambda client: client.execute_command("NOSUCHCOMMAND"))
    assert isinstance(refused.value.__cause__, redis.ResponseError)
    assert "Redis refused a command" in caplog.text
    redis_client.breaker.reset()


def test_an_error_of_ours_stays_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        redis_client.run(lambda client: 1 / 0)
    assert not redis_client.breaker.is_open
