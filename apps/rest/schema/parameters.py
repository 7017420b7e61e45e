"""The input of an operation from its address and headers: ids in the path, filters and pages in the query, preconditions."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django_filters import FilterSet

from apps.rest import etags, filters, idempotency, paging, sparse_fields

_ID = {
    "type": "string",
    "description": "A UUID. The sandbox also knows its samples by name (section 17.2 of the reference), such as `patient_001`.",
    "example": "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44",
}
_KINDS: tuple[tuple[type[forms.Field], dict[str, Any]], ...] = (
    (forms.BooleanField, {"type": "boolean"}),
    (forms.UUIDField, {"type": "string"}),
    (forms.DateTimeField, {"type": "string", "format": "date-time"}),
    (forms.DateField, {"type": "string", "format": "date"}),
    (forms.DecimalField, {"type": "number"}),
    (forms.IntegerField, {"type": "integer"}),
)
_PAGE = {"type": "integer", "minimum": 1, "maximum": paging.FURTHEST, "default": 1}
_LIMIT = {"type": "integer", "minimum": 1, "default": paging.DEFAULT_LIMIT}
_OFFSET = {"type": "integer", "minimum": 0, "maximum": paging.FURTHEST}


_KEY = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
_TAGS = {"type": "string"}
_TAG = '(W/)?"[ !#-+.-~-]*"'  # without commas: Django takes the list of tags apart at each
IF_MATCH = {"type": "string", "pattern": f"^([*]|{_TAG}(, *{_TAG})*)$"}
FIELD_NAME = {"type": "string", "pattern": "^[a-z0-9_]+([.][a-z0-9_]+)?$"}
_NAMES = {"type": "array", "minItems": 1, "items": FIELD_NAME}


def in_path(path: str, samples: Mapping[str, str]) -> list[dict[str, Any]]:
    """Returns the ids of a path; `samples` are those of the operation's example."""
    return [
        {"name": name, "in": "path", "required": True, "schema": _ID | ({"example": samples[name]} if name in samples else {})}
        for name in re.findall(r"{(\w+)}", path)
    ]


def of_filters(kind: type[FilterSet]) -> list[dict[str, Any]]:
    """Returns the filters of a list."""
    return [
        _query_parameter(
            name,
            _schema(one.field, may_be_blank=name in filters.MAY_BE_BLANK),
            _about(one.field),
            required=one.field.required,
        )
        for name, one in kind.base_filters.items()
    ]


def _about(field: forms.Field) -> str:
    several = ". Repeat it, or separate values by commas, for any of them"
    return f"{field.help_text or ''}{several if isinstance(field, filters.ChoicesFormField) else ''}"


def of_pages(*, offset_allowed: bool) -> list[dict[str, Any]]:
    """Returns page and limit, and the offset if the list accepts it."""
    parameters = [
        _query_parameter("page", _PAGE, "Page number, from 1"),
        _query_parameter("limit", _LIMIT, f"Items a page; more than {paging.MAX_LIMIT} counts as {paging.MAX_LIMIT}"),
    ]
    return (
        [*parameters, _query_parameter("offset", _OFFSET, "Items to skip; instead of `page`")] if offset_allowed else parameters
    )


def of_sparse_fields(view: Any, method: str) -> list[dict[str, Any]]:
    """Returns `fields` and `expand`, if the operation accepts them."""
    offered, parameters = sparse_fields.parameters_of(view, view.action, method), []
    if "fields" in offered:
        about = (
            "Return only these keys, separated by commas; `a.b` is b within a. The keys of the resource are optional in its "
            "schema for this reason; `x-required-without-fields` lists those that a reply without `fields` always has"
        )
        parameters.append(_query_parameter("fields", _NAMES, about) | _BY_COMMAS)
    if "expand" in offered:
        known = {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(view.expands)}}
        parameters.append(
            _query_parameter("expand", known, "Embed the object that an id refers to, within what your role may see") | _BY_COMMAS
        )
    return parameters


def of_preconditions(view: Any, method: str, path: str) -> list[dict[str, Any]]:
    """Returns the headers that make a write safe to repeat or limit it to one version, and that make a read free."""
    parameters = []
    if view.endpoint.etag and method == "GET":
        parameters.append(
            _header("If-None-Match", _TAGS, "ETags you have; if one still matches, the reply is 304 without a body")
        )
    if idempotency.accepts_key(view, method, path):
        about = (
            "Your own name for this request, such as a UUID: repeated within 24 hours, it gets the stored reply "
            "and is not carried out again"
        )
        parameters.append(_header(idempotency.HEADER, _KEY, about))
    if etags.is_guarded(view.endpoint):
        parameters.append(_if_match(method))
    return parameters


def _if_match(method: str) -> dict[str, Any]:
    """Returns If-Match as a write compares it. A read ignores it, but the released file lists it, so it stays."""
    if method == "GET":
        return _header("If-Match", _TAGS, "Ignored: only a write compares it. Send `If-None-Match`")
    return _header("If-Match", IF_MATCH, "The ETag you read, or `*`: nothing changes if the current ETag differs")


def _header(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


_BY_COMMAS = {"style": "form", "explode": False}


def _query_parameter(name: str, schema: dict[str, Any], description: str, *, required: bool = False) -> dict[str, Any]:
    documented = {"description": description} if description else {}
    return {"name": name, "in": "query", "required": required, "schema": schema, **documented}


def _schema(field: forms.Field, *, may_be_blank: bool = False) -> dict[str, Any]:
    if isinstance(field, filters.ChoicesFormField):
        return {"type": "array", "items": {"type": "string", "enum": _values(field)}, "minItems": 1}
    if isinstance(field, forms.ChoiceField):
        return {"type": "string", "enum": _values(field)}
    for kind, schema in _KINDS:
        if isinstance(field, kind):
            return schema | _limits(field)
    longest = getattr(field, "max_length", None)
    sizes = {"minLength": 0 if may_be_blank else 1, "maxLength": longest}
    return {"type": "string"} | {name: size for name, size in sizes.items() if size} | getattr(field, "json_schema", {})


def _values(field: forms.ChoiceField) -> list[str]:
    return [value for value, _ in cast("Iterable[tuple[str, str]]", field.choices) if value]


def _limits(field: forms.Field) -> dict[str, Any]:
    limits = {"minimum": getattr(field, "min_value", None), "maximum": getattr(field, "max_value", None)}
    return {name: limit for name, limit in limits.items() if limit is not None}
