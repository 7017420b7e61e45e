"""From the outbox to the listeners: claim facts, make delivery rows, run them, retry them, park what keeps failing.

Any number of relays may run: rows are claimed with SKIP LOCKED, (event, listener) is unique, and a delivery runs under its
row lock, in one transaction with what its listener writes. A task is handed one numbered attempt; of several tasks with the
same number one runs, so that what a broker delivers twice is neither run twice nor counted twice.
"""

import dataclasses
import logging
import types
import typing
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID

from django.db import transaction
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
LEASE = timedelta(seconds=30)  # a delivery that nobody works on, its worker or its task being lost, is due again after this
_READERS: dict[typing.Any, typing.Callable[[typing.Any], typing.Any]] = {
    UUID: UUID,
    datetime: parse_datetime,
    date: parse_date,
    Decimal: Decimal,
}


class Turn(typing.NamedTuple):
    """An attempt of a delivery, the first being 1, and the queue it is handed to."""

    delivery_id: UUID
    attempt: int
    queue: str = listeners.USUAL.queue


def claim_waiting(limit: int = BATCH) -> list[Turn]:
    """Make the delivery rows of waiting facts, oldest first. Answers the turns to run; empty when no fact waits."""
    with transaction.atomic():
        waiting = list(OutboxEvent.objects.filter(relayed_at=None).order_by("id").select_for_update(skip_locked=True)[:limit])
        due = clock.now() + LEASE
        rows = [
            Delivery(event=row, listener=name, next_attempt_at=due) for row in waiting for name in listeners.names_for(row.name)
        ]
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        OutboxEvent.objects.filter(pk__in=[row.pk for row in waiting]).update(relayed_at=clock.now())
    return [_turn(row, 1) for row in rows]


def fall_asleep() -> None:
    """Let the next commit wake a relay again. Called before claiming, so that no fact slips between."""
    try:
        bus.run(lambda client: client.delete(WAKE))
    except bus.Down:
        log.warning("the bus is down; the sweep relays until it is back")


def due_deliveries(limit: int = 1_000) -> list[Turn]:
    """Take the deliveries whose time has come (again): a retry, or one whose task was lost with its broker or worker.

    One that is being run is locked and therefore not taken; one that is taken is not due again before its lease is over.
    """
    with transaction.atomic():
        due = Delivery.objects.filter(status=Delivery.Status.PENDING, next_attempt_at__lte=clock.now()).order_by(
            "next_attempt_at"
        )
        taken = list(due.select_for_update(skip_locked=True)[:limit])
        Delivery.objects.filter(pk__in=[row.pk for row in taken]).update(next_attempt_at=clock.now() + LEASE)
    return [_turn(row, row.attempts + 1) for row in taken]


def _turn(row: Delivery, attempt: int) -> Turn:
    return Turn(row.pk, attempt, listeners.terms_of(row.listener).queue)


def deliver(delivery_id: UUID, attempt: int) -> bool:
    """Run one attempt. False when somebody else had it, or when it failed: that is recorded, not raised."""
    if not _begin(delivery_id, attempt):
        return False
    try:
        with transaction.atomic():
            return _run_locked(delivery_id, attempt)
    except Exception as error:  # any failure of a listener is retried, then parked for a person to see
        log.exception("delivery %s failed", delivery_id)
        _note_failure(delivery_id, attempt, error)
        return False


def _begin(delivery_id: UUID, attempt: int) -> bool:
    """Take the attempt, in its own transaction, so that a listener that kills its worker is parked in the end too."""
    waiting = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.PENDING, attempts=attempt - 1)
    if attempt > listeners.USUAL.attempts and attempt > _terms_of(delivery_id).attempts:
        waiting.update(status=Delivery.Status.PARKED, last_error="The worker was lost at every attempt.")
        return False
    return bool(waiting.update(attempts=attempt, next_attempt_at=clock.now() + LEASE))


def _run_locked(delivery_id: UUID, attempt: int) -> bool:
    pending = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.PENDING, attempts=attempt).select_related("event")
    delivery = pending.select_for_update(skip_locked=True, of=("self",)).first()
    if delivery is None:
        return False
    listener = listeners.find(delivery.event.name, delivery.listener)
    if listener is not None:  # None: this version of the code has dropped the listener
        listener(revive(delivery.event))
    Delivery.objects.filter(pk=delivery_id).update(status=Delivery.Status.DONE, done_at=clock.now(), last_error="")
    return True


def _note_failure(delivery_id: UUID, attempt: int, error: Exception) -> None:
    terms = _terms_of(delivery_id)
    wait = terms.waits[min(attempt, len(terms.waits)) - 1]
    Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.PENDING, attempts=attempt).update(
        status=Delivery.Status.PARKED if attempt >= terms.attempts else Delivery.Status.PENDING,
        next_attempt_at=clock.now() + wait,
        last_error=f"{type(error).__name__}: {error}"[:500],
    )


def _terms_of(delivery_id: UUID) -> listeners.Terms:
    return listeners.terms_of(Delivery.objects.filter(pk=delivery_id).values_list("listener", flat=True).first() or "")


def revive(row: OutboxEvent) -> Event:
    """The fact as it was announced, ids and times typed again; and its id, and when and by whom it was told."""
    kind = facts.named(row.name)
    hints = typing.get_type_hints(kind)
    fact = kind(**{field.name: _typed(hints[field.name], row.payload.get(field.name)) for field in dataclasses.fields(kind)})
    vars(fact).update(event_id=row.pk, announced_at=row.occurred_at, announced_by=row.actor_id)
    return fact


def _typed(hint: typing.Any, value: typing.Any) -> typing.Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType):
        hint = next(kind for kind in hint.__args__ if kind is not type(None))
    if typing.get_origin(hint) is tuple:
        return tuple(_typed(typing.get_args(hint)[0], one) for one in value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return _READERS.get(hint, lambda plain: plain)(value)
