"""Announcing a fact. What happens to it after the commit is in `relay`."""

import json
import logging
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from kombu.exceptions import OperationalError as BrokerDown

from apps.common import bus, clock, context, prepared
from apps.common.actor import Someone
from apps.common.errors import Conflict
from apps.common.ids import new_id
from apps.events import listeners, relay, tasks
from apps.events.event import DeliveryRetried, Event
from apps.events.models import Delivery

log = logging.getLogger(__name__)


class NotParked(Conflict):
    message = "Only a parked delivery can be tried again."


class NotInTransaction(RuntimeError):
    """A fact was announced outside a transaction: its row could outlive a change that was rolled back."""


# By hand and prepared: every write pays for it.
_ANNOUNCE = """
INSERT INTO events_outboxevent (id, name, payload, actor_id, request_id, occurred_at, relayed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def emit(fact: Event, *, by: Someone) -> UUID:
    """Announce a fact inside the transaction that makes it true. Answers the event's id."""
    if not connection.in_atomic_block:
        raise NotInTransaction(f"{fact.name} was announced outside a transaction")
    awaited = bool(listeners.names_for(fact.name))
    now = clock.now()
    event_id, payload = new_id(), json.dumps(fact.payload(), cls=DjangoJSONEncoder)
    relayed_at = None if awaited else now
    with prepared.cursor() as cursor:
        cursor.execute(_ANNOUNCE, [event_id, fact.name, payload, by.id, context.current().request_id, now, relayed_at])
    listeners.run_in_step(fact, by, event_id)
    if awaited:
        transaction.on_commit(wake_relay, robust=True)
    return event_id


@transaction.atomic
def try_again(*, by: Someone, delivery_id: UUID) -> None:
    """Give a parked delivery its attempts anew; the next sweep runs it. Raises NotParked."""
    parked = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.PARKED)
    if not parked.update(status=Delivery.Status.PENDING, attempts=0, next_attempt_at=clock.now()):
        raise NotParked
    emit(DeliveryRetried(delivery_id=delivery_id), by=by)


def wake_relay() -> None:
    """Ask a worker to relay. Already asked and not yet begun: once is enough. Bus down: the sweep finds the event."""
    try:
        if bus.run(lambda client: client.set(relay.WAKE, 1, nx=True, px=relay.WAKE_MS)):
            tasks.relay_waiting.apply_async(retry=False)
    except (bus.Down, BrokerDown, OSError):
        log.warning("relay not woken: the bus is down; the sweep will find the event")
