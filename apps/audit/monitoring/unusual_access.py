"""Access that care does not explain: one user, many patients' charts, one hour (45 CFR 164.502(b), minimum necessary).

Opening a chart is an action that reads one patient and whose name ends in `.read` or `_read`. Searches and lists name no patient
and do not count.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count

from apps.access.actor import SYSTEM
from apps.audit.events import UnusualReading
from apps.audit.models import AuditEvent
from apps.common import clock, locks
from apps.common.locks import LockName
from apps.events.services import emit

WITHIN = timedelta(hours=1)


@transaction.atomic
def announce_unusual_reading() -> int:
    """Emits an event for each user who opened too many charts, once an hour. Returns how many."""
    locks.lock(LockName.UNUSUAL_READING)  # of two simultaneous runs, the second finds the first one's events
    since = clock.now() - WITHIN
    rows = _readers_over_limit(since)
    announced = _already_announced(since) if rows else set()
    events = [UnusualReading(user_id=user_id, charts=charts) for user_id, charts in rows if user_id not in announced]
    for event in events:
        emit(event, by=SYSTEM)
    return len(events)


def _readers_over_limit(since: datetime) -> list[tuple[UUID, int]]:
    """Returns the users who opened more charts than the limit, each with the number of patients."""
    opened = AuditEvent.objects.filter(at__gt=since, outcome=AuditEvent.Outcome.SUCCESS, action__regex=r"[._]read$")
    readers = opened.filter(user_id__isnull=False, patient_id__isnull=False).order_by().values("user_id")
    counted = readers.annotate(charts=Count("patient_id", distinct=True))
    over = counted.filter(charts__gt=settings.HIMS_UNUSUAL_READING_CHARTS).values_list("user_id", "charts")
    return [(user_id, charts) for user_id, charts in over if user_id]


def _already_announced(since: datetime) -> set[UUID | None]:
    """Returns the users of earlier events."""
    return set(AuditEvent.objects.filter(action=UnusualReading.name, at__gt=since).values_list("object_id", flat=True))
