"""Cursors: a page that begins behind a known row, however far down. For lists ordered by time and id, the newest first.

A cursor is opaque to its holder, and no secret: it says which row was the last.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict

from apps.common.errors import Invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BYTES = 8 + 16


def behind(rows: QuerySet, text: str, *, time: str) -> QuerySet:
    """The rows behind the one the cursor names. `time` is the column the list is ordered by, before `id`. Raises Invalid."""
    at, row_id = _read(text)
    return rows.filter(**{f"{time}__lte": at}).filter(Q(**{f"{time}__lt": at}) | Q(id__lt=row_id))


def of(at: datetime, row_id: UUID) -> str:
    """The cursor of the rows behind this one."""
    moment = (at - _EPOCH) // _MICROSECOND
    return urlsafe_b64encode(moment.to_bytes(8, "big", signed=True) + row_id.bytes).decode()


def refuse_page(params: QueryDict) -> None:
    """A cursor says where the page begins; a page number would say it again. Raises Invalid."""
    if "cursor" in params and "page" in params:
        raise Invalid(field="cursor", issue="Send either page or cursor, not both.")


def links(path: str, params: QueryDict, limit: int, following: str | None) -> str:
    """The Link header of a page asked by cursor: first, and next where there is one."""
    kept: dict[str, Any] = {name: params[name] for name in params if name not in ("cursor", "limit")} | {"limit": limit}
    targets = {"first": kept} | ({"next": kept | {"cursor": following}} if following else {})
    return ", ".join(f'<{path}?{urlencode(query)}>; rel="{rel}"' for rel, query in targets.items())


def _read(text: str) -> tuple[datetime, UUID]:
    try:
        raw = urlsafe_b64decode(text.encode())
        if len(raw) != _BYTES:
            raise ValueError
        return _EPOCH + int.from_bytes(raw[:8], "big", signed=True) * _MICROSECOND, UUID(bytes=raw[8:])
    except (NotBase64, ValueError, OverflowError) as error:
        raise Invalid(field="cursor", issue="Send the next_cursor of a page of this list as it came.") from error
