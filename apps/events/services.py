"""Emits events. What happens after the commit is in `relay`."""

import json
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from apps.common import clock, context
from apps.common.actor import AuditActor
from apps.common.errors import Conflict
from apps.common.ids import new_id
from apps.events import listeners, sql, tasks
from apps.events.event import DeliveryRetried, Event
from apps.events.models import Delivery


class NotDeadLettered(Conflict):
    message = "Only a failed delivery can be tried again."


class NotInTransaction(RuntimeError):
    """An event was emitted outside a transaction: its row could outlive a change that was rolled back."""


def emit(fact: Event, *, by: AuditActor) -> UUID:
    """Emits an event inside the transaction that makes it true. Returns the event's id."""
    if not connection.in_atomic_block:
        raise NotInTransaction(f"{fact.name} was emitted outside a transaction")
    now = clock.now()
    event_id = new_id()
    has_listeners = bool(listeners.interested_at_emit(fact, event_id=event_id, by=by.id, at=now))
    payload = json.dumps(fact.payload(), cls=DjangoJSONEncoder)
    relayed_at = None if has_listeners else now
    row = [event_id, fact.name, payload, by.id, context.current().request_id, now, relayed_at]
    sql.add_event(row, together_with=listeners.synchronous_rows(fact, by, event_id))
    if has_listeners:
        transaction.on_commit(tasks.wake_relay, robust=True)
    return event_id


@transaction.atomic
def retry_delivery(*, by: AuditActor, delivery_id: UUID) -> None:
    """Gives a dead-lettered delivery new attempts; the next sweep runs it. Raises NotDeadLettered."""
    dead_lettered = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.DEAD_LETTERED)
    if not dead_lettered.update(status=Delivery.Status.PENDING, attempts=0, next_attempt_at=clock.now()):
        raise NotDeadLettered
    emit(DeliveryRetried(delivery_id=delivery_id), by=by)
