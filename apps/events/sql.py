"""The statements of the outbox and its relay, prepared: every event pays for them.

No statement of the relay waits for a row that another relay or worker has locked: it skips the row. Ids come by
`ARRAY(SELECT …)`, which PostgreSQL runs once; as a join it may run the inner query again and lock more rows than the limit.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from apps.common import prepared
from apps.common.prepared import SqlFragment
from apps.events.models import Delivery, OutboxEvent

_ADD_EVENT = """
INSERT INTO events_outboxevent (id, name, payload, actor_id, request_id, occurred_at, relayed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_CLAIM = """
UPDATE events_outboxevent SET relayed_at = %s WHERE id = ANY(ARRAY(
    SELECT id FROM events_outboxevent WHERE relayed_at IS NULL ORDER BY id LIMIT {limit:d} FOR UPDATE SKIP LOCKED))
RETURNING id, name, payload::text, actor_id, occurred_at
"""
_ADD = """
INSERT INTO events_delivery (id, event_id, listener, status, attempts, next_attempt_at, last_error)
SELECT n.id, n.event_id, n.listener, 'pending', 0, %s, ''
FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS n (id, event_id, listener)
ON CONFLICT DO NOTHING RETURNING id
"""
_DUE = """
UPDATE events_delivery SET next_attempt_at = %s WHERE id = ANY(ARRAY(
    SELECT id FROM events_delivery WHERE status = 'pending' AND next_attempt_at <= %s
    ORDER BY next_attempt_at LIMIT {limit:d} FOR UPDATE SKIP LOCKED))
RETURNING id, listener, attempts
"""
_BEGIN = """
UPDATE events_delivery SET attempts = %s, next_attempt_at = %s WHERE id = ANY(ARRAY(
    SELECT id FROM events_delivery WHERE id = ANY(%s) AND status = 'pending' AND attempts = %s FOR UPDATE SKIP LOCKED))
RETURNING id, listener
"""
_LOCK = """
SELECT d.id, d.listener, e.id, e.name, e.payload::text, e.actor_id, e.occurred_at
FROM events_delivery d JOIN events_outboxevent e ON e.id = d.event_id
WHERE d.id = ANY(%s) AND d.status = 'pending' AND d.attempts = %s ORDER BY e.id, d.listener FOR UPDATE OF d SKIP LOCKED
"""
_FINISH = "UPDATE events_delivery SET status = 'done', done_at = %s, last_error = '' WHERE id = ANY(%s)"
_ASYNCHRONOUS = " RETURNING set_config('synchronous_commit', 'off', true)"  # until the transaction ends
_RENEW = """
UPDATE events_delivery SET next_attempt_at = %s WHERE id = ANY(ARRAY(
    SELECT id FROM events_delivery WHERE id = ANY(%s) AND status = 'pending' AND attempts = %s FOR UPDATE SKIP LOCKED))
"""


class LockedDelivery(NamedTuple):
    """A delivery that this transaction has locked, and its event."""

    delivery_id: UUID
    listener: str
    event: OutboxEvent


def add_event(row: Sequence[Any], *, together_with: Sequence[SqlFragment]) -> None:
    """Inserts the outbox row, and runs the INSERTs of the synchronous listeners in the same statement.

    `row` has the values of the columns in the order of `_ADD_EVENT`. One statement, because a round trip costs more CPU than a
    row does.
    """
    inserts = ", ".join(f"listener_{number} AS ({insert.sql})" for number, insert in enumerate(together_with))
    values = [value for insert in together_with for value in insert.values]
    with prepared.cursor() as cursor:
        cursor.execute(f"WITH {inserts} {_ADD_EVENT}" if inserts else _ADD_EVENT, [*values, *row])


def claim(*, limit: int, now: datetime) -> list[OutboxEvent]:
    """Marks waiting events as relayed. Returns them, the oldest first."""
    with prepared.cursor() as cursor:
        cursor.execute(_CLAIM.format(limit=limit), [now])
        return sorted((_event(*row) for row in cursor.fetchall()), key=lambda event: event.pk)


def add(deliveries: Sequence[Delivery], *, due: datetime) -> set[UUID]:
    """Inserts pending deliveries. Returns the ids of those that did not exist before."""
    columns = [[getattr(row, name) for row in deliveries] for name in ("pk", "event_id", "listener")]
    with prepared.cursor() as cursor:
        cursor.execute(_ADD, [due, *columns])
        return {row[0] for row in cursor.fetchall()}


def take_due(*, limit: int, now: datetime, due: datetime) -> list[tuple[UUID, str, int]]:
    """Moves the due time of deliveries that are due. Returns id, listener and attempts of each."""
    with prepared.cursor() as cursor:
        cursor.execute(_DUE.format(limit=limit), [due, now])
        taken: list[tuple[UUID, str, int]] = cursor.fetchall()
    return taken


def begin(delivery_ids: Sequence[UUID], *, attempt: int, due: datetime) -> list[tuple[UUID, str]]:
    """Counts the attempt for those that wait for it. Returns id and listener of each, in the order of `delivery_ids`."""
    with prepared.cursor() as cursor:
        cursor.execute(_BEGIN, [attempt, due, list(delivery_ids), attempt - 1])
        begun = dict(cursor.fetchall())
    return [(one, begun[one]) for one in delivery_ids if one in begun]


def lock(delivery_ids: Sequence[UUID], *, attempt: int) -> list[LockedDelivery]:
    """Locks the deliveries at this attempt, until the transaction ends."""
    with prepared.cursor() as cursor:
        cursor.execute(_LOCK, [list(delivery_ids), attempt])
        return [LockedDelivery(delivery_id, listener, _event(*event)) for delivery_id, listener, *event in cursor.fetchall()]


def finish(delivery_ids: Sequence[UUID], *, now: datetime, asynchronous: bool = False) -> None:
    """Marks deliveries as done; `asynchronous`: the commit does not wait for the disk."""
    with prepared.cursor() as cursor:
        cursor.execute(_FINISH + _ASYNCHRONOUS if asynchronous else _FINISH, [now, list(delivery_ids)])


def renew(delivery_ids: Sequence[UUID], *, attempt: int, due: datetime) -> None:
    """Extends the lease of deliveries whose turn in the batch has not come yet."""
    with prepared.cursor() as cursor:
        cursor.execute(_RENEW, [due, list(delivery_ids), attempt])


def _event(pk: UUID, name: str, payload: str, actor_id: UUID | None, occurred_at: datetime) -> OutboxEvent:
    return OutboxEvent(pk=pk, name=name, payload=json.loads(payload), actor_id=actor_id, occurred_at=occurred_at)


# Each half reads one entry of a partial index that contains only waiting rows.
OLDEST_WAITING = """
SELECT min(occurred_at) FROM (
    (SELECT occurred_at FROM events_outboxevent WHERE relayed_at IS NULL ORDER BY id LIMIT 1)
    UNION ALL
    (SELECT e.occurred_at FROM events_outboxevent e JOIN (
        SELECT event_id FROM events_delivery WHERE status = 'pending' AND attempts = 0 ORDER BY event_id LIMIT 1
    ) AS first ON first.event_id = e.id)
) AS waiting
"""


def oldest_waiting() -> datetime | None:
    """Returns when the oldest event happened that is not relayed, or has a delivery without an attempt."""
    with prepared.cursor() as cursor:
        cursor.execute(OLDEST_WAITING)
        row = cursor.fetchone()
    return row[0] if row else None
