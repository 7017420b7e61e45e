"""Writing the trail."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from apps.audit.models import AuditEvent
from apps.common import clock, context
from apps.common.actor import Someone

_MONTHS_AHEAD = 3


def note(
    *,
    by: Someone | None,
    action: str,
    outcome: str = AuditEvent.Outcome.SUCCESS,
    patient_id: UUID | None = None,
    object_id: UUID | None = None,
    **detail: Any,
) -> AuditEvent:
    """Add a row. `by` is None for a stranger. `detail` holds plain values, never a secret and never a body."""
    where = context.current()
    row = AuditEvent(
        user_id=by.id if by else None,
        role=by.role if by else "",
        action=action,
        outcome=outcome,
        patient_id=patient_id,
        object_id=object_id,
        ip=where.ip,
        request_id=where.request_id,
        purpose=where.purpose,
        detail=detail,
    )
    row.save(force_insert=True)
    return row


def make_partitions(start: date | None = None, months: int = _MONTHS_AHEAD + 1) -> list[str]:
    """Make the monthly tables from `start` (default: this month) on; those that exist stay. Answers their names."""
    first = (start or clock.now().date()).replace(day=1)
    names = []
    with connection.cursor() as cursor:
        for _ in range(months):
            cursor.execute("SELECT audit_make_partition(%s)", [first])
            names.append(cursor.fetchone()[0])
            first = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return names
