"""Finds the events that wait for a worker."""

from datetime import datetime

from apps.common import prepared

# Each half reads one entry of a partial index that contains only waiting rows.
_OLDEST = """
SELECT min(occurred_at) FROM (
    (SELECT occurred_at FROM events_outboxevent WHERE relayed_at IS NULL ORDER BY id LIMIT 1)
    UNION ALL
    (SELECT e.occurred_at FROM events_outboxevent e JOIN (
        SELECT event_id FROM events_delivery WHERE status = 'pending' AND attempts = 0 ORDER BY event_id LIMIT 1
    ) AS first ON first.event_id = e.id)
) AS waiting
"""


def oldest_waiting() -> datetime | None:
    """Returns when the oldest event happened whose delivery no worker has started; None if there is none.

    A delivery that failed and waits for its next attempt does not count: workers are working on it.
    """
    with prepared.cursor() as cursor:
        cursor.execute(_OLDEST)
        row = cursor.fetchone()
    return row[0] if row else None
