"""The output of an operation: its data in the envelope, and every refusal that can occur."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.plumbing import ResolvedComponent
from rest_framework.serializers import BaseSerializer

from apps.common import errors
from apps.common.errors import HimsError
from apps.rest import deprecations, endpoint, etags, idempotency
from apps.rest.endpoint import PUBLIC
from apps.rest.schema import components
from apps.rest.schema.examples import media

_ALWAYS = (errors.Invalid, errors.Unauthenticated, errors.NotAcceptable, errors.RateLimited, HimsError, errors.Unavailable)


def of(schema: Any) -> dict[str, Any]:
    """Returns all replies of the operation that `schema` (a HimsSchema) describes, by status."""
    view = schema.view
    status = HTTPStatus.CREATED if view.endpoint.creates else HTTPStatus.OK
    replies = {str(status.value): _success(schema, status)}
    if view.endpoint.etag and schema.method == "GET":
        replies["304"] = components.response_not_modified()
    for kind in sorted(refusals(view, schema.method, schema.path), key=lambda kind: kind.status):
        replies[str(kind.status.value)] = components.response_of(kind)
    return replies


def refusals(view: Any, method: str, path: str) -> list[type[HimsError]]:
    """Returns every refusal of the operation. A 405 is not among them: it is the reply to methods that a path does not have."""
    kinds: list[type[HimsError]] = list(_ALWAYS)
    if view.endpoint.permission is not PUBLIC:
        kinds.append(errors.Forbidden)
        if method not in ("GET", "HEAD"):
            kinds.append(errors.Conflict)
    if "{" in path:
        kinds.append(errors.NotFound)
    if idempotency.accepts_key(view, method, path):
        kinds.append(errors.IdempotencyMismatch)
    if etags.is_guarded(view.endpoint):
        kinds += [errors.PreconditionFailed, errors.PreconditionRequired]
    if view.endpoint.request:
        kinds += [errors.RequestTimeout, errors.PayloadTooLarge, errors.UnsupportedMediaType]
    return list(dict.fromkeys([*kinds, *(components.catalogue_error(kind) for kind in view.endpoint.refusals)]))


def _success(schema: Any, status: HTTPStatus) -> dict[str, Any]:
    view = schema.view
    further = ["Location"] if status is HTTPStatus.CREATED else ["Link"] if view.endpoint.paged else []
    further += ["ETag"] if view.endpoint.etag else []
    further += [idempotency.REPLAYED] if idempotency.accepts_key(view, schema.method, schema.path) else []
    if deprecations.of(schema.method, schema.path):
        further += [name for name in ("Deprecation", "Sunset", "X-API-Deprecated", "X-API-Sunset", "Link") if name not in further]
    if view.endpoint.file:
        return _file(view, further)
    example = view.endpoint.example
    return {
        "description": "Created" if status is HTTPStatus.CREATED else "Done",
        "headers": components.headers(*further),
        "content": media(_envelope(schema, view.endpoint.response), example.reply if example else None),
    }


def _file(view: Any, further: list[str]) -> dict[str, Any]:
    return {
        "description": "The file, as it is",
        "headers": components.headers("Content-Disposition", *further),
        "content": {view.endpoint.file: {"schema": {"type": "string", "format": "binary"}}},
    }


def _envelope(schema: Any, kind: type[BaseSerializer[Any]]) -> dict[str, Any]:
    """Returns the envelope as a component of its own, so that the same resource has the same envelope everywhere."""
    view = schema.view
    payload = schema.resolve_serializer(kind, "response")
    listed = view.endpoint.paged
    stem = f"{payload.name.removesuffix('Row')}{'List' if listed else ''}"
    data = (
        payload.ref
        if view.data_key == "" and not listed
        else _component(schema, f"{stem}Data", _data(view, payload.ref, listed=listed))
    )
    return _component(schema, f"{stem}Reply", {"type": "object", **_fields(data, warns=_any_warns(view) and not listed)})


def _component(schema: Any, name: str, body: dict[str, Any]) -> dict[str, Any]:
    component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name)  # type: ignore[no-untyped-call]  # drf-spectacular states no types here
    if component not in schema.registry:
        component.schema = body
        schema.registry.register(component)
    return component.ref


def _data(view: Any, payload: dict[str, Any], *, listed: bool) -> dict[str, Any]:
    if listed:
        page = components.PAGINATION_BY_CURSOR if view.endpoint.takes_cursor else {"$ref": "#/components/schemas/Pagination"}
        properties = {view.plural: {"type": "array", "items": payload}, "pagination": page}
        return {"type": "object", "properties": properties | dict(view.extra), "required": list(properties)}
    properties = {view.data_key or view.resource: payload}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _any_warns(view: Any) -> bool:
    """Returns whether any operation of the resource can warn: one envelope serves all of them, so it then has warnings."""
    return any(one.warnings for one in endpoint.all_of(view).values())


def _fields(data: dict[str, Any], *, warns: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {"success": {"type": "boolean", "description": "Always true"}, "data": data}
    if warns:
        warning = {"$ref": "#/components/schemas/Warning"}
        properties["warnings"] = {"type": "array", "items": warning, "description": "Absent where there are none"}
    return {"properties": properties, "required": ["success", "data"]}
