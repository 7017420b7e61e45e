"""Redis with a short temper: nothing durable lives there, so nobody waits for it.

`run(command)` answers what the command answers or raises `Down` within about a tenth of a second. After a failure the
breaker stays open for one to five seconds, in which Redis is not asked at all; callers fall back (see `rest.limits`).
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
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 5.0


class Down(Exception):
    """Redis did not answer in time, refused, or is being left alone after that."""


class Breaker:
    """Remembers, per process, since when and for how long Redis is left alone."""

    def __init__(self) -> None:
        self._closed_again_at = 0.0
        self._pause = FIRST_PAUSE

    @property
    def is_open(self) -> bool:
        return time.monotonic() < self._closed_again_at

    def trip(self) -> None:
        self._closed_again_at = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def reset(self) -> None:
        self._closed_again_at = 0.0
        self._pause = FIRST_PAUSE


breaker = Breaker()


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0), health_check_interval=0
    )


def run(command: Callable[[redis.Redis], T]) -> T:
    """The command's answer. Raises Down when Redis is not there, or is there and full, read-only or otherwise unwilling."""
    if breaker.is_open:
        raise Down
    try:
        answer = command(_client(settings.REDIS_URL))
    except (redis.ConnectionError, redis.TimeoutError) as error:
        breaker.trip()
        raise Down from error
    except redis.ResponseError as error:  # told in the log, and no reason to refuse a request
        log.exception("Redis refused a command")
        breaker.trip()
        raise Down from error
    breaker.reset()
    return answer


def is_up() -> bool:
    """Whether Redis answers right now."""
    try:
        return bool(run(lambda client: client.ping()))
    except Down:
        return False
