"""The statements of the verification, which read the log and its seals by the million."""

from typing import Any

import psycopg
from django.db import connection

from apps.audit.sealing import chain
from apps.audit.sealing.sql import SEALED

_STEP = 5_000

# One row each by its key: the planner is not involved. Reads only what the seal needs.
SEALS = f"""
SELECT s.sequence, s.hash, a.*
FROM (SELECT * FROM audit_seal WHERE sequence > %s AND sequence <= %s ORDER BY sequence LIMIT {_STEP}) s
LEFT JOIN LATERAL (SELECT {chain.COLUMNS} FROM audit_auditevent a WHERE a.id = s.event_id AND a.at = s.at LIMIT 1) a ON true
ORDER BY s.sequence
"""
# Counted instead of looked up one by one: every seal of an intact chain has its row; the rest have none.
COUNTS = f"""
SELECT (SELECT count(*) FROM audit_auditevent) - (SELECT sequence FROM audit_chain),
    (SELECT count(*) FROM audit_auditevent a WHERE a.at >= %s AND NOT EXISTS ({SEALED}))
"""
ROWS = f"""
SELECT a.id, a.at, EXISTS (SELECT FROM audit_seal s WHERE s.event_id = a.id AND s.at = a.at OFFSET 0)
FROM audit_auditevent a WHERE a.at >= %s AND (a.at, a.id) > (%s, %s) AND a.at <= %s ORDER BY a.at, a.id LIMIT {_STEP}
"""
INSERTED = f"""
SELECT a.id, a.at FROM (SELECT id, at FROM audit_auditevent WHERE at >= %s AND at < %s ORDER BY at DESC LIMIT %s) a
WHERE NOT EXISTS ({SEALED}) ORDER BY a.at, a.id LIMIT 1
"""
OUT_OF_TIME = "SELECT id FROM audit_auditevent WHERE at < %s OR at >= %s LIMIT 1"


def fetch(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    """Returns the rows of a statement of this module."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def fetch_plain(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    """Reads by psycopg in binary: Django's own cursor creates time objects, which would be written as text again."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, values, binary=True)
        return list(cursor.fetchall())
