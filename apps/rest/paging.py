"""Pages of a list: `page` and `limit`, for some lists `offset` and `limit`; the `pagination` of a reply and its links."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict

from apps.common.errors import Invalid

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
FURTHEST = 2**31
COUNTED_UP_TO = 10_000  # a filtered list is counted at most up to here


@dataclass(frozen=True, slots=True)
class Window:
    """The requested rows. `by_offset` is true for a request by offset, for the links."""

    offset: int
    limit: int
    by_offset: bool = False

    @property
    def page(self) -> int:
        return self.offset // self.limit + 1


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are; an estimate if counting stopped."""

    rows: int
    is_estimate: bool = False


def read(params: QueryDict, *, offset_allowed: bool = False) -> Window:
    """Returns the window that a request asks for. Raises Invalid naming the parameter."""
    limit = min(_number(params, "limit", DEFAULT_LIMIT, least=1), MAX_LIMIT)
    if offset_allowed and "offset" in params:
        if "page" in params:
            raise Invalid(field="offset", issue="Send either page or offset, not both.")
        return Window(_within(_number(params, "offset", 0, least=0), "offset"), limit, by_offset=True)
    page = _number(params, "page", 1, least=1)
    _within(page * limit, "page")
    return Window((page - 1) * limit, limit)


def exact(rows: QuerySet[Any]) -> Total:
    """Counts all rows, for lists without a filter."""
    return Total(rows.order_by().count())


def capped(rows: QuerySet[Any]) -> Total:
    """Counts up to 10,000 rows, for filtered lists."""
    count = rows.order_by()[: COUNTED_UP_TO + 1].count()
    return Total(min(count, COUNTED_UP_TO), is_estimate=count > COUNTED_UP_TO)


def block(window: Window, total: Total) -> dict[str, Any]:
    """Returns the reply's `pagination`."""
    pagination = {"page": window.page, "limit": window.limit, "total": total.rows, "pages": -(-total.rows // window.limit)}
    if window.by_offset:
        pagination["offset"] = window.offset
    if total.is_estimate:
        pagination["total_is_estimate"] = True
    return pagination


def links(path: str, params: QueryDict, window: Window, total: Total, shown: int) -> str:
    """Returns the Link header (RFC 8288): first, prev, next, last, as far as these pages exist.

    If counting stopped, the last page is unknown, and a full page (`shown` rows) may have a next one.
    """
    last = max(0, (total.rows - 1) // window.limit * window.limit)
    targets = {"first": 0}
    if window.offset > 0:
        targets["prev"] = max(0, window.offset - window.limit if total.is_estimate else min(window.offset - window.limit, last))
    if window.offset + window.limit < total.rows or (total.is_estimate and shown == window.limit):
        targets["next"] = window.offset + window.limit
    if not total.is_estimate:
        targets["last"] = last
    kept = {name: params[name] for name in params if name not in ("page", "offset", "limit")}
    place: Callable[[int], dict[str, int]] = (
        (lambda offset: {"offset": offset}) if window.by_offset else (lambda offset: {"page": offset // window.limit + 1})
    )
    return ", ".join(
        f'<{path}?{urlencode(kept | place(offset) | {"limit": window.limit})}>; rel="{rel}"' for rel, offset in targets.items()
    )


def _number(params: QueryDict, name: str, default: int, *, least: int) -> int:
    text = params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise Invalid(field=name, issue=f"Must be a whole number, {least} or more.")
    number = int(text) if len(text) <= 15 else FURTHEST + 1
    if number < least:
        raise Invalid(field=name, issue=f"Must be a whole number, {least} or more.")
    return number


def _within(value: int, name: str) -> int:
    if value > FURTHEST:
        raise Invalid(field=name, issue="Page out of range.")
    return value
