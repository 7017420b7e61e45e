"""Statements that most requests run: prepared on the server and planned once per connection.

Django writes the parameters into the text of each statement, so PostgreSQL parses and plans it anew each time. For the look-up
of a session that is most of its cost. `cursor` returns Django's own cursor around a psycopg cursor that prepares. Its statements
name their columns: a prepared `*` breaks when a migration adds one. psycopg forgets what it prepared after a ROLLBACK.

A `PreparedQuery` also saves the time in which Django makes the SQL of a queryset. What differs between two runs is a `Slot` in
the queryset:

    _user = PreparedQuery(User.objects.filter(pk=Slot("user_id")).order_by())
    rows = _user.instances(user_id=user_id)

Everything else becomes a constant of the statement for as long as the process lives. An instant or a UUID is never such a
constant: a statement with the instant of its making would show a restricted chart for ever after one emergency access. The
constructor refuses them. `docs/lists.md` says when to prepare a list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.utils import CursorWrapper
from django.db.models import DateTimeField, Expression, Field, QuerySet, UUIDField
from django.db.models.expressions import RawSQL
from django.db.models.query import get_related_populators
from psycopg.adapt import AdaptersMap
from psycopg.pq import Format
from psycopg.types.range import Range

_INSTANT = psycopg.adapters.types["timestamptz"].oid
_ADAPTERS = "hims_prepared_adapters"  # an attribute of the connection: it goes with it
_Instants: Any = psycopg.adapters.get_loader(_INSTANT, Format.TEXT)


class PreparingCursor(psycopg.Cursor):
    """psycopg's cursor; the server plans each of its statements once.

    It reads instants with psycopg's own loader, which is compiled. Django's loader took a tenth of a request that lists
    appointments. The instants are the same, in the zone of the connection, which is UTC.
    """

    is_logged = False

    @property
    def adapters(self) -> AdaptersMap:
        """Those of the connection with our loader, registered once per connection: for each cursor it copied the whole table."""
        shared = vars(self.connection).get(_ADAPTERS)
        if shared is None:
            shared = vars(self.connection)[_ADAPTERS] = AdaptersMap(self.connection.adapters)
            shared.register_loader(_INSTANT, _Instants)
        return shared

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        super().execute(query, params, **(options | {"prepare": True}))
        if self.is_logged:  # the log wants the statement with its values, which was never one text
            self._query = SimpleNamespace(query=connection.ops.compose_sql(query, params).encode())  # type: ignore[assignment,attr-defined]  # a method of the PostgreSQL backend
        return self


def cursor() -> CursorWrapper:
    """Returns a cursor on Django's connection: same transaction, same query log, same errors. Use it in a `with`."""
    database: Any = connections[DEFAULT_DB_ALIAS]  # once: each use of `connection` looks it up again
    database.ensure_connection()
    with database.wrap_database_errors:
        preparing = PreparingCursor(database.connection)
    preparing.is_logged = database.queries_logged
    prepared: CursorWrapper = database._prepare_cursor(preparing)
    return prepared


@dataclass(frozen=True)
class SqlFragment:
    """A piece of SQL with its values, for use inside another statement."""

    sql: str
    values: Sequence[Any]


class Slot(Expression):
    """The place of a value that each run of a prepared query supplies under this name.

    Use it in a queryset where a value would stand: `filter(pk=Slot("user_id"))`. Pass the `output_field` where an expression has
    to know the type (`Coalesce`). Two slots of one name take the same value.
    """

    def __init__(self, name: str, output_field: "Field[Any, Any] | None" = None) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def __repr__(self) -> str:
        return f"Slot({self.name!r})"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


ACTOR_ID, NOW = Slot("actor_id", UUIDField()), Slot("now", DateTimeField())
EACH_WANTED = RawSQL("wanted.value", ())  # one after another of the values of `PreparedQuery.merged_dicts`
_ACTOR_SLOTS = {ACTOR_ID.name, NOW.name}  # a role's conditions may need neither


class PreparedQuery:
    """A queryset whose SQL Django makes once. Each run binds its own values to the slots, by name.

    Use it where making the SQL costs more than PostgreSQL needs to run it. What Django looks up while the SQL is made (the rights
    of a role) is fixed with the statement. What differs by request must be a `Slot`. Raises ValueError for an instant, a date or
    a UUID among the parameters that is not a slot. A run raises ValueError for a value without a slot, but for `actor_id` and
    `now`, and for a slot without a value.
    """

    def __init__(self, rows: QuerySet[Any]) -> None:
        self._query = rows.query
        self._compiler = self._query.get_compiler(connection.alias)
        try:
            self._sql, parameters = self._compiler.as_sql()
        except EmptyResultSet:  # `.none()`
            self._sql, parameters = "", ()
        if frozen := [value for value in parameters if _differs_by_request(value)]:
            raise ValueError(f"Use a Slot in place of {', '.join(map(repr, frozen))}: this statement would keep it for ever.")
        selected = [column for column, _, _ in self._compiler.select or ()]
        self._converters = self._compiler.get_converters(selected)
        klass_info = self._compiler.klass_info or {"select_fields": [], "related_klass_infos": []}
        self._columns = [selected[place].target.attname for place in klass_info["select_fields"]]
        self._related = get_related_populators(klass_info, self._compiler.select, connection.alias)  # type: ignore[call-arg]  # the stubs know fewer arguments
        self._parameters = [(value.name, None) if isinstance(value, Slot) else (None, value) for value in parameters]
        self._slots = {name for name, _ in self._parameters if name is not None}

    def instances(self, **values: Any) -> list[Any]:
        """Returns instances of the model, with those of `select_related`, and with `values` in the slots."""
        instances = []
        for row in self._run(self._sql, self._bound(values)):
            instance = self._query.model.from_db(connection.alias, self._columns, row[: len(self._columns)])  # type: ignore[union-attr]  # the query of a model has one
            for related in self._related:
                related.populate(row, instance)
            instances.append(instance)
        return instances

    def dicts(self, *, limit: int | None = None, offset: int = 0, **values: Any) -> list[dict[str, Any]]:
        """Returns the rows of a queryset of `.values()`, or a page of them, with `values` in the slots.

        The limit is a number in the statement: where it is a parameter, PostgreSQL expects a page to be a tenth of the table, and
        plans anew each time.
        """
        names = [*self._query.values_select, *self._query.annotation_select]
        sql = self._sql if limit is None else f"{self._sql} LIMIT {limit:d}"
        sql, bound = (f"{sql} OFFSET %s", [offset]) if offset else (sql, [])
        return [dict(zip(names, row, strict=True)) for row in self._run(sql, self._bound(values) + bound)]

    def merged_dicts(
        self, wanted: Sequence[str], *, order: str, limit: int, offset: int = 0, **values: Any
    ) -> list[dict[str, Any]]:
        """Returns a page, in `order`, of the rows of several values of a column.

        The queryset has `EACH_WANTED` in the place of the value. PostgreSQL reads as many rows of each value as
        the page needs, in the order of the queryset, and merges them.
        """
        if self.is_empty:
            return []
        each, beyond = (f"{limit:d}", []) if not offset else (f"{limit:d} + %s", [offset])
        sql = (
            f"SELECT page.* FROM unnest(%s::text[]) AS wanted (value) "  # noqa: S608  # all parts are constants of the code
            f"CROSS JOIN LATERAL ({self._sql} LIMIT {each}) AS page ORDER BY {order} LIMIT {limit:d} OFFSET %s"
        )
        names = [*self._query.values_select, *self._query.annotation_select]
        bound = [list(wanted), *self._bound(values), *beyond, offset]
        return [dict(zip(names, row, strict=True)) for row in self._run(sql, bound)]

    @property
    def is_empty(self) -> bool:
        """Whether the queryset finds no row whatever the values (`.none()`)."""
        return not self._sql

    def statement(self, **values: Any) -> SqlFragment | None:
        """Returns the queryset for use inside another statement; None where it cannot find a row."""
        return SqlFragment(self._sql, self._bound(values)) if self._sql else None

    def _bound(self, values: Mapping[str, Any]) -> list[Any]:
        if self._sql and (wrong := self._slots.symmetric_difference(values) - (_ACTOR_SLOTS - self._slots)):
            raise ValueError(f"The slots are {sorted(self._slots)}; missing or unknown: {sorted(wrong)}.")
        return [value if name is None else values[name] for name, value in self._parameters]

    def _run(self, sql: str, bound: Sequence[Any]) -> Iterable[Sequence[Any]]:
        if not self._sql:
            return []
        with cursor() as prepared_cursor:
            prepared_cursor.execute(sql, bound)
            rows = prepared_cursor.fetchall()
        return [*self._compiler.apply_converters(rows, self._converters)] if self._converters else rows


def _differs_by_request(value: Any) -> bool:
    """Whether the value is an instant, a date or an id, or has one inside (an array, a range)."""
    if isinstance(value, Range):
        return _differs_by_request((value.lower, value.upper))
    if isinstance(value, list | tuple):
        return any(map(_differs_by_request, value))
    return isinstance(value, date | UUID)
