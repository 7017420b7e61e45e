"""Pages by cursor, for lists that grow at their head: a page costs the same wherever it is, and rows that arrive shift nothing.

The list is ordered by a time and the id, newest first. Every page names the `next_cursor`; `?cursor=` asks for what follows it.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict

from apps.common.errors import Invalid

PARAMETER = "cursor"
MAX_LENGTH = 120
HELP = "Show what follows this `next_cursor`; instead of `page`"
_TIME = "created_at"

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


class Place(NamedTuple):
    """The row after which a page begins."""

    at: datetime
    id: UUID


def read(params: QueryDict) -> Place | None:
    """The place asked for; None without a cursor. Raises Invalid for one that was never given out, or with a page beside it."""
    token = params.get(PARAMETER)
    if token is None:
        return None
    if "page" in params:
        raise Invalid(field=PARAMETER, issue="Send either page or cursor, not both.")
    try:
        at, _, row = base64.urlsafe_b64decode(token.encode("ascii") + b"==").decode("ascii").partition(" ")
        place = Place(datetime.fromisoformat(at), UUID(row))
    except (ValueError, binascii.Error) as error:
        raise Invalid(field=PARAMETER, issue="There is no such cursor: send a next_cursor as it was given.") from error
    if place.at.tzinfo is None:
        raise Invalid(field=PARAMETER, issue="There is no such cursor: send a next_cursor as it was given.")
    return place


def of(row: Any) -> str:
    """The cursor of what follows a row."""
    place = f"{getattr(row, _TIME).isoformat()} {row.pk}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def following(rows: QuerySet, place: Place) -> QuerySet:
    """The rows after the place. The first condition is one an index can start from."""
    return rows.filter(Q(**{f"{_TIME}__lte": place.at}) & (Q(**{f"{_TIME}__lt": place.at}) | Q(pk__lt=place.id)))


def cut(found: list[Any], limit: int) -> tuple[list[Any], str | None]:
    """Of one row more than the limit: the page, and the cursor of the next."""
    shown = found[:limit]
    return shown, of(shown[-1]) if len(found) > limit else None


def links(path: str, params: QueryDict, limit: int, next_cursor: str | None) -> str:
    """The Link header: the first page, and the next."""
    kept = {name: params[name] for name in params if name not in (PARAMETER, "page", "limit")}
    targets = {"first": {}, **({"next": {PARAMETER: next_cursor}} if next_cursor else {})}
    return ", ".join(f'<{path}?{urlencode(kept | where | {"limit": limit})}>; rel="{rel}"' for rel, where in targets.items())
