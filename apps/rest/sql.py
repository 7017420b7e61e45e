"""The statements of kept replies, handwritten and prepared: every write with an Idempotency-Key pays for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.common import prepared
from apps.common.locks import LockName, key_of

_COLUMNS = "asked, request_id, status, sealed, kept_at, expires_at"
_BEGIN = f"SELECT locked, {_COLUMNS} FROM rest_begin_keyed(%s, %s, %s)"
_KEEP = f"""
INSERT INTO rest_keptreply (name, {_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (name) DO UPDATE SET ({_COLUMNS}) = ROW (excluded.asked, excluded.request_id, excluded.status, excluded.sealed,
    excluded.kept_at, excluded.expires_at)  -- one that expired
"""


def begin(name: bytes, *, now: datetime) -> tuple[bool, Sequence[Any] | None]:
    """Locks a key until the transaction ends, and reads the reply that was stored for it.

    Returns whether the key was free, and the reply (`_COLUMNS`) or None. One function in the database (rest, 0001) does both: a
    round trip costs more CPU than either.
    """
    with prepared.cursor() as cursor:
        cursor.execute(_BEGIN, [key_of(LockName.IDEMPOTENCY_KEY, name), name, now])
        locked, *stored = cursor.fetchone()
    return locked, stored if stored[0] is not None else None


def keep(row: Sequence[Any]) -> None:
    """Inserts a reply: its name and `_COLUMNS`."""
    with prepared.cursor() as cursor:
        cursor.execute(_KEEP, row)
