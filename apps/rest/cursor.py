"""Pages by cursor, for lists that grow at their head: a page costs the same however far down, and rows that arrive shift nothing.

The list is ordered by a time and the id, the newest first. Every page names the `next_cursor`, and `?cursor=` asks for what
follows it. A cursor is opaque to its holder, and no secret: it says which row was the last.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict
from rest_framework.response import Response

from apps.common.errors import Invalid
from apps.rest import paging
from apps.rest.paging import Total

PARAMETER = "cursor"
HELP = "Show what follows this `next_cursor`; instead of `page`"
LONGEST = 64

# The `pagination` of a list that takes both pages and cursors.
PAGINATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "page": {"type": "integer", "minimum": 1, "description": "Absent where asked by cursor, like total and pages"},
        "limit": {"type": "integer", "minimum": 1},
        "total": {"type": "integer", "minimum": 0},
        "pages": {"type": "integer", "minimum": 0},
        "total_is_estimate": {"type": "boolean", "description": "True where counting stopped at 10,000; else absent"},
        "next_cursor": {"type": "string", "nullable": True, "description": "Null at the end of the list"},
    },
    "required": ["limit", "next_cursor"],
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BYTES = 8 + 16


def answer(
    view: Any, rows: QuerySet, total: Callable[[], Total], shape: Callable[[Any], Any], *, time: str, **beside: Any
) -> Response:
    """A page of the view's list, by number or by cursor. `time` is the column the rows are ordered by, before `id`.

    By cursor nothing is counted: `pagination` has the limit and the next cursor. Raises Invalid for a cursor that was never given
    out, or with a page beside it.
    """
    params, window = view.request.query_params, view.window()
    text = _asked(params)
    if text is not None:
        rows = _behind(rows, text, time)
    found = [*rows[window.offset : window.offset + window.limit + 1]]
    shown = found[: window.limit]
    following = _of(getattr(shown[-1], time), shown[-1].pk) if len(found) > window.limit else None
    view.shown = len(shown)
    if text is not None:
        block: dict[str, Any] = {"limit": window.limit}
        link = _links(view.request.path, params, window.limit, following)
    else:
        counted = total()
        block = paging.block(window, counted)
        link = paging.links(view.request.path, params, window, counted, len(shown))
    data = {view.plural: [shape(row) for row in shown], **beside, "pagination": block | {"next_cursor": following}}
    return view.ok(data, headers={"Link": link})


def _asked(params: QueryDict) -> str | None:
    if PARAMETER in params and "page" in params:
        raise Invalid(field=PARAMETER, issue="Send either page or cursor, not both.")
    return params.get(PARAMETER)


def _behind(rows: QuerySet, text: str, time: str) -> QuerySet:
    """The rows behind the one the cursor names. The first condition is one an index can start from."""
    at, row_id = _read(text)
    return rows.filter(**{f"{time}__lte": at}).filter(Q(**{f"{time}__lt": at}) | Q(id__lt=row_id))


def _of(at: datetime, row_id: UUID) -> str:
    moment = (at - _EPOCH) // _MICROSECOND
    return urlsafe_b64encode(moment.to_bytes(8, "big", signed=True) + row_id.bytes).decode()


def _read(text: str) -> tuple[datetime, UUID]:
    try:
        raw = urlsafe_b64decode(text.encode())
        if len(raw) != _BYTES:
            raise ValueError
        return _EPOCH + int.from_bytes(raw[:8], "big", signed=True) * _MICROSECOND, UUID(bytes=raw[8:])
    except (NotBase64, ValueError, OverflowError) as error:
        raise Invalid(field=PARAMETER, issue="Send the next_cursor of a page of this list as it came.") from error


def _links(path: str, params: QueryDict, limit: int, following: str | None) -> str:
    """The Link header: the first page, and the next where there is one."""
    kept: dict[str, Any] = {name: params[name] for name in params if name not in (PARAMETER, "limit")} | {"limit": limit}
    targets = {"first": kept} | ({"next": kept | {PARAMETER: following}} if following else {})
    return ", ".join(f'<{path}?{urlencode(query)}>; rel="{rel}"' for rel, query in targets.items())
