"""Lists that most requests read: scoped, paged and counted, their SQL built once per role and set of filters and run prepared.

An app declares a list in one place (`docs/lists.md`):

    VISITS = ScopedList(
        Visit,
        columns=("id", "patient_id", "status", "started_at"),
        orders={"newest": ("-started_at", "-id")},
        filters={"patient_id": Q(patient=Slot("patient_id")), "status": Q(status=Slot("status"))},
        owner_filters=("patient_id",),
        counter=ROW_COUNTER,
    )
    page = VISITS.bind(actor, patient_id=patient_id).page(window)

The queryset of the model has `visible_to(actor, at)`, and `hidden_from(actor, at)`: the rows of restricted charts that the actor
may not see. Both are called with a `RolePlaceholder`, whose id is a slot, and with the slot `NOW`; each run binds the actor's own
id and the current time.

Without a filter the total is exact, from a counter that triggers maintain. With one it is counted up to 10,000. Neither includes
rows of charts that are hidden from the actor.

A list by `status` without an owner (`owner_filters`: the patient, the doctor) uses the index that begins with the status. The
planner would prefer to read the index of all rows and drop those of another status. If one row in a hundred thousand has the
status, or none of the first hundred thousand, that takes a second. Therefore the order begins with the status too, which only
that index has, and the condition is `= ANY`: PostgreSQL removes a column that equals a constant from an order.

With several statuses the statement reads the page of each status in this way and merges them: it costs one page more per status,
however rare they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import DateTimeField, F, Lookup, Model, Q, QuerySet, UUIDField

from apps.access import matrix
from apps.access.actor import SYSTEM, Actor
from apps.access.permissions import Permission
from apps.common import clock
from apps.common.prepared import ACTOR_ID, EACH_WANTED, NOW, PreparedQuery, Slot
from apps.common.row_counters import RowCounter
from apps.rest import sql
from apps.rest.paging import COUNTED_UP_TO, Page, Position, Total, Window

P = ParamSpec("P")
T = TypeVar("T")
_LAST_AT, _LAST_ID = Slot("last_at", DateTimeField()), Slot("last_id", UUIDField())  # the last row of the previous page


@dataclass(frozen=True)
class RolePlaceholder:
    """Represents any user of a role, in a statement that all of them share."""

    role: str
    admin_clinical: bool  # the setting HIMS_ADMIN_CLINICAL
    id = ACTOR_ID

    def has_permission(self, permission: Permission) -> bool:
        return permission in matrix.permissions_of(self.role, admin_clinical=self.admin_clinical)


def per_role(build: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Actor, P], T]:
    """Run the decorated function once per role and further arguments, and return its result to all actors of the role.

    It receives a `RolePlaceholder`, or SYSTEM. An actor's rights are those that the table in `access` gives to the role.
    """
    built = cache(build)

    @wraps(build)
    def for_actor(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> T:
        someone = SYSTEM if actor is SYSTEM else RolePlaceholder(actor.role, settings.HIMS_ADMIN_CLINICAL)
        return built(someone, *args, **kwargs)  # type: ignore[arg-type]  # the placeholder has the id of an actor as a slot

    return for_actor


def actor_values(actor: Actor) -> dict[str, Any]:
    """Returns the values of the slots ACTOR_ID and NOW: the actor's id and the current time."""
    return {"actor_id": actor.id, "now": clock.now()}


class ScopedList:
    """A list of rows that belong to patients; see the module.

    `columns` are the keys of a row and include `id`. An order ends in an instant and the id, which together identify the position
    of a page. Each of the `filters` has a slot with its own name.
    """

    def __init__(
        self,
        model: type[Model],
        *,
        columns: Sequence[str],
        orders: Mapping[str, Sequence[str]],
        filters: Mapping[str, Q],
        owner_filters: Sequence[str],
        counter: RowCounter,
    ) -> None:
        self.rows: Any = model._default_manager
        self.columns, self.orders, self.filters, self.counter = columns, orders, filters, counter
        self._owner_filters = frozenset(owner_filters)
        self._statements = per_role(self._build)
        self._detail = per_role(self._build_detail)

    def bind(self, actor: Actor, *, order: str = "newest", **filters: Any) -> "BoundList":
        """Returns the list for this actor, ready to run. A filter that is None does not filter; `status` may be a list."""
        values = {name: value for name, value in filters.items() if value is not None}
        several = isinstance(values.get("status"), list)
        if several and len(values["status"]) == 1:
            several, values["status"] = False, values["status"][0]
        names = tuple(name for name in self.filters if name in values)
        return BoundList(self._statements(actor, order, names, several), values | actor_values(actor))

    def instance(self, actor: Actor, row_id: UUID) -> Any | None:
        """Returns the row as an instance of the model; None if there is none or the actor may not see it."""
        rows = self._detail(actor).instances(row_id=row_id, **actor_values(actor))
        return rows[0] if rows else None

    def _build_detail(self, actor: Actor) -> PreparedQuery:
        return PreparedQuery(self.rows.visible_to(actor, NOW).order_by().filter(pk=Slot("row_id")))

    def _build(self, actor: Actor, order: str, names: tuple[str, ...], several: bool) -> "_Statements":
        columns, condition = self.orders[order], Q(*(self.filters[name] for name in names if name != "status"))
        if "status" not in names:
            return _Statements(self, actor, columns, condition, is_filtered=bool(names))
        any_status = condition & (Q(_AnyOf(F("status"), Slot("status"))) if several else self.filters["status"])
        if not self._owner_filters.isdisjoint(names):
            return _Statements(self, actor, columns, any_status, is_filtered=True)
        one_status = condition & Q(_Among(F("status"), EACH_WANTED if several else Slot("status")))
        by_status = ("status" if columns[0].startswith("-") else "-status", *columns)
        each = one_status if several else None
        return _Statements(self, actor, by_status, any_status if several else one_status, is_filtered=True, each=each)


class _Among(Lookup):
    """Compares with a list of one member; see the module."""

    lookup_name = "among"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        lhs, lhs_values = self.process_lhs(compiler, connection)
        rhs, values = self.process_rhs(compiler, connection)
        return f"{lhs} = ANY(ARRAY[{rhs}])", [*lhs_values, *values]


class _AnyOf(Lookup):
    """Compares with the members of a list that is one value of the statement."""

    lookup_name = "any_of"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        lhs, lhs_values = self.process_lhs(compiler, connection)
        rhs, values = self.process_rhs(compiler, connection)
        return f"{lhs} = ANY({rhs}::text[])", [*lhs_values, *values]


class _Statements:
    """The statements of a list under one role, order and set of filters, each built on its first use.

    `each` is the condition for one of several statuses, whose pages are merged into one.
    """

    def __init__(
        self, scoped: ScopedList, actor: Actor, order: Sequence[str], condition: Q, *, is_filtered: bool, each: Q | None = None
    ) -> None:
        self.time, self.counter, self.is_merged = order[-2], scoped.counter, each is not None
        self._columns, self._actor, self._is_filtered = scoped.columns, actor, is_filtered
        self._every: Any = scoped.rows.filter(condition).order_by()
        self._shown: QuerySet[Any] = scoped.rows.visible_to(actor, NOW).filter(each or condition).order_by(*order)

    @cached_property
    def page(self) -> PreparedQuery:
        return PreparedQuery(self._shown.values(*self._columns))

    @cached_property
    def following(self) -> PreparedQuery:
        """The rows after a position. The index starts at the instant; rows of that instant up to the id are dropped."""
        column, beyond = self.time.removeprefix("-"), "lt" if self.time.startswith("-") else "gt"
        further = Q(**{f"{column}__{beyond}": _LAST_AT}) | Q(**{f"id__{beyond}": _LAST_ID})
        return PreparedQuery(self._shown.filter(further, **{f"{column}__{beyond}e": _LAST_AT}).values(*self._columns))

    @cached_property
    def count(self) -> PreparedQuery | None:
        return PreparedQuery(self._every.values("id")) if self._is_filtered else None

    @cached_property
    def hidden(self) -> PreparedQuery:
        return PreparedQuery(self._every.hidden_from(self._actor, NOW).values("id"))


@dataclass(frozen=True)
class BoundList:
    """A list with the values of its filters, for one actor at one instant."""

    _statements: _Statements
    _values: Mapping[str, Any]

    def page(self, window: Window) -> Page:
        """Returns the page in this window. Two statements; one by cursor, where the first page holds all, or past the end."""
        offset, limit = window.offset, window.limit
        if window.after is not None:
            last: dict[str, Any] = {"last_at": window.after.instant, "last_id": window.after.id}
            return self._page(self._read(self._statements.following, {**self._values, **last}, 0, limit + 1), limit, None)
        first = [] if offset else self._rows(0, limit + 1)
        if not offset and len(first) <= limit:
            return Page(first, total=Total(len(first)))
        total = self.total()
        reached = offset and (offset < total.rows or total.is_estimate)
        return self._page(self._rows(offset, limit + 1) if reached else first, limit, total)

    def total(self) -> Total:
        """Returns the number of rows, in one statement: all rows, without those of hidden charts."""
        statements = self._statements
        if statements.page.is_empty:
            return Total(0)
        whole = statements.count.statement(**self._values) if statements.count else None
        hidden = statements.hidden.statement(**self._values)
        counter_sql = statements.counter.total_sql
        all_rows, visible_rows = sql.count(whole or counter_sql, up_to=COUNTED_UP_TO + 1, without=hidden)
        is_estimate = whole is not None and all_rows > COUNTED_UP_TO
        return Total(COUNTED_UP_TO if is_estimate else visible_rows, is_estimate)

    def _rows(self, offset: int, limit: int) -> list[dict[str, Any]]:
        return self._read(self._statements.page, self._values, offset, limit)

    def _read(self, query: PreparedQuery, values: Mapping[str, Any], offset: int, limit: int) -> list[dict[str, Any]]:
        if not self._statements.is_merged:
            return query.dicts(**values, offset=offset, limit=limit)
        time, direction = self._statements.time.removeprefix("-"), "DESC" if self._statements.time.startswith("-") else "ASC"
        others = {name: value for name, value in values.items() if name != "status"}
        order = f"{time} {direction}, id {direction}"
        return query.merged_dicts(values["status"], order=order, offset=offset, limit=limit, **others)

    def _page(self, rows: list[dict[str, Any]], limit: int, total: Total | None) -> Page:
        if len(rows) <= limit:
            return Page(rows, total=total)
        last = rows[limit - 1]
        return Page(rows[:limit], Position.at(last[self._statements.time.removeprefix("-")], last["id"]), total)
