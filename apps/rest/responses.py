"""Builds replies: selected fields, ETag, and 304 if the caller has this version already."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from rest_framework.response import Response

from apps.rest import disclosure, etags, limits, renderers, replays, sparse_fields


def respond(
    view: Any,
    status: HTTPStatus,
    data: Any,
    *,
    version: object = None,
    warnings: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Returns the data in the envelope, with the ETag of an action that declares one; 304 without a body if If-None-Match has
    that tag."""
    if getattr(view.by, "key_id", None):  # of users, the serializers hide what the role may not see
        data, warnings = disclosure.visible_data(view, data), disclosure.warnings(view, warnings)
    if view.selection is not None:
        _expand(view, data)
    if view.endpoint.etag:
        raw = renderers.dumps(data)
        tag = etags.of(raw, version)
        headers = {**(headers or {}), "ETag": tag}
        if view.request.method in sparse_fields.READING and etags.is_known(view.request, tag):
            _not_modified(view)
            return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        view.write_access_records(is_unchanged=False)
        data = orjson.Fragment(raw) if view.selection is None else data  # rendered once
    if view.selection is not None:
        data = _selected(view, data)
    body = {"success": True, "data": data, "warnings": list(warnings)} if warnings else {"success": True, "data": data}
    response = Response(body, status=status, headers=headers)
    vars(response)["holds_secret"] = replays.holds_secret(view.endpoint.response)  # such a reply is not compressed
    return response


def file(view: Any, content: bytes, *, name: str) -> HttpResponse:
    """Returns bytes of the media type that the endpoint declares in `file`, with this file name; with an ETag as in `respond`."""
    headers = {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or ""}
    if view.endpoint.etag:
        headers["ETag"] = etags.of(content)
        if view.request.method in sparse_fields.READING and etags.is_known(view.request, headers["ETag"]):
            _not_modified(view)
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": headers["ETag"]})
        view.write_access_records(is_unchanged=False)
    return HttpResponse(content, content_type=f"{view.endpoint.file}; charset=utf-8", headers=headers)


def _expand(view: Any, data: dict[str, Any]) -> None:
    rows = data.get(view.plural) if view.endpoint.paged else [sparse_fields.resource_in(view, data)]
    sparse_fields.expand(view, [row for row in rows or [] if row])


def _selected(view: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Returns the selected fields. The ETag is that of the whole: the same address and ETag give the same bytes."""
    tree = view.selection.fields
    if view.endpoint.paged:
        return {**data, view.plural: sparse_fields.select(data[view.plural], tree)}
    if view.data_key == "":
        selected: dict[str, Any] = sparse_fields.select(data, tree)
        return selected
    key = view.data_key or view.resource
    return {**data, key: sparse_fields.select(data[key], tree)}


def _not_modified(view: Any) -> None:
    """Replies to a conditional read without changes: it does not count against the limit, and is audited once in ten minutes."""
    view.write_access_records(is_unchanged=True)
    request = view.request._request
    vars(request)["verdict"] = limits.refunded(request.verdict, view.limit_key(view.request))
