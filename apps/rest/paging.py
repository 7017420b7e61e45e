"""Pages of a list: by number (`page` and `limit`, for some lists `offset` and `limit`), and by cursor for lists that grow fast.

Every list pages in the same three steps. The view reads the `Window` of the request, the selector returns the `Page` in that
window, and `HimsViewSet.page` writes the reply with `pagination` and the Link header (RFC 8288):

    page = selectors.list_page(visible_to=self.by, window=self.window, **filters)
    return self.page(page)

A selector builds the page of a plain queryset with `page_of`; a `ScopedList` builds that of a prepared one.

A list pages by cursor too if its filter set declares `cursor = CursorFilter()`. It is ordered by a number (often an instant) and
the id, and each page names its `next_cursor`. A page by cursor is not counted, costs the same at any depth, and rows that are
added meanwhile shift nothing. A cursor is opaque, and no secret: it is the position of the last row.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django_filters import CharFilter

from apps.common.errors import Invalid

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
FURTHEST = 2**31
COUNTED_UP_TO = 10_000  # a filtered list is counted no further
CURSOR = "cursor"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR_BYTES = 8 + 16


class CursorFilter(CharFilter):
    """The parameter `cursor` of a list. It filters nothing: `read` reads it."""

    def __init__(self) -> None:
        super().__init__(max_length=64, help_text="Return the items after this `next_cursor`; instead of `page`")

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return qs


@dataclass(frozen=True, slots=True)
class Position:
    """The place of a row in an ordered list: the number that the list is ordered by, then the id of the row."""

    number: int
    id: UUID

    @classmethod
    def at(cls, instant: datetime, row_id: UUID) -> "Position":
        """Returns the place of a row in a list that is ordered by an instant, as microseconds since 1970."""
        return cls((instant - _EPOCH) // _MICROSECOND, row_id)

    @property
    def instant(self) -> datetime:
        """The number as an instant. Raises Invalid outside the calendar: HIMS never issued such a cursor."""
        try:
            return _EPOCH + self.number * _MICROSECOND
        except OverflowError as error:
            raise unknown_cursor() from error

    @property
    def cursor(self) -> str:
        """The place as a cursor."""
        return urlsafe_b64encode(self.number.to_bytes(8, "big", signed=True) + self.id.bytes).decode()


@dataclass(frozen=True, slots=True)
class Window:
    """The rows that a request asks for: from an offset, or `after` the place that a cursor names."""

    offset: int = 0
    limit: int = DEFAULT_LIMIT
    by_offset: bool = False  # the request gave the offset itself, so the links do too
    after: Position | None = None

    @property
    def page(self) -> int:
        return self.offset // self.limit + 1


FIRST: Final = Window()


@dataclass(frozen=True, slots=True)
class Total:
    """The number of rows; an estimate where counting stopped."""

    rows: int
    is_estimate: bool = False


@dataclass(frozen=True)
class Page:
    """Rows of a list in its order.

    `next` is the place of the last row if more rows follow; only lists that page by cursor set it. `total` is None in a page by
    cursor, which is not counted.
    """

    rows: Sequence[Any]
    next: Position | None = None
    total: Total | None = None


def read(params: QueryDict, *, offset_allowed: bool = False) -> Window:
    """Returns the window that a request asks for. Raises Invalid naming the parameter."""
    limit = min(_number(params, "limit", DEFAULT_LIMIT, least=1), MAX_LIMIT)
    if offset_allowed and "offset" in params:
        if "page" in params:
            raise Invalid(field="offset", issue="Send either page or offset, not both.")
        return Window(_within(_number(params, "offset", 0, least=0), "offset"), limit, by_offset=True)
    page = _number(params, "page", 1, least=1)
    _within(page * limit, "page")
    return Window((page - 1) * limit, limit, after=_position(params) if CURSOR in params else None)


def page_of(rows: QuerySet[Any], window: Window, count: Callable[[QuerySet[Any]], Total], *, time: str = "") -> Page:
    """Returns the page of a queryset in this window. `count` counts all its rows (`exact`, `capped`).

    `time` names the instant by which a list that pages by cursor is ordered, the newest first, before `id`.
    """
    total = count(rows) if window.after is None else None
    if total is not None and window.offset >= total.rows and not total.is_estimate:
        return Page([], total=total)
    if window.after is not None:  # the first condition is one from which an index scan can start
        at = window.after.instant
        rows = rows.filter(**{f"{time}__lte": at}).filter(Q(**{f"{time}__lt": at}) | Q(id__lt=window.after.id))
    fetched = [*rows[window.offset : window.offset + window.limit + (1 if time else 0)]]
    shown = fetched[: window.limit]
    return Page(shown, Position.at(getattr(shown[-1], time), shown[-1].pk) if len(fetched) > window.limit else None, total)


def exact(rows: QuerySet[Any]) -> Total:
    """Counts all rows, for lists without a filter."""
    return Total(rows.order_by().count())


def capped(rows: QuerySet[Any]) -> Total:
    """Counts up to 10,000 rows, for filtered lists."""
    count = rows.order_by()[: COUNTED_UP_TO + 1].count()
    return Total(min(count, COUNTED_UP_TO), is_estimate=count > COUNTED_UP_TO)


def block(window: Window, total: Total) -> dict[str, Any]:
    """Returns the `pagination` of a page by number."""
    pagination = {"page": window.page, "limit": window.limit, "total": total.rows, "pages": -(-total.rows // window.limit)}
    if window.by_offset:
        pagination["offset"] = window.offset
    if total.is_estimate:
        pagination["total_is_estimate"] = True
    return pagination


def links(path: str, params: QueryDict, window: Window, total: Total, shown: int) -> str:
    """Returns the Link header of a page by number: first, prev, next, last, as far as these pages exist.

    Where counting stopped, the last page is unknown, and a full page (`shown` rows) may have a next.
    """
    last = max(0, (total.rows - 1) // window.limit * window.limit)
    offsets = {"first": 0}
    if window.offset > 0:
        offsets["prev"] = max(0, window.offset - window.limit if total.is_estimate else min(window.offset - window.limit, last))
    if window.offset + window.limit < total.rows or (total.is_estimate and shown == window.limit):
        offsets["next"] = window.offset + window.limit
    if not total.is_estimate:
        offsets["last"] = last
    place: Callable[[int], dict[str, int]] = (
        (lambda offset: {"offset": offset}) if window.by_offset else (lambda offset: {"page": offset // window.limit + 1})
    )
    return _header(path, params, {rel: place(offset) | {"limit": window.limit} for rel, offset in offsets.items()})


def cursor_links(path: str, params: QueryDict, window: Window, following: Position | None) -> str:
    """Returns the Link header of a page by cursor: first, and next if more rows follow."""
    size: dict[str, Any] = {"limit": window.limit}
    return _header(path, params, {"first": size} | ({"next": size | {CURSOR: following.cursor}} if following else {}))


def unknown_cursor() -> Invalid:
    """Returns the refusal of a cursor that no page of this list has."""
    return Invalid(field=CURSOR, issue="Send a next_cursor of this list unchanged.")


def _position(params: QueryDict) -> Position:
    if "page" in params:
        raise Invalid(field=CURSOR, issue="Send either page or cursor, not both.")
    try:
        raw = urlsafe_b64decode(str(params[CURSOR]).encode())
    except (NotBase64, ValueError) as error:
        raise unknown_cursor() from error
    if len(raw) != _CURSOR_BYTES:
        raise unknown_cursor()
    return Position(int.from_bytes(raw[:8], "big", signed=True), UUID(bytes=raw[8:]))


def _header(path: str, params: QueryDict, targets: Mapping[str, Mapping[str, Any]]) -> str:
    """The links keep the other parameters of the request, with each value of one that was repeated."""
    kept = {name: values for name, values in params.lists() if name not in ("page", "offset", "limit", CURSOR)}
    return ", ".join(f'<{path}?{urlencode({**kept, **place}, doseq=True)}>; rel="{rel}"' for rel, place in targets.items())


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
