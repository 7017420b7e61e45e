"""Access that care does not explain: one user, many patients' charts, one hour (45 CFR 164.502(b), minimum necessary).

Opening a chart is an action that reads one patient and whose name ends in `.read` or `_read`. Searches and lists name no patient
and do not count.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from apps.access.actor import SYSTEM
from apps.audit.events import UnusualReading
from apps.audit.models import AuditEvent
from apps.common import clock, locks
from apps.common.locks import LockName
from apps.events.services import emit

WITHIN = timedelta(hours=1)
_READERS_OVER_LIMIT = r"""
SELECT user_id, count(DISTINCT patient_id) FROM audit_auditevent
WHERE at > %s AND user_id IS NOT NULL AND patient_id IS NOT NULL AND outcome = 'success' AND action ~ '[._]read$'
GROUP BY user_id HAVING count(DISTINCT patient_id) > %s
"""


@transaction.atomic
def announce_unusual_reading() -> int:
    """Emits an event for each user who opened too many charts, once an hour. Returns how many."""
    locks.lock(LockName.UNUSUAL_READING)  # of two simultaneous runs, the second finds the first one's events
    with connection.cursor() as cursor:
        since = clock.now() - WITHIN
        cursor.execute(_READERS_OVER_LIMIT, [since, settings.HIMS_UNUSUAL_READING_CHARTS])
        rows = cursor.fetchall()
    announced = _already_announced(since) if rows else set()
    events = [UnusualReading(user_id=user_id, charts=charts) for user_id, charts in rows if user_id not in announced]
    for event in events:
        emit(event, by=SYSTEM)
    return len(events)


def _already_announced(since: datetime) -> set[UUID | None]:
    """Returns the users of earlier events."""
    return set(AuditEvent.objects.filter(action=UnusualReading.name, at__gt=since).values_list("object_id", flat=True))
