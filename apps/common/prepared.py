"""Statements that every request pays for: written by hand, bound by the server and planned once a connection.

Django binds parameters into the text of each statement, so PostgreSQL parses and plans it anew each time; for the look-up of a
session that is most of its cost. `cursor` is Django's own cursor round one of psycopg that prepares. A statement run through it
names its columns (a prepared `*` breaks when a migration adds one). psycopg forgets what it prepared after a ROLLBACK.
"""

from types import SimpleNamespace
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


class _Preparing(psycopg.Cursor):
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        super().execute(query, params, **(options | {"prepare": True}))
        if connection.queries_logged:  # the log asks for the statement with its values, which never was one text
            self._query = SimpleNamespace(query=connection.ops.compose_sql(query, params).encode())  # type: ignore[assignment,attr-defined]
        return self


def cursor() -> CursorWrapper:
    """A cursor on Django's connection: same transaction, same query log, same errors. Use it in a `with`."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection._prepare_cursor(_Preparing(connection.connection))  # type: ignore[attr-defined]
