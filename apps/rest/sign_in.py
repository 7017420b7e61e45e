"""Limits sign-in attempts to five a minute per address and name, for the API and the pages together.

The pages count twice. django-ratelimit counts in fixed minutes, so two neighbouring minutes allow ten attempts. The sliding
counter of `limits`, shared with the API, closes that gap, and counts in PostgreSQL while Redis is unavailable.
"""

import hashlib
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from apps.common import context, redis_client
from apps.rest import limits
from apps.rest.limits import PER_MINUTE, WINDOW, RateClass


def who(name: Any) -> str:
    """Returns the key of an attempt: the address and a digest of the name, never the name."""
    digest = hashlib.sha256(folded(name).encode(errors="replace")).hexdigest()[:20]
    return f"{context.current().ip}:{digest}"


def folded(name: Any) -> str:
    """Returns one spelling for all names that find the same account: the database compares in capitals, where ı is I and ſ
    is S."""
    return str(name).strip().upper().casefold()


def seconds_to_wait(request: HttpRequest, name: str) -> int:
    """Counts an attempt on a page and returns the seconds to wait; zero if it is allowed. Never raises, never waits long."""
    key = who(name)
    if wait := _wait_by_cache(request, key):
        return wait
    verdict = limits.hit(RateClass.AUTH, key)
    return 0 if verdict.allowed else verdict.retry_after


def _wait_by_cache(request: HttpRequest, key: str) -> int:
    """Returns the seconds to wait by django-ratelimit; zero if Redis is unavailable, which is then not asked again for a
    while."""
    limit = max(1, round(PER_MINUTE[RateClass.AUTH] * settings.HIMS_RATE_LIMIT_SCALE))
    try:
        usage = redis_client.run(
            lambda _: get_usage(request, group="hims.sign_in", key=lambda *_: key, rate=(limit, WINDOW), increment=True)
        )
    except (redis_client.RedisUnavailable, redis.RedisError):
        return 0
    return max(1, usage["time_left"]) if usage and usage["should_limit"] and usage["time_left"] >= 0 else 0
