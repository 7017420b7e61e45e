"""Pages by cursor, for lists that grow at their head: every page costs the same, and new rows shift nothing.

The list is ordered by a number (often an instant) and the id. Every page contains the `next_cursor`, and `?cursor=` requests the
rows after it. A cursor is opaque to clients but no secret: it encodes the position of the last row.

`paginate` pages a queryset. A list with prepared statements reads `position(params)`, runs its statement for the rows after that
position (and one more than the limit, to know whether a page follows), and replies with `page`:

    after = cursor.position(request.query_params)
    rows, more = ...
    following = Position(rows[-1]["seq"], rows[-1]["id"]) if more else None
    return cursor.page(self, "patients", shaped, following=following, total=None if after else total)

Its view declares `extra = {"pagination": cursor.PAGINATION}`, and its filter set `cursor = CharFilter(max_length=cursor.LONGEST,
help_text=cursor.HELP)`.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict
from rest_framework.response import Response

from apps.common.errors import Invalid
from apps.common.models import M
from apps.rest import paging
from apps.rest.paging import Total

PARAMETER = "cursor"
HELP = "Return the items after this `next_cursor`; instead of `page`"
LONGEST = 64


def _page_only(least: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "description": "Absent in a page by cursor", "x-absent-with": PARAMETER}


# The `pagination` of a list that takes both pages and cursors.
PAGINATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "page": _page_only(1),
        "limit": {"type": "integer", "minimum": 1},
        "total": _page_only(0),
        "pages": _page_only(0),
        "offset": {"type": "integer", "minimum": 0, "description": "In a list paged by offset"},
        "total_is_estimate": {"type": "boolean", "description": "True if counting stopped at 10,000; else absent"},
        "next_cursor": {"type": "string", "nullable": True, "description": "Null at the end of the list"},
    },
    "required": ["limit", "next_cursor"],
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BYTES = 8 + 16


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a row in an ordered list: the number by which the list is ordered, then the row's id."""

    number: int
    id: UUID

    @classmethod
    def at(cls, instant: datetime, row_id: UUID) -> "Position":
        """Returns the position of a row in a list that is ordered by an instant, as microseconds since 1970."""
        return cls((instant - _EPOCH) // _MICROSECOND, row_id)

    @property
    def instant(self) -> datetime:
        """The number as an instant. Raises Invalid if it is outside the calendar: no page has returned such a cursor."""
        try:
            return _EPOCH + self.number * _MICROSECOND
        except OverflowError as error:
            raise unknown() from error

    @property
    def text(self) -> str:
        """The cursor of this position."""
        return urlsafe_b64encode(self.number.to_bytes(8, "big", signed=True) + self.id.bytes).decode()


def position(params: QueryDict) -> Position | None:
    """Returns the position in `?cursor=`; None without one. Raises Invalid for a malformed cursor, or if `page` is sent too."""
    text = params.get(PARAMETER)
    if text is None:
        return None
    if "page" in params:
        raise Invalid(field=PARAMETER, issue="Send either page or cursor, not both.")
    try:
        raw = urlsafe_b64decode(str(text).encode())
    except (NotBase64, ValueError) as error:
        raise unknown() from error
    if len(raw) != _BYTES:
        raise unknown()
    return Position(int.from_bytes(raw[:8], "big", signed=True), UUID(bytes=raw[8:]))


def paginate(
    view: Any, rows: QuerySet[M], total: Callable[[], Total], shape: Callable[[Any], Any], *, time: str, **extra: Any
) -> Response:
    """Returns a page of the view's list, by number or by cursor. `time` is the column that orders the rows before `id`, newest
    first.

    A page by cursor is not counted: `pagination` has only the limit and the next cursor. Raises Invalid for a cursor that no page
    has returned, or if `page` is sent too.
    """
    after, window = position(view.request.query_params), view.window()
    if after is not None:
        rows = _rows_after(rows, after, time)
    fetched = [*rows[window.offset : window.offset + window.limit + 1]]
    shown = fetched[: window.limit]
    following = Position.at(getattr(shown[-1], time), shown[-1].pk) if len(fetched) > window.limit else None
    counted = total() if after is None else None
    return page(view, view.plural, [shape(row) for row in shown], following=following, total=counted, **extra)


def page(view: Any, name: str, rows: Sequence[Any], *, following: Position | None, total: Total | None, **extra: Any) -> Response:
    """Returns the reply for rows that were read already: the rows under `name`, `pagination` with `next_cursor`, and the Link
    header.

    `following` is the position of the last row if more rows follow. `total` is None for a page by cursor, which is not counted.
    """
    params, window, text = view.request.query_params, view.window(), following.text if following else None
    view.shown = len(rows)
    if total is None:
        block: dict[str, Any] = {"limit": window.limit}
        link = _links(view.request.path, params, window.limit, text)
    else:
        block = paging.block(window, total)
        link = paging.links(view.request.path, params, window, total, len(rows))
    reply: Response = view.ok({name: rows, **extra, "pagination": block | {"next_cursor": text}}, headers={"Link": link})
    return reply


def _rows_after(rows: QuerySet[M], after: Position, time: str) -> QuerySet[M]:
    """Returns the rows after the position. An index can start from the first condition."""
    at = after.instant
    return rows.filter(**{f"{time}__lte": at}).filter(Q(**{f"{time}__lt": at}) | Q(id__lt=after.id))


def unknown() -> Invalid:
    """Returns the refusal of a cursor that no page of this list has returned."""
    return Invalid(field=PARAMETER, issue="Send a next_cursor of this list unchanged.")


def _links(path: str, params: QueryDict, limit: int, following: str | None) -> str:
    """Returns the Link header: the first page, and the next if there is one."""
    kept: dict[str, Any] = {name: params[name] for name in params if name not in (PARAMETER, "limit")} | {"limit": limit}
    targets = {"first": kept} | ({"next": kept | {PARAMETER: following}} if following else {})
    return ", ".join(f'<{path}?{urlencode(query)}>; rel="{rel}"' for rel, query in targets.items())
