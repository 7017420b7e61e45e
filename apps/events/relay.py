"""From the outbox to the listeners: claim facts, make delivery rows, run them, retry them, park what keeps failing.

Any number of relays may run: rows are claimed with SKIP LOCKED, (event, listener) is unique, and a delivery runs under its
row lock, in one transaction with what its listener writes.
"""

import dataclasses
import logging
import types
import typing
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.dateparse import parse_date, parse_datetime

from apps.common import bus, clock
from apps.events import event as facts
from apps.events import listeners
from apps.events.event import Event
from apps.events.models import Delivery, OutboxEvent

log = logging.getLogger(__name__)

WAKE = "hims:relay:awake"
WAKE_MS = 2_000
BATCH = 100
MAX_ATTEMPTS = 5
LEASE = timedelta(seconds=60)  # a delivery whose worker died is due again after this
_READERS: dict[typing.Any, typing.Callable[[typing.Any], typing.Any]] = {UUID: UUID, datetime: parse_datetime, date: parse_date}
WAITS = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))


def claim_waiting(limit: int = BATCH) -> list[UUID]:
    """Make the delivery rows of waiting facts, oldest first. Answers the ids of deliveries to run; empty when none wait."""
    with transaction.atomic():
        waiting = list(OutboxEvent.objects.filter(relayed_at=None).order_by("id").select_for_update(skip_locked=True)[:limit])
        due = clock.now() + LEASE
        rows = [Delivery(event=row, listener=name, next_attempt_at=due) for row in waiting for name in listeners.names_for(row.name)]
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        OutboxEvent.objects.filter(pk__in=[row.pk for row in waiting]).update(relayed_at=clock.now())
    return [row.pk for row in rows]


def fall_asleep() -> None:
    """Let the next commit wake a relay again. Called before claiming, so that no fact slips between."""
    try:
        bus.run(lambda client: client.delete(WAKE))
    except bus.Down:
        log.warning("the bus is down; the sweep relays until it is back")


def due_deliveries(limit: int = 1_000) -> list[UUID]:
    """Deliveries whose time has come (again): a retry, or one whose task was lost with its broker or worker."""
    due = Delivery.objects.filter(status=Delivery.Status.PENDING, next_attempt_at__lte=clock.now())
    return list(due.order_by("next_attempt_at").values_list("pk", flat=True)[:limit])


def deliver(delivery_id: UUID) -> bool:
    """Run one delivery. False when it is done, parked or in another worker's hands. Its failure is recorded, not raised."""
    if not _begin(delivery_id):
        return False
    try:
        with transaction.atomic():
            return _run_locked(delivery_id)
    except Exception as error:  # any failure of a listener is retried, then parked for a person to see
        log.exception("delivery %s failed", delivery_id)
        _note_failure(delivery_id, error)
        return False


def _begin(delivery_id: UUID) -> bool:
    """Count the attempt in its own transaction, so that a listener that kills its worker is parked in the end too."""
    delivery = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.PENDING).first()
    if delivery is None:
        return False
    if delivery.attempts >= MAX_ATTEMPTS:
        Delivery.objects.filter(pk=delivery_id).update(status=Delivery.Status.PARKED)
        return False
    Delivery.objects.filter(pk=delivery_id).update(attempts=F("attempts") + 1, next_attempt_at=clock.now() + LEASE)
    return True


def _run_locked(delivery_id: UUID) -> bool:
    pending = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.PENDING).select_related("event")
    delivery = pending.select_for_update(skip_locked=True, of=("self",)).first()
    if delivery is None:
        return False
    listener = listeners.find(delivery.event.name, delivery.listener)
    if listener is not None:  # None: this version of the code has dropped the listener
        listener(revive(delivery.event))
    Delivery.objects.filter(pk=delivery_id).update(status=Delivery.Status.DONE, done_at=clock.now(), last_error="")
    return True


def _note_failure(delivery_id: UUID, error: Exception) -> None:
    attempts = Delivery.objects.values_list("attempts", flat=True).get(pk=delivery_id)
    parked = attempts >= MAX_ATTEMPTS
    wait = WAITS[min(attempts, len(WAITS)) - 1]
    Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.PENDING).update(
        status=Delivery.Status.PARKED if parked else Delivery.Status.PENDING,
        next_attempt_at=clock.now() + wait,
        last_error=f"{type(error).__name__}: {error}"[:500],
    )


def revive(row: OutboxEvent) -> Event:
    """The fact as it was announced, ids and times typed again."""
    kind = facts.named(row.name)
    hints = typing.get_type_hints(kind)
    return kind(**{field.name: _typed(hints[field.name], row.payload.get(field.name)) for field in dataclasses.fields(kind)})


def _typed(hint: typing.Any, value: typing.Any) -> typing.Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType):
        hint = next(kind for kind in hint.__args__ if kind is not type(None))
    if typing.get_origin(hint) is tuple:
        return tuple(value)
    return _READERS.get(hint, lambda plain: plain)(value)
