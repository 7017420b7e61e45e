"""Writes the audit log."""

import json
from datetime import date
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from apps.audit.models import AuditEvent
from apps.common import clock, context, prepared
from apps.common.actor import AuditActor
from apps.common.ids import new_id

_MONTHS_AHEAD = 3


# Handwritten and prepared: every chart read pays for it. The row of a read is alone in its transaction and does not wait
# for the disk; a row that belongs to a write is as durable as the write.
_COLUMNS = "id, at, user_id, role, action, outcome, patient_id, object_id, ip, request_id, purpose, detail"
_INSERT_WITH_WRITE = f"INSERT INTO audit_auditevent ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"  # noqa: S608
_INSERT_ALONE = f"""
WITH hurry AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO audit_auditevent ({_COLUMNS})
SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s FROM hurry
"""  # noqa: S608


def record(
    *,
    by: AuditActor | None,
    action: str,
    outcome: str = AuditEvent.Outcome.SUCCESS,
    patient_id: UUID | None = None,
    object_id: UUID | None = None,
    **detail: Any,
) -> UUID:
    """Adds a row and returns its id. `by` is None for an anonymous caller. `detail` contains plain values, never a secret and
    never a body.

    If an API key acts for its owner, `detail.api_key` is the key's prefix.
    """
    request, row_id = context.current(), new_id()
    if request.api_key:
        detail = {"api_key": request.api_key, **detail}
    user_id, role = (by.id, str(by.role)) if by else (None, "")
    about = (patient_id, object_id, request.ip, request.request_id, request.purpose, json.dumps(detail, cls=DjangoJSONEncoder))
    with prepared.cursor() as cursor:
        sql = _INSERT_WITH_WRITE if connection.in_atomic_block else _INSERT_ALONE
        cursor.execute(sql, [row_id, clock.now(), user_id, role, action, str(outcome), *about])
    return row_id


def make_partitions(start: date | None = None, months: int = _MONTHS_AHEAD + 1) -> list[str]:
    """Creates the monthly tables from `start` (default: this month); existing ones stay. Returns their names."""
    first = (start or clock.now().date()).replace(day=1)
    names = []
    with connection.cursor() as cursor:
        for _ in range(months):
            cursor.execute("SELECT audit_make_partition(%s)", [first])
            names.append(cursor.fetchone()[0])
            first = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return names
