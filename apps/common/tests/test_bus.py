import time
from collections.abc import Iterator

import pytest
import redis

from apps.common import bus


@pytest.fixture
def dead_redis(settings: object) -> Iterator[None]:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"  # type: ignore[attr-defined]
    yield
    bus.breaker.reset()


def ping() -> bool:
    return bus.run(lambda client: client.ping())


def test_a_command_is_answered() -> None:
    assert bus.is_up()
    assert bus.run(lambda client: client.set("test", "1"))


def test_a_dead_redis_is_down_at_once(dead_redis: None) -> None:
    begun = time.monotonic()
    with pytest.raises(bus.Down):
        ping()
    assert time.monotonic() - begun < 0.3
    assert not bus.is_up()


def test_after_a_failure_redis_is_left_alone_for_a_while(
    dead_redis: None, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "FIRST_PAUSE", 0.2)
    bus.breaker.reset()
    with pytest.raises(bus.Down):
        ping()
    asked = []
    with pytest.raises(bus.Down):
        bus.run(asked.append)
    assert not asked
    time.sleep(0.25)
    with pytest.raises(bus.Down):
        ping()  # asked again, and still dead
    assert bus.breaker.is_open


def test_the_breaker_closes_when_redis_is_back(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "FIRST_PAUSE", 0.1)
    bus.breaker.reset()
    url = settings.REDIS_URL  # type: ignore[attr-defined]
    settings.REDIS_URL = "unix:///nowhere/redis.sock"  # type: ignore[attr-defined]
    with pytest.raises(bus.Down):
        ping()
    settings.REDIS_URL = url  # type: ignore[attr-defined]
    with pytest.raises(bus.Down):
        ping()  # not asked yet
    time.sleep(0.15)
    assert ping()
    assert not bus.breaker.is_open


def test_the_pause_grows_and_is_never_longer_than_five_seconds() -> None:
    breaker = bus.Breaker()
    pauses = []
    for _ in range(6):
        breaker.trip()
        pauses.append(round(breaker._closed_again_at - time.monotonic()))
    assert pauses == [1, 2, 4, 5, 5, 5]


def test_an_unwilling_redis_is_as_good_as_down(caplog: pytest.LogCaptureFixture) -> None:
    """Full, read-only, or a command of ours that it does not know."""
    with pytest.raises(bus.Down) as refused:
        bus.run(lambda client: client.execute_command("NOSUCHCOMMAND"))
    assert isinstance(refused.value.__cause__, redis.ResponseError)
    assert "Redis refused a command" in caplog.text
    bus.breaker.reset()


def test_an_error_of_ours_stays_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        bus.run(lambda client: 1 / 0)
    assert not bus.breaker.is_open
