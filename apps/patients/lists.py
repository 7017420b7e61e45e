"""Lists of what belongs to patients (visits, consultations): their SQL made once for each role and set of filters, run prepared.

A list by status, of nobody in particular, is read from the index that begins with the status. The planner would rather walk the
index of all rows and drop those of another status, hoping to find one soon; where one in a hundred thousand has it (visits asked
for), or none of the first hundred thousand (visits done come after all that are still to be), that takes a second. So the order
begins with the status too, which that index alone has, and the condition is `= ANY`: what equals a constant is no order.

The total is exact without a filter, from a tally that triggers keep, and counted up to 10,000 with one; rows of charts that are
hidden from the reader are in neither. Querysets are asked for a stand-in of a role (see `reads`); its id and instant are blanks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import F, Lookup, Q, QuerySet

from apps.access.actor import Actor
from apps.common import clock, prepared
from apps.common.prepared import Compiled
from apps.patients.models import Patient
from apps.patients.reads import SOMEBODY, SOMETIME
from apps.rest.paging import COUNTED_UP_TO, Total

WHO = (SOMEBODY, SOMETIME)


class Rows(Protocol):
    """The manager of a model with a `patient`."""

    def visible_to(self, actor: Actor, at: object = None) -> QuerySet: ...
    def filter(self, *conditions: Q) -> QuerySet: ...


@dataclass(frozen=True)
class Filter:
    """Conditions of a list and the blanks within them, in their order."""

    asked: Q
    blanks: Sequence[Any]


class Among(Lookup):
    """One of a list that has one member; see above."""

    lookup_name = "among"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        lhs, known = self.process_lhs(compiler, connection)
        rhs, asked = self.process_rhs(compiler, connection)
        return f"{lhs} = ANY(ARRAY[{rhs}])", [*known, *asked]


def by_status(names: Sequence[str], blank: Any, order: Sequence[str]) -> tuple[Q, Sequence[str]]:
    """The condition on the status and the order of a list that is filtered by these names."""
    if not _OF_SOMEBODY.isdisjoint(names):
        return Q(status=blank), order
    return Q(Among(F("status"), blank)), ("status" if order[0].startswith("-") else "-status", *order)


_OF_SOMEBODY = {"patient_id", "doctor_id", "appointment_id"}


class Filtered:
    """A list as its role and its filters make it. `tally` is the table that knows how many rows there are in all."""

    def __init__(
        self, rows: Rows, columns: Sequence[str], order: Sequence[str], actor: Actor, by: Filter, *, tally: str, counted: str
    ) -> None:
        shown = rows.visible_to(actor, SOMETIME).filter(by.asked)
        every = rows.filter(by.asked).order_by()
        closed = every.filter(patient__in=Patient.objects.hidden_from(actor, SOMETIME).order_by().values("pk"))
        self.page = Compiled(shown.order_by(*order).values(*columns), *by.blanks, perhaps=WHO)
        self.count = Compiled(every.values("id"), *by.blanks, perhaps=WHO) if by.blanks else None
        self.hidden = Compiled(closed.values("id"), *by.blanks, perhaps=WHO)
        self.tallied = f"SELECT coalesce(sum({counted}), 0) FROM {tally}"  # noqa: S608 (names of our own)


@dataclass(frozen=True)
class Read:
    """A list, ready to run."""

    _kept: Filtered
    _values: tuple[Any, ...]

    def page(self, offset: int, limit: int) -> list[dict[str, Any]]:
        """Rows of it as plain values."""
        return self._kept.page.dicts(*self._values, limit=limit, offset=offset)

    def total(self) -> Total:
        """How many there are, in one statement: all counted less those of charts that are hidden."""
        if not self._kept.page.statement(*self._values):
            return Total(0)
        whole = self._kept.count.statement(*self._values) if self._kept.count else None
        hidden = self._kept.hidden.statement(*self._values)
        sql = _COUNTED.format(
            all=f"SELECT count(*) FROM ({whole.sql} LIMIT {COUNTED_UP_TO + 1}) c" if whole else self._kept.tallied,  # noqa: S608
            hidden=f"SELECT count(*) FROM ({hidden.sql}) h" if hidden else "0",  # noqa: S608
        )
        with prepared.cursor() as cursor:
            cursor.execute(sql, [*(hidden.values if hidden else []), *(whole.values if whole else [])])
            found, shown = cursor.fetchone()
        is_estimate = whole is not None and found > COUNTED_UP_TO
        return Total(COUNTED_UP_TO if is_estimate else int(shown), is_estimate)


_COUNTED = "SELECT n, n - ({hidden}) FROM ({all}) found (n)"


def ready(kept: Filtered, values: Sequence[Any], actor: Actor) -> Read:
    """The list with the values of its filters, for this person now."""
    return Read(kept, (*values, actor.id, clock.now()))


@dataclass(frozen=True)
class Listing:
    """A page of a list, and how many there are in all."""

    rows: list[dict[str, Any]]
    total: Total


def listing(read: Read, *, offset: int, limit: int) -> Listing:
    """A page. Two statements; one where the first page holds all, or past the end."""
    first = [] if offset else read.page(0, limit)
    if not offset and len(first) < limit:
        return Listing(first, Total(len(first)))
    total = read.total()
    reached = offset and (offset < total.rows or total.is_estimate)
    return Listing(read.page(offset, limit) if reached else first, total)
