"""The statements that write audit rows, prepared: every chart read and every write pays for them; and the monthly tables."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection

from apps.common import prepared
from apps.common.prepared import SqlFragment

_COLUMNS = "id, at, user_id, role, action, outcome, patient_id, object_id, ip, request_id, purpose, detail"
_INSERT = f"INSERT INTO audit_auditevent ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
# The row of a read is alone in its transaction and does not wait for the disk. A row that belongs to a write is as durable as it.
_INSERT_ALONE = f"""
WITH hurry AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO audit_auditevent ({_COLUMNS})
SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s FROM hurry
"""


def insert(row: Sequence[Any]) -> SqlFragment:
    """Returns the INSERT of a row, for a statement that writes it with others. `row` is in the order of `_COLUMNS`."""
    return SqlFragment(_INSERT, row)


def add(row: Sequence[Any]) -> None:
    """Inserts a row; outside a transaction without waiting for the disk."""
    with prepared.cursor() as cursor:
        cursor.execute(_INSERT if connection.in_atomic_block else _INSERT_ALONE, row)


def make_partition(month: date) -> str:
    """Creates the table of the month that begins on this day, through the owner's function. Returns its name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_make_partition(%s)", [month])
        return str(cursor.fetchone()[0])
