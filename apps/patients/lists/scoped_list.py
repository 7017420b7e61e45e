"""Lists of rows that belong to patients (appointments, consultations): SQL built once per role and set of filters, run prepared.

A list by status, without another filter, is read from the index that begins with the status. The planner would rather scan the
index of all rows and drop those of another status; if one in a hundred thousand has it (requested appointments), or none of the
first hundred thousand (completed appointments come after all future ones), that takes a second. So the order begins with the
status too, which only that index provides, and the condition is `= ANY`: a column that equals a constant is not part of an order.

The total is exact without a filter, from a row counter that triggers maintain, and counted up to 10,000 with one; rows of charts
that are hidden from the reader are in neither. Querysets are built for a `RolePlaceholder`; its id and instant are slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from django.db.models import F, Lookup, Q, QuerySet

from apps.access.actor import Actor
from apps.common import clock, prepared
from apps.common.prepared import PreparedQuery
from apps.patients.lists.patient_queries import ACTOR_ID, NOW
from apps.patients.models import Patient
from apps.rest.cursor import Position
from apps.rest.paging import COUNTED_UP_TO, Total

ACTOR_SLOTS = (ACTOR_ID, NOW)
_LAST_AT, _LAST_ID = datetime(1, 1, 9, tzinfo=UTC), UUID(int=9)  # slots: the position of the last row of the previous page


class VisibleRows(Protocol):
    """The manager of a model with a `patient`."""

    def visible_to(self, actor: Actor, at: object = None) -> QuerySet: ...
    def filter(self, *conditions: Q) -> QuerySet: ...


@dataclass(frozen=True)
class ListFilter:
    """Conditions of a list and their slots, in order."""

    condition: Q
    slots: Sequence[Any]


class Among(Lookup):
    """A membership condition with one member; see above."""

    lookup_name = "among"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        lhs, lhs_values = self.process_lhs(compiler, connection)
        rhs, values = self.process_rhs(compiler, connection)
        return f"{lhs} = ANY(ARRAY[{rhs}])", [*lhs_values, *values]


def by_status(names: Sequence[str], slot: Any, order: Sequence[str]) -> tuple[Q, Sequence[str]]:
    """Returns the condition on the status and the order of a list that is filtered by these names."""
    if not _OWNER_FILTERS.isdisjoint(names):
        return Q(status=slot), order
    return Q(Among(F("status"), slot)), ("status" if order[0].startswith("-") else "-status", *order)


_OWNER_FILTERS = {"patient_id", "doctor_id", "appointment_id"}


class ScopedList:
    """A list for its role and filters. `tally` is the table that counts all rows.

    `order` ends in an instant and the id: the next page starts after these two (`following`).
    """

    def __init__(
        self,
        rows: VisibleRows,
        columns: Sequence[str],
        order: Sequence[str],
        actor: Actor,
        by: ListFilter,
        *,
        tally: str,
        counted: str,
    ) -> None:
        shown = rows.visible_to(actor, NOW).filter(by.condition)
        every = rows.filter(by.condition).order_by()
        closed = every.filter(patient__in=Patient.objects.hidden_from(actor, NOW).order_by().values("pk"))
        self.time, self._columns, self._slots = order[-2], columns, by.slots
        self._shown = shown.order_by(*order)
        self.page = PreparedQuery(self._shown.values(*columns), *by.slots, optional=ACTOR_SLOTS)
        self.count = PreparedQuery(every.values("id"), *by.slots, optional=ACTOR_SLOTS) if by.slots else None
        self.hidden = PreparedQuery(closed.values("id"), *by.slots, optional=ACTOR_SLOTS)
        self.tallied = f"SELECT coalesce(sum({counted}), 0) FROM {tally}"  # noqa: S608 (names of our own)

    @cached_property
    def following(self) -> PreparedQuery:
        """Returns the rows after a position. The index starts at the instant; of its rows those up to the id are dropped."""
        column, beyond = self.time.removeprefix("-"), "lt" if self.time.startswith("-") else "gt"
        further = Q(**{f"{column}__{beyond}": _LAST_AT}) | Q(**{f"id__{beyond}": _LAST_ID})
        rows = self._shown.filter(further, **{f"{column}__{beyond}e": _LAST_AT})
        return PreparedQuery(rows.values(*self._columns), *self._slots, _LAST_AT, _LAST_ID, optional=ACTOR_SLOTS)


@dataclass(frozen=True)
class BoundList:
    """A list, ready to run."""

    _scoped_list: ScopedList
    _values: tuple[Any, ...]
    _actor_values: tuple[UUID | None, datetime]

    def page(self, offset: int, limit: int) -> list[dict[str, Any]]:
        """Returns its rows as plain values."""
        return self._scoped_list.page.dicts(*self._values, *self._actor_values, limit=limit, offset=offset)

    def following(self, after: Position, limit: int) -> list[dict[str, Any]]:
        """Returns rows after a position as plain values."""
        return self._scoped_list.following.dicts(*self._values, after.instant, after.id, *self._actor_values, limit=limit)

    def place_of(self, row: dict[str, Any]) -> Position:
        """Returns the position of a row of the list."""
        return Position.at(row[self._scoped_list.time.removeprefix("-")], row["id"])

    def total(self) -> Total:
        """Returns the total, in one statement: the counter less the rows of hidden charts."""
        values = (*self._values, *self._actor_values)
        if not self._scoped_list.page.statement(*values):
            return Total(0)
        whole = self._scoped_list.count.statement(*values) if self._scoped_list.count else None
        hidden = self._scoped_list.hidden.statement(*values)
        sql = _COUNTED.format(
            all=f"SELECT count(*) FROM ({whole.sql} LIMIT {COUNTED_UP_TO + 1}) c" if whole else self._scoped_list.tallied,  # noqa: S608
            hidden=f"SELECT count(*) FROM ({hidden.sql}) h" if hidden else "0",  # noqa: S608
        )
        with prepared.cursor() as cursor:
            cursor.execute(sql, [*(hidden.values if hidden else []), *(whole.values if whole else [])])
            all_rows, visible_rows = cursor.fetchone()
        is_estimate = whole is not None and all_rows > COUNTED_UP_TO
        return Total(COUNTED_UP_TO if is_estimate else int(visible_rows), is_estimate)


_COUNTED = "SELECT n, n - ({hidden}) FROM ({all}) found (n)"


def bind(scoped_list: ScopedList, values: Sequence[Any], actor: Actor) -> BoundList:
    """Returns the list with the values of its filters, for this user now."""
    return BoundList(scoped_list, tuple(values), (actor.id, clock.now()))


@dataclass(frozen=True)
class ListPage:
    """Rows of a list in its order. `next` is the position of the last row if more rows follow."""

    rows: list[dict[str, Any]]
    next: Position | None


@dataclass(frozen=True)
class CountedPage(ListPage):
    """A page of a list, and the total of the list."""

    total: Total


def list_page(read: BoundList, *, offset: int, limit: int) -> CountedPage:
    """Returns a page by its number. Two statements; one if the first page contains all, or past the end."""
    first = [] if offset else read.page(0, limit + 1)
    if not offset and len(first) <= limit:
        return CountedPage(first, None, Total(len(first)))
    total = read.total()
    reached = offset and (offset < total.rows or total.is_estimate)
    page = _page(read, read.page(offset, limit + 1) if reached else first, limit)
    return CountedPage(page.rows, page.next, total)


def following(read: BoundList, *, after: Position, limit: int) -> ListPage:
    """Returns the page after a position, in one statement: a row that is added or removed meanwhile shifts nothing."""
    return _page(read, read.following(after, limit + 1), limit)


def _page(read: BoundList, rows: list[dict[str, Any]], limit: int) -> ListPage:
    shown = rows[:limit]
    return ListPage(shown, read.place_of(shown[-1]) if len(rows) > limit else None)
