"""Statements that every request pays for: written by hand, bound by the server and planned once a connection.

Django binds parameters into the text of each statement, so PostgreSQL parses and plans it anew each time; for the look-up of a
session that is most of its cost. `cursor` is Django's own cursor round one of psycopg that prepares. A statement run through it
names its columns (a prepared `*` breaks when a migration adds one). psycopg forgets what it prepared after a ROLLBACK.
"""

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet


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


class Compiled:
    """A queryset whose SQL Django makes once; each run binds fresh values where the blanks stood.

    For hot reads, where making the SQL costs more than PostgreSQL needs to answer it. Blanks are values that nothing else in the
    queryset equals; what Django looks up by then is decided when the statement is made (a role's conditions), what differs by
    request must be a blank (whose id, which instant). Raises ValueError for a blank that did not become a parameter.
    """

    def __init__(self, rows: QuerySet, *blanks: Any) -> None:
        self._query = rows.query
        self._compiler = self._query.get_compiler(connection.alias)
        self._sql, fixed = self._compiler.as_sql()
        self._places = [(_place(value, blanks), value) for value in fixed]
        if missing := set(range(len(blanks))) - {place for place, _ in self._places}:
            raise ValueError(f"no parameter for the blanks {[blanks[place] for place in missing]}")

    def instances(self, *values: Any) -> list[Any]:
        """The model's instances, with `values` in the places of the blanks."""
        columns = [column[0].target.attname for column in self._compiler.select]  # type: ignore[union-attr]
        make = self._query.model.from_db  # type: ignore[union-attr]
        return [make(connection.alias, columns, row) for row in self._run("", values)]

    def dicts(self, *values: Any, limit: int, offset: int = 0) -> list[dict[str, Any]]:
        """A page of a queryset of `.values()`."""
        names = [*self._query.values_select, *self._query.annotation_select]
        return [dict(zip(names, row, strict=True)) for row in self._run(" LIMIT %s OFFSET %s", [*values, limit, offset])]

    def _run(self, window: str, values: Sequence[Any]) -> Iterable[Sequence[Any]]:
        bound = [value if place is None else values[place] for place, value in self._places]
        with cursor() as asked:
            asked.execute(self._sql + window, [*bound, *values[-2:]] if window else bound)
            return list(self._compiler.results_iter([asked.fetchall()]))


def _place(value: Any, blanks: Sequence[Any]) -> int | None:
    return next((place for place, blank in enumerate(blanks) if type(blank) is type(value) and blank == value), None)
