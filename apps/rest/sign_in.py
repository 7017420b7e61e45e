"""How often one may try to sign in: five times a minute per address and name, at the API's door and the pages' alike.

The pages count twice. django-ratelimit counts in fixed minutes, so that two neighbouring minutes let ten tries pass; the sliding
counter of `limits`, shared with the API, closes that gap and goes on in PostgreSQL while Redis is down or frozen.
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
    """Whose tries these are: the address and a digest of the name, never the name."""
    digest = hashlib.sha256(folded(name).encode(errors="replace")).hexdigest()[:20]
    return f"{context.current().ip}:{digest}"


def folded(name: Any) -> str:
    """One spelling for all that find the same account: the database compares in capitals, where ı is I and ſ is S."""
    return str(name).strip().upper().casefold()


def seconds_to_wait(request: HttpRequest, name: str) -> int:
    """Count a try at a page. Zero: it may pass. Never raises, never waits long."""
    key = who(name)
    if wait := _wait_by_cache(request, key):
        return wait
    verdict = limits.hit(RateClass.AUTH, key)
    return 0 if verdict.allowed else verdict.retry_after


def _wait_by_cache(request: HttpRequest, key: str) -> int:
    """What django-ratelimit says; zero when Redis says nothing, and then it is left alone for a while."""
    limit = max(1, round(PER_MINUTE[RateClass.AUTH] * settings.HIMS_RATE_LIMIT_SCALE))
    try:
        usage = redis_client.run(
            lambda _: get_usage(request, group="hims.sign_in", key=lambda *_: key, rate=(limit, WINDOW), increment=True)
        )
    except (redis_client.RedisUnavailable, redis.RedisError):
        return 0
    return max(1, usage["time_left"]) if usage and usage["should_limit"] and usage["time_left"] >= 0 else 0
