"""Rate limits: the five classes of the reference, counted over a true sliding minute.

One Lua call in Redis decides and counts. A caller's hits are in five-second buckets, and a bucket counts until sixty seconds
after its last hit, so no sixty seconds have more than the limit. Without Redis each process counts for itself; sign-ins are then
counted in PostgreSQL, so that they stay limited for the whole installation.
"""

import math
import time
from collections import deque
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min
from django.db.models.functions import Coalesce, Now
from django.http import HttpResponse

from apps.common import locks, redis_client
from apps.common.locks import LockName
from apps.rest.models import SignInTry

WINDOW = 60  # seconds
_BUCKET = 5  # seconds


class RateClass(StrEnum):
    AUTH = "auth"
    PATIENT_SEARCH = "patient_search"
    RETRIEVAL = "retrieval"
    MODIFICATION = "modification"
    ANALYTICS = "analytics"


PER_MINUTE = {
    RateClass.AUTH: 5,
    RateClass.PATIENT_SEARCH: 100,
    RateClass.RETRIEVAL: 500,
    RateClass.MODIFICATION: 200,
    RateClass.ANALYTICS: 50,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for a request. `resets_at` is the epoch time at which the oldest hits leave the window."""

    rate_class: RateClass
    limit: int
    remaining: int
    resets_at: float
    allowed: bool

    @property
    def retry_after(self) -> int:
        """Whole seconds until another request is allowed; at least one."""
        return max(1, math.ceil(self.resets_at - time.time()))


# KEYS: the caller's hash. ARGV: limit, window ms, bucket ms. Fields: n<bucket> = hits, t<bucket> = time of the last.
_LUA = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local limit, window, width = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local rows = redis.call('HGETALL', KEYS[1])
local hits, last = {}, {}
for i = 1, #rows, 2 do
  local bucket = string.sub(rows[i], 2)
  if string.sub(rows[i], 1, 1) == 'n' then hits[bucket] = tonumber(rows[i + 1]) else last[bucket] = tonumber(rows[i + 1]) end
end
local sum, oldest = 0, nil
for bucket, at in pairs(last) do
  if at + window <= now then
    redis.call('HDEL', KEYS[1], 'n' .. bucket, 't' .. bucket)
  else
    sum = sum + hits[bucket]
    if not oldest or at < oldest then oldest = at end
  end
end
if sum >= limit then return {0, 0, oldest + window} end
local current = math.floor(now / width)
redis.call('HINCRBY', KEYS[1], 'n' .. current, 1)
redis.call('HSET', KEYS[1], 't' .. current, now)
redis.call('PEXPIRE', KEYS[1], window + width)
return {1, limit - sum - 1, (oldest or now) + window}
"""


def hit(rate_class: RateClass, who: str, *, per_minute: int | None = None) -> Verdict:
    """Counts one request of `who` and returns whether it is allowed. Refused requests are not counted. Without Redis it neither
    fails nor waits.

    `per_minute` is for counters besides the classes of the reference.
    """
    limit = max(1, round((per_minute or PER_MINUTE[rate_class]) * settings.HIMS_RATE_LIMIT_SCALE))
    key = _key(rate_class, who)
    try:
        allowed, remaining, reset_ms = redis_client.run(
            lambda client: _script(client)(keys=[key], args=[limit, WINDOW * 1000, _BUCKET * 1000], client=client)
        )
        resets_at = reset_ms / 1000
    except redis_client.RedisUnavailable:
        count = _hit_in_postgres if rate_class is RateClass.AUTH else _hit_locally
        allowed, remaining, resets_at = count(key, limit)
    return Verdict(rate_class, limit, int(remaining), resets_at, bool(allowed))


# KEYS: the caller's hash. Takes one hit out of the newest bucket that has any.
_LUA_REFUND = """
local rows = redis.call('HGETALL', KEYS[1])
local newest
for i = 1, #rows, 2 do
  if string.sub(rows[i], 1, 1) == 'n' and tonumber(rows[i + 1]) > 0 then
    if not newest or tonumber(string.sub(rows[i], 2)) > tonumber(string.sub(newest, 2)) then newest = rows[i] end
  end
end
if newest then return redis.call('HINCRBY', KEYS[1], newest, -1) end
return 0
"""


def refund(rate_class: RateClass, who: str) -> None:
    """Takes back one hit of `who`: a failure that was counted in advance did not happen, or the request is free."""
    key = _key(rate_class, who)
    try:
        redis_client.run(lambda client: _script(client, _LUA_REFUND)(keys=[key], client=client))
    except redis_client.RedisUnavailable:
        if rate_class is RateClass.AUTH:
            newest = SignInTry.objects.filter(key=key).order_by("-at", "-pk").values("pk")[:1]
            SignInTry.objects.filter(pk__in=newest).delete()
        elif _local_hits.get(key):
            _local_hits[key].pop()


def refunded(verdict: Verdict, who: str) -> Verdict:
    """Returns the verdict of a request that turned out to be free, with its hit taken back."""
    refund(verdict.rate_class, who)
    return replace(verdict, remaining=min(verdict.limit, verdict.remaining + 1))


def _key(rate_class: RateClass, who: str) -> str:
    return f"hims:limit:{rate_class}:{who}"


_scripts: dict[tuple[int, str], Any] = {}


def _script(client: Any, source: str = _LUA) -> Any:
    if (id(client), source) not in _scripts:
        _scripts[id(client), source] = client.register_script(source)
    return _scripts[id(client), source]


_local_hits: dict[str, deque[float]] = {}
_MAX_LOCAL_CALLERS = 10_000  # callers remembered by one process while Redis is away


def _hit_locally(key: str, limit: int) -> tuple[bool, int, float]:
    now = time.time()
    if len(_local_hits) > _MAX_LOCAL_CALLERS:
        _local_hits.clear()
    hits = _local_hits.setdefault(key, deque())
    while hits and hits[0] + WINDOW <= now:
        hits.popleft()
    allowed = len(hits) < limit
    if allowed:
        hits.append(now)
    return allowed, limit - len(hits), hits[0] + WINDOW


def _hit_in_postgres(key: str, limit: int) -> tuple[bool, int, float]:
    """Counts under a lock of the key, so that simultaneous attempts are counted one after another."""
    with transaction.atomic():
        locks.lock(LockName.SIGN_IN_TRIES, key)
        now = Now()
        old = SignInTry.objects.filter(at__lte=now - timedelta(seconds=WINDOW)).select_for_update(skip_locked=True)
        SignInTry.objects.filter(pk__in=old.values("pk")).delete()
        recent = SignInTry.objects.filter(key=key, at__gt=now - timedelta(seconds=WINDOW))
        counted = recent.aggregate(before=Count("pk"), oldest=Coalesce(Min("at"), now))
        before, oldest = counted["before"], counted["oldest"].timestamp()
        if before < limit:
            SignInTry.objects.create(key=key, at=now)
    return before < limit, max(0, limit - before - 1), oldest + WINDOW


def write_headers(response: HttpResponse, verdict: Verdict) -> None:
    """Writes the reference's X- headers and their IETF equivalents (draft-ietf-httpapi-ratelimit-headers-11)."""
    response.headers["X-RateLimit-Limit"] = str(verdict.limit)
    response.headers["X-RateLimit-Remaining"] = str(verdict.remaining)
    response.headers["X-RateLimit-Reset"] = str(math.ceil(verdict.resets_at))
    response.headers["RateLimit-Policy"] = f'"{verdict.rate_class}";q={verdict.limit};w={WINDOW}'
    response.headers["RateLimit"] = f'"{verdict.rate_class}";r={verdict.remaining};t={verdict.retry_after}'
