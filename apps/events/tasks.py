"""The tasks of the relay, by queue. Arguments are ids; the logic is in `relay`."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError as BrokerDown

from apps.common import redis_client
from apps.events import listeners, relay
from apps.events.relay import DeliveryAttempt

log = logging.getLogger(__name__)

CLAIM_INTERVAL = (
    0.1  # seconds between two claims of a process: under load a claim finds a batch, an idle relay starts immediately
)
YIELD_AFTER = 0.5  # seconds after which a relay that still finds events lets the tasks of other queues run
TASK_SIZE = 25  # deliveries in one task of another queue


class _Claims:
    """When this process last claimed facts, by time.monotonic()."""

    last = 0.0


@shared_task
def relay_waiting() -> int:
    """Relays waiting events: runs first attempts of the usual queue here, passes the others on. Returns how many deliveries it
    created."""
    time.sleep(max(0.0, min(CLAIM_INTERVAL, _Claims.last + CLAIM_INTERVAL - time.monotonic())))
    relay.clear_wake_flag()
    begun, deliveries = time.monotonic(), 0
    while attempts := relay.claim_waiting():
        deliveries += _run_or_dispatch(attempts)
        if time.monotonic() - begun > YIELD_AFTER:
            wake_relay()
            break
    _Claims.last = time.monotonic()
    return deliveries


@shared_task
def dispatch_due() -> int:
    """Runs the sweep: events and deliveries that a dead broker or worker left behind."""
    return relay_waiting() + _run_or_dispatch(relay.due_deliveries())


@shared_task
def deliver(*, delivery_id: str, attempt: int) -> bool:
    """Runs one attempt of one delivery."""
    return relay.deliver(UUID(delivery_id), attempt)


@shared_task
def deliver_batch(*, delivery_ids: list[str]) -> int:
    """Runs the first attempt of each delivery. Returns how many were done."""
    return relay.deliver_batch([UUID(one) for one in delivery_ids])


def wake_relay() -> None:
    """Asks a worker to relay. One request that has not started yet is enough. If Redis is unavailable, the sweep finds the
    event."""
    try:
        if redis_client.run(lambda client: client.set(relay.WAKE, 1, nx=True, px=relay.WAKE_MS)):
            relay_waiting.apply_async(retry=False)
    except (redis_client.RedisUnavailable, BrokerDown, OSError):
        log.warning("relay not woken: Redis is unavailable; the sweep will find the event")


def _run_or_dispatch(attempts: Sequence[DeliveryAttempt]) -> int:
    """Runs or dispatches first attempts in batches, those of the usual queue immediately; later attempts one by one."""
    first: dict[str, list[UUID]] = defaultdict(list)
    for delivery_attempt in attempts:
        if delivery_attempt.attempt == 1:
            first[delivery_attempt.queue].append(delivery_attempt.delivery_id)
    for ids in _chunks(first.pop(listeners.DEFAULT_POLICY.queue, []), relay.BATCH):
        relay.deliver_batch(ids)
    for queue, waiting in first.items():
        for ids in _chunks(waiting, TASK_SIZE):
            deliver_batch.apply_async(kwargs={"delivery_ids": [str(one) for one in ids]}, queue=queue, retry=False)
    for delivery_attempt in attempts:
        if delivery_attempt.attempt > 1:
            arguments = {"delivery_id": str(delivery_attempt.delivery_id), "attempt": delivery_attempt.attempt}
            deliver.apply_async(kwargs=arguments, queue=delivery_attempt.queue, retry=False)
    return len(attempts)


def _chunks(ids: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
