"""Emptying the tables of the sandbox."""

from collections.abc import Iterable

from django.db import connection


def truncate(tables: Iterable[str], sequences: Iterable[str]) -> None:
    """Empties the tables and restarts their numbers and these sequences; the end of the transaction may undo it."""
    quoted = ", ".join(connection.ops.quote_name(table) for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {quoted} RESTART IDENTITY")
        for sequence in sequences:
            cursor.execute(f"ALTER SEQUENCE {sequence} RESTART")
