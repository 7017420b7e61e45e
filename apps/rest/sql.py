"""The statements of kept replies, the counts of prepared lists, and the statement of the health check."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from apps.common import prepared
from apps.common.locks import LockName, key_of
from apps.common.prepared import SqlFragment

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


def count(rows: SqlFragment | str, *, up_to: int, without: SqlFragment | None) -> tuple[int, int]:
    """Returns the number of rows, and of those `without` the hidden ones, in one statement.

    `rows` are counted up to a limit; a string is a statement that returns the number itself.
    """
    every = rows if isinstance(rows, str) else f"SELECT count(*) FROM ({rows.sql} LIMIT {up_to}) c"
    hidden = f"SELECT count(*) FROM ({without.sql}) h" if without else "0"
    values = [*(without.values if without else []), *(rows.values if isinstance(rows, SqlFragment) else [])]
    with prepared.cursor() as cursor:
        cursor.execute(f"SELECT n, n - ({hidden}) FROM ({every}) counted (n)", values)
        all_rows, visible_rows = cursor.fetchone()
    return int(all_rows), int(visible_rows)


def ping() -> None:
    """Asks the database for a row. Raises django.db.Error."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
