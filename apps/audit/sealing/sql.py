"""The statements of the sealer: which rows wait for a seal, and the seals themselves."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.audit.models import Chain
from apps.audit.sealing import chain
from apps.common import prepared

# OFFSET keeps the planner from joining: each row looks up the seals' index, however little PostgreSQL knows of the tables.
SEALED = "SELECT FROM audit_seal s WHERE s.event_id = a.id AND s.at = a.at OFFSET 0"
_WAITING = f"""
SELECT a.at, {chain.COLUMNS} FROM audit_auditevent a
WHERE a.at >= %s AND NOT EXISTS ({SEALED}) ORDER BY a.at, a.id LIMIT %s
"""
# As a value, not as a join: so the months before the latest seal are not scanned.
OLDEST_UNSEALED = """
SELECT at FROM audit_auditevent WHERE at > (SELECT coalesce(max(reach), %s::timestamptz) FROM audit_chain) ORDER BY at, id LIMIT 1
"""
_COUNT_WAITING = f"""
SELECT count(*) FROM (SELECT FROM audit_auditevent a WHERE a.at >= %s AND NOT EXISTS ({SEALED}) LIMIT %s) AS waiting
"""
_INSERT = """
INSERT INTO audit_seal (sequence, event_id, at, hash)
SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::timestamptz[], %s::bytea[])
"""

_ADVANCE = "SELECT audit_advance_chain(%s, %s, %s, %s, %s, %s, %s)"


def transaction_time() -> datetime:
    """Returns when this transaction began, by the database's clock."""
    now: datetime = _one("SELECT now()")
    return now


def waiting(*, since: datetime, limit: int) -> list[tuple[Any, ...]]:
    """Returns rows without a seal from an instant on, in order: the time, then the columns that a seal covers."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [since, limit])
        return list(cursor.fetchall())


def count_waiting(*, since: datetime, up_to: int) -> int:
    """Returns how many rows without a seal there are from an instant on, at most `up_to`."""
    return int(_one(_COUNT_WAITING, since, up_to))


def oldest_unsealed(beginning: datetime) -> datetime | None:
    """Returns when the first row after the latest seal was written, or after `beginning` if there is no seal yet."""
    with prepared.cursor() as cursor:
        cursor.execute(OLDEST_UNSEALED, [beginning])
        row = cursor.fetchone()
    return row[0] if row else None


def insert_seals(sequences: list[int], ids: list[UUID], times: list[datetime], hashes: list[bytes]) -> None:
    """Inserts a seal for each position."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [sequences, ids, times, hashes])


def advance(head: Chain) -> None:
    """Moves the stored head of the chain forward, through the owner's function."""
    _one(_ADVANCE, head.secret, head.sequence, head.hash, head.reach, head.swept, head.anchored_on, head.mac)


def _one(sql: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]
