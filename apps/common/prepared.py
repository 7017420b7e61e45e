"""Statements that every request pays for: written by hand, bound by the server and planned once a connection.

Django binds parameters into the text of each statement, so PostgreSQL parses and plans it anew each time; for the look-up of a
session that is most of its cost. `cursor` is Django's own cursor round one of psycopg that prepares. A statement run through it
names its columns (a prepared `*` breaks when a migration adds one). psycopg forgets what it prepared after a ROLLBACK.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from psycopg.pq import Format

_INSTANT = psycopg.adapters.types["timestamptz"].oid
_Instants: Any = psycopg.adapters.get_loader(_INSTANT, Format.TEXT)


class PreparingCursor(psycopg.Cursor):
    """psycopg's cursor, which here has the server plan every statement once.

    Instants come by psycopg's own loader, which is compiled: the one that Django puts before it was a tenth of a request that
    lists visits. They are the same instants, in the zone of the connection, which is UTC.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        super().__init__(connection)
        self.adapters.register_loader(_INSTANT, _Instants)

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        super().execute(query, params, **(options | {"prepare": True}))
        if connection.queries_logged:  # the log asks for the statement with its values, which never was one text
            self._query = SimpleNamespace(query=connection.ops.compose_sql(query, params).encode())  # type: ignore[assignment,attr-defined]
        return self


def cursor() -> CursorWrapper:
    """A cursor on Django's connection: same transaction, same query log, same errors. Use it in a `with`."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection._prepare_cursor(PreparingCursor(connection.connection))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class SqlFragment:
    """A piece of SQL with its values, to stand within another statement."""

    sql: str
    values: Sequence[Any]


class PreparedQuery:
    """A queryset whose SQL Django makes once; each run binds fresh values where the blanks stood.

    For hot reads, where making the SQL costs more than PostgreSQL needs to answer it. Blanks are values that nothing else in the
    queryset equals; what Django looks up by then is decided when the statement is made (a role's conditions), what differs by
    request must be a blank (whose id, which instant). Raises ValueError for a blank that did not become a parameter, unless it
    is among those that need not (a role may be asked no such thing).
    """

    def __init__(self, rows: QuerySet, *slots: Any, optional: Sequence[Any] = ()) -> None:
        self._query = rows.query
        self._compiler = self._query.get_compiler(connection.alias)
        try:
            self._sql, fixed = self._compiler.as_sql()
        except EmptyResultSet:  # `.none()`
            self._sql, fixed = "", ()
        selected = [column for column, _, _ in self._compiler.select or ()]
        self._converters = self._compiler.get_converters(selected)
        known = (*slots, *optional)
        self._slots = [(_slot_of(value, known), value) for value in fixed]
        if self._sql and (missing := set(range(len(slots))) - {place for place, _ in self._slots}):
            raise ValueError(f"no parameter for the blanks {[slots[place] for place in missing]}")

    def instances(self, *values: Any) -> list[Any]:
        """The model's instances, with `values` in the places of the blanks."""
        columns = [column[0].target.attname for column in self._compiler.select] if self._sql else []  # type: ignore[union-attr]
        make = self._query.model.from_db  # type: ignore[union-attr]
        return [make(connection.alias, columns, row) for row in self._run(self._sql, self._bound(values))]

    def dicts(self, *values: Any, limit: int | None = None, offset: int = 0) -> list[dict[str, Any]]:
        """The rows of a queryset of `.values()`, or a page of them.

        The limit stands in the statement as a number: where it is a parameter, PostgreSQL takes a page for a tenth of the table,
        and plans anew each time.
        """
        names = [*self._query.values_select, *self._query.annotation_select]
        sql = self._sql if limit is None else f"{self._sql} LIMIT {limit:d}"
        sql, bound = (f"{sql} OFFSET %s", [offset]) if offset else (sql, [])
        return [dict(zip(names, row, strict=True)) for row in self._run(sql, self._bound(values) + bound)]

    def statement(self, *values: Any) -> SqlFragment | None:
        """The queryset as a piece of another statement; None where it is known to find nothing."""
        return SqlFragment(self._sql, self._bound(values)) if self._sql else None

    def _bound(self, values: Sequence[Any]) -> list[Any]:
        return [value if place is None else values[place] for place, value in self._slots]

    def _run(self, sql: str, bound: Sequence[Any]) -> Iterable[Sequence[Any]]:
        if not self._sql:
            return []
        with cursor() as prepared_cursor:
            prepared_cursor.execute(sql, bound)
            rows = prepared_cursor.fetchall()
        return [*self._compiler.apply_converters(rows, self._converters)] if self._converters else rows


def _slot_of(value: Any, slots: Sequence[Any]) -> int | None:
    return next((place for place, slot in enumerate(slots) if isinstance(value, type(slot)) and slot == value), None)
