"""Writes the audit log."""

import json
from datetime import date
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

from apps.audit import sql
from apps.audit.models import AuditEvent
from apps.common import clock, context
from apps.common.actor import AuditActor
from apps.common.ids import new_id
from apps.common.prepared import SqlFragment

_MONTHS_AHEAD = 3


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
    row = _row(by, action, detail, outcome=outcome, patient_id=patient_id, object_id=object_id)
    sql.add(row)
    row_id: UUID = row[0]
    return row_id


def row_of_event(*, by: AuditActor, action: str, patient_id: UUID | None, object_id: UUID | None, **detail: Any) -> SqlFragment:
    """Returns the INSERT of such a row, which `emit` runs together with that of the event."""
    return sql.insert(_row(by, action, detail, patient_id=patient_id, object_id=object_id))


def _row(
    by: AuditActor | None,
    action: str,
    detail: dict[str, Any],
    *,
    outcome: str = AuditEvent.Outcome.SUCCESS,
    patient_id: UUID | None,
    object_id: UUID | None,
) -> list[Any]:
    """Returns the values of a row in the order of the columns in `sql`, its id first."""
    request = context.current()
    if request.api_key:
        detail = {"api_key": request.api_key, **detail}
    user_id, role = (by.id, str(by.role)) if by else (None, "")
    about = (patient_id, object_id, request.ip, request.request_id, request.purpose, json.dumps(detail, cls=DjangoJSONEncoder))
    return [new_id(), clock.now(), user_id, role, action, str(outcome), *about]


def make_partitions(start: date | None = None, months: int = _MONTHS_AHEAD + 1) -> list[str]:
    """Creates the monthly tables from `start` (default: this month); existing ones stay. Returns their names."""
    first = (start or clock.now().date()).replace(day=1)
    names = []
    for _ in range(months):
        names.append(sql.make_partition(first))
        first = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return names
