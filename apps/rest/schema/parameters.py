"""What an operation reads from its address: ids in the path, filters and pages in the query."""

import re
from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django_filters import FilterSet

from apps.rest import paging

_ID = {
    "type": "string",
    "description": "A UUID. The sandbox also knows its samples by name (section 17.2 of the reference), such as `patient_001`.",
    "example": "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44",
}
_KINDS: tuple[tuple[type[forms.Field], dict[str, Any]], ...] = (
    (forms.NullBooleanField, {"type": "boolean"}),
    (forms.UUIDField, {"type": "string"}),
    (forms.DateTimeField, {"type": "string", "format": "date-time"}),
    (forms.DateField, {"type": "string", "format": "date"}),
    (forms.DecimalField, {"type": "number"}),
    (forms.IntegerField, {"type": "integer"}),
)
_PAGE = {"type": "integer", "minimum": 1, "default": 1}
_LIMIT = {"type": "integer", "minimum": 1, "default": paging.DEFAULT_LIMIT}
_OFFSET = {"type": "integer", "minimum": 0}


def in_path(path: str) -> list[dict[str, Any]]:
    """The ids of a path."""
    return [{"name": name, "in": "path", "required": True, "schema": dict(_ID)} for name in re.findall(r"{(\w+)}", path)]


def of_filters(kind: type[FilterSet]) -> list[dict[str, Any]]:
    """The filters of a list."""
    return [
        _asked(name, _schema(one.field), str(one.field.help_text or ""), required=one.field.required)
        for name, one in kind.base_filters.items()
    ]


def of_pages(*, offset_allowed: bool) -> list[dict[str, Any]]:
    """Page and size, and where the list takes it the offset."""
    found = [
        _asked("page", _PAGE, "Page number, from 1"),
        _asked("limit", _LIMIT, f"Items a page; more than {paging.MAX_LIMIT} counts as {paging.MAX_LIMIT}"),
    ]
    return [*found, _asked("offset", _OFFSET, "Items to pass over; instead of `page`")] if offset_allowed else found


def _asked(name: str, schema: dict[str, Any], description: str, *, required: bool = False) -> dict[str, Any]:
    told = {"description": description} if description else {}
    return {"name": name, "in": "query", "required": required, "schema": schema, **told}


def _schema(field: forms.Field) -> dict[str, Any]:
    if isinstance(field, forms.ChoiceField):
        return {"type": "string", "enum": [value for value, _ in cast("Iterable[tuple[str, str]]", field.choices) if value]}
    for kind, schema in _KINDS:
        if isinstance(field, kind):
            return dict(schema)
    longest = getattr(field, "max_length", None)
    return {"type": "string", "maxLength": longest} if longest else {"type": "string"}
