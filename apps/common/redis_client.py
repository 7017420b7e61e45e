"""Redis with short time-outs: it stores nothing durable, so no request waits for it.

`run(command)` returns its result or raises `RedisUnavailable` within about a tenth of a second. While the breaker is open, for
one to five seconds, Redis is not asked at all; callers fall back (see `rest.limits`).

A Redis that refuses or breaks off opens the breaker at once. One that is late does so at the third time in a row: on a busy
machine an answer may take more than a tenth of a second although Redis is alive, but hardly three in a row. So a Redis that hangs
costs each process three waits in all, and then one at each probe.
"""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

T = TypeVar("T")
log = logging.getLogger(__name__)

TIMEOUT = 0.1  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 5.0  # seconds
LATE_ANSWERS, WINDOW = 3, 10.0  # so many late answers within so many seconds, none in time between them, open the breaker


class RedisUnavailable(Exception):
    """Redis did not answer in time, refused, or is being left alone after that."""


class Breaker:
    """Remembers, per process, since when and for how long Redis is left alone. `now` is a clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._closed_again_at = 0.0
        self._pause = FIRST_PAUSE
        self._late: list[float] = []

    @property
    def is_open(self) -> bool:
        return self._now() < self._closed_again_at

    def trip(self) -> None:
        """Sends Redis nothing for a pause, which doubles each time until Redis replies."""
        self._closed_again_at = self._now() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def late(self) -> None:
        """Note an answer that did not come in time. Trips at the third in a row, and at the first of a Redis on probation."""
        now = self._now()
        self._late = [*(at for at in self._late if at > now - WINDOW), now]
        if len(self._late) >= LATE_ANSWERS or self._pause > FIRST_PAUSE:
            self.trip()

    def reset(self) -> None:
        """Redis answered."""
        self._closed_again_at = 0.0
        self._pause = FIRST_PAUSE
        self._late = []


breaker = Breaker()


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0), health_check_interval=0
    )


def run(command: Callable[[redis.Redis], T]) -> T:
    """The command's answer. Raises Down when Redis is not there, or is there and full, read-only or otherwise unwilling."""
    if breaker.is_open:
        raise RedisUnavailable
    try:
        answer = command(_client(settings.REDIS_URL))
    except redis.TimeoutError as error:
        breaker.late()
        raise RedisUnavailable from error
    except redis.ConnectionError as error:
        breaker.trip()
        raise RedisUnavailable from error
    except redis.ResponseError as error:  # logged, but no reason to refuse a request
        log.exception("Redis refused a command")
        breaker.trip()
        raise RedisUnavailable from error
    breaker.reset()
    return answer


def is_up() -> bool:
    """Whether Redis replies now."""
    try:
        return bool(run(lambda client: client.ping()))
    except RedisUnavailable:
        return False
