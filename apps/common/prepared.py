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


class Preparing(psycopg.Cursor):
    """psycopg's cursor, which here has the server plan every statement once."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        super().execute(query, params, **(options | {"prepare": True}))
        if connection.queries_logged:  # the log asks for the statement with its values, which never was one text
            self._query = SimpleNamespace(query=connection.ops.compose_sql(query, params).encode())  # type: ignore[assignment,attr-defined]
        return self


def cursor() -> CursorWrapper:
    """A cursor on Django's connection: same transaction, same query log, same errors. Use it in a `with`."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection._prepare_cursor(Preparing(connection.connection))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Statement:
    """A piece of SQL with its values, to stand within another statement."""

    sql: str
    values: Sequence[Any]


class Compiled:
    """A queryset whose SQL Django makes once; each run binds fresh values where the blanks stood.

    For hot reads, where making the SQL costs more than PostgreSQL needs to answer it. Blanks are values that nothing else in the
    queryset equals; what Django looks up by then is decided when the statement is made (a role's conditions), what differs by
    request must be a blank (whose id, which instant). Raises ValueError for a blank that did not become a parameter, unless it
    is among those that need not (a role may be asked no such thing).
    """

    def __init__(self, rows: QuerySet, *blanks: Any, perhaps: Sequence[Any] = ()) -> None:
        self._query = rows.query
        self._compiler = self._query.get_compiler(connection.alias)
        try:
            self._sql, fixed = self._compiler.as_sql()
        except EmptyResultSet:  # `.none()`
            self._sql, fixed = "", ()
        known = (*blanks, *perhaps)
        self._places = [(_place(value, known), value) for value in fixed]
        if self._sql and (missing := set(range(len(blanks))) - {place for place, _ in self._places}):
            raise ValueError(f"no parameter for the blanks {[blanks[place] for place in missing]}")

    def instances(self, *values: Any) -> list[Any]:
        """The model's instances, with `values` in the places of the blanks."""
        columns = [column[0].target.attname for column in self._compiler.select] if self._sql else []  # type: ignore[union-attr]
        make = self._query.model.from_db  # type: ignore[union-attr]
        return [make(connection.alias, columns, row) for row in self._run(self._sql, self._bound(values))]

    def dicts(self, *values: Any, limit: int | None = None, offset: int = 0) -> list[dict[str, Any]]:
        """The rows of a queryset of `.values()`, or a page of them."""
        names = [*self._query.values_select, *self._query.annotation_select]
        sql, bound = (self._sql, []) if limit is None else (self._sql + " LIMIT %s OFFSET %s", [limit, offset])
        return [dict(zip(names, row, strict=True)) for row in self._run(sql, self._bound(values) + bound)]

    def statement(self, *values: Any) -> Statement | None:
        """The queryset as a piece of another statement; None where it is known to find nothing."""
        return Statement(self._sql, self._bound(values)) if self._sql else None

    def _bound(self, values: Sequence[Any]) -> list[Any]:
        return [value if place is None else values[place] for place, value in self._places]

    def _run(self, sql: str, bound: Sequence[Any]) -> Iterable[Sequence[Any]]:
        if not self._sql:
            return []
        with cursor() as asked:
            asked.execute(sql, bound)
            return list(self._compiler.results_iter([asked.fetchall()]))


def _place(value: Any, blanks: Sequence[Any]) -> int | None:
    return next((place for place, blank in enumerate(blanks) if isinstance(value, type(blank)) and blank == value), None)
