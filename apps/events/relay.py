"""From the outbox to the listeners: claims events, creates delivery rows, runs and retries them, dead-letters what keeps failing.

Any number of relays may run: rows are claimed with SKIP LOCKED, (event, listener) is unique, and a delivery runs under its row
lock, in one transaction with the writes of its listener. A task gets one numbered attempt; of several tasks with the same number
one runs, so that a message the broker delivers twice is neither run twice nor counted twice.

First attempts run in batches, since a task and a transaction cost more than most listeners do. Later attempts run one by one: a
delivery that kills its worker, or fails, costs the others of its batch one more attempt and then runs alone.
"""

import dataclasses
import logging
import time
import types
import typing
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from uuid import UUID

from django.db import transaction
from django.utils.dateparse import parse_date, parse_datetime

from apps.common import clock, redis_client
from apps.common.ids import new_id
from apps.common.logs import without_rows
from apps.events import event as facts
from apps.events import listeners, sql
from apps.events.event import Event
from apps.events.models import Delivery, OutboxEvent

log = logging.getLogger(__name__)

WAKE = "hims:relay:awake"
WAKE_MS = 2_000
BATCH = 100
LEASE = timedelta(seconds=30)  # a delivery whose worker or task was lost is due again after this
_PARSERS: dict[typing.Any, Callable[[typing.Any], typing.Any]] = {
    UUID: UUID,
    datetime: parse_datetime,
    date: parse_date,
    Decimal: Decimal,
}


class DeliveryAttempt(typing.NamedTuple):
    """An attempt of a delivery, from 1, and the queue for it."""

    delivery_id: UUID
    attempt: int
    queue: str = listeners.DEFAULT_POLICY.queue


def claim_waiting(limit: int = BATCH) -> list[DeliveryAttempt]:
    """Creates the delivery rows of waiting events, oldest first. Returns the attempts to run; empty if no event waits."""
    attempts: list[DeliveryAttempt] = []
    while not attempts:
        with transaction.atomic():
            now = clock.now()
            waiting = sql.claim(limit=limit, now=now)
            rows = [
                Delivery(pk=new_id(), event_id=row.pk, listener=name) for row in waiting for name in _interested_listeners(row)
            ]
            added = sql.add(rows, due=now + LEASE) if rows else set()
        if not waiting:
            break
        attempts = [DeliveryAttempt(row.pk, 1, listeners.policy_of(row.listener).queue) for row in rows if row.pk in added]
    return attempts


def _interested_listeners(row: OutboxEvent) -> list[str]:
    """Returns the listeners that get a delivery. An event that cannot be read goes to all of them and is dead-lettered, so that
    an administrator sees it."""
    if not listeners.filters_exist(row.name):
        return listeners.names_for(row.name)
    try:
        fact = deserialize(row)
    except Exception:
        log.exception("the event %s cannot be read", row.pk)
        return listeners.names_for(row.name)
    return listeners.interested_listeners(fact)


def clear_wake_flag() -> None:
    """Lets the next commit wake a relay again. Called before claiming, so that no event is missed in between."""
    try:
        redis_client.run(lambda client: client.delete(WAKE))
    except redis_client.RedisUnavailable:
        log.warning("Redis is unavailable; the sweep relays events until it is back")


def due_deliveries(limit: int = 1_000) -> list[DeliveryAttempt]:
    """Takes the deliveries that are due: a retry, or one whose task was lost with its broker or worker.

    A running delivery is locked and therefore not taken; a taken one is not due again before its lease ends.
    """
    now = clock.now()
    taken = sql.take_due(limit=limit, now=now, due=now + LEASE)
    return [DeliveryAttempt(pk, attempts + 1, listeners.policy_of(listener).queue) for pk, listener, attempts in taken]


def deliver_batch(delivery_ids: Sequence[UUID]) -> int:
    """Runs the first attempt of each. Returns how many were done; a failure is recorded, not raised."""
    begun = sql.begin(delivery_ids, attempt=1, due=clock.now() + LEASE)
    together = [pk for pk, listener in begun if listeners.policy_of(listener).shared]
    done = _run_together(together) if len(together) > 1 else None
    alone = [pk for pk, _ in begun if done is None or pk not in together]
    renewed = time.monotonic()
    for place, pk in enumerate(alone):
        if (
            time.monotonic() - renewed > LEASE.total_seconds() / 2
        ):  # a slow mail server: no other worker may take the remaining deliveries
            sql.renew(alone[place:], attempt=1, due=clock.now() + LEASE)
            renewed = time.monotonic()
        done = (done or 0) + _attempt(pk, 1)
    return done or 0


def deliver(delivery_id: UUID, attempt: int) -> bool:
    """Runs one attempt. Returns False if another worker had it, or if it failed: a failure is recorded, not raised."""
    return _begin(delivery_id, attempt) and _attempt(delivery_id, attempt)


def _begin(delivery_id: UUID, attempt: int) -> bool:
    """Takes the attempt, in its own transaction, so that a listener that kills its worker is dead-lettered in the end too."""
    if attempt > listeners.DEFAULT_POLICY.attempts and attempt > _policy_of(delivery_id).attempts:
        waiting = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.PENDING, attempts=attempt - 1)
        waiting.update(status=Delivery.Status.DEAD_LETTERED, last_error="The worker was lost at every attempt.")
        return False
    return bool(sql.begin([delivery_id], attempt=attempt, due=clock.now() + LEASE))


def _attempt(delivery_id: UUID, attempt: int) -> bool:
    try:
        with transaction.atomic():
            return bool(_run_locked([delivery_id], attempt))
    except Exception as error:  # any failure of a listener is retried, then dead-lettered for an administrator to see
        log.exception("delivery %s failed", delivery_id)
        _record_failure(delivery_id, attempt, error)
        return False


def _run_together(delivery_ids: Sequence[UUID]) -> int | None:
    """Runs all in one transaction. Returns None if one of them failed: then all are rolled back."""
    try:
        with transaction.atomic():
            return _run_locked(delivery_ids, 1)
    except Exception as error:
        log.warning("%d deliveries are run one by one, because one of them failed: %s", len(delivery_ids), type(error).__name__)
        return None


def _run_locked(delivery_ids: Sequence[UUID], attempt: int) -> int:
    locked = sql.lock(delivery_ids, attempt=attempt)
    for delivery in locked:
        listener = listeners.find(delivery.event.name, delivery.listener)
        if listener is not None:  # None: this version of the code no longer has the listener
            listener(deserialize(delivery.event))
    if locked:
        asynchronous = all(listeners.policy_of(delivery.listener).asynchronous_commit for delivery in locked)
        sql.finish([delivery.delivery_id for delivery in locked], now=clock.now(), asynchronous=asynchronous)
    return len(locked)


def _record_failure(delivery_id: UUID, attempt: int, error: Exception) -> None:
    policy = _policy_of(delivery_id)
    wait = policy.backoff[min(attempt, len(policy.backoff)) - 1]
    Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.PENDING, attempts=attempt).update(
        status=Delivery.Status.DEAD_LETTERED if attempt >= policy.attempts else Delivery.Status.PENDING,
        next_attempt_at=clock.now() + wait,
        last_error=without_rows(f"{type(error).__name__}: {error}", error)[:500],
    )


def _policy_of(delivery_id: UUID) -> listeners.RetryPolicy:
    return listeners.policy_of(Delivery.objects.filter(pk=delivery_id).values_list("listener", flat=True).first() or "")


def deserialize(row: OutboxEvent) -> Event:
    """Returns the event as it was emitted, with ids and times as their types; and its id, `announced_at` and `announced_by`."""
    kind = facts.named(row.name)
    fact = kind(**{name: _typed(hint, row.payload.get(name)) for name, hint in _fields(kind)})  # type: ignore[arg-type]  # the fields of the event are read from its class
    vars(fact).update(event_id=row.pk, announced_at=row.occurred_at, announced_by=row.actor_id)
    return fact


@cache
def _fields(kind: type[Event]) -> list[tuple[str, typing.Any]]:
    hints = typing.get_type_hints(kind)
    return [(field.name, hints[field.name]) for field in dataclasses.fields(kind)]


def _typed(hint: typing.Any, value: typing.Any) -> typing.Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType):
        hint = next(kind for kind in hint.__args__ if kind is not type(None))
    if typing.get_origin(hint) is tuple:
        return tuple(_typed(typing.get_args(hint)[0], one) for one in value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return _PARSERS.get(hint, lambda plain: plain)(value)
