"""ETag, If-None-Match and If-Match (RFC 9110, sections 8.8.3 and 13): a write changes only the version that the caller has read.

A tag is strong: the digest of the exact bytes that the caller's role is shown, and of the row's version if the view passes it.
Because the digest covers these bytes, no change of a shape, a role or a part of the resource can be forgotten. A write with
If-Match locks the resource, compares, and runs, in one transaction: of twenty writers with one tag, one succeeds.
"""

from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.request import Request

from apps.common.errors import Invalid, PreconditionFailed, PreconditionRequired
from apps.rest import disclosure, renderers
from apps.rest.endpoint import Endpoint
from apps.rest.transactions import commit_despite_refusal

_KIND = f"hims {settings.API_VERSION}".encode()
_ANY = ["*"]


def of(raw: bytes, version: object = None) -> str:
    """Returns the strong tag of these bytes and the version of the row."""
    digest = blake2b(raw, digest_size=16, person=_KIND)
    if version is not None:
        digest.update(str(version).encode())
    return f'"{digest.hexdigest()}"'


def is_known(request: Request, tag: str) -> bool:
    """Returns whether If-None-Match contains the tag. Compares weakly, because a cache may have weakened the tag."""
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if header is None:
        return False
    known = parse_etags(header)
    return known == _ANY or tag in [one.removeprefix("W/") for one in known]


def is_guarded(declared: Endpoint) -> bool:
    """Returns whether the action changes a resource with an ETag, so that If-Match can be checked."""
    return declared.etag and not declared.creates


def is_required(view: Any) -> bool:
    """Returns whether this installation requires If-Match for changes of this resource."""
    return view.resource in settings.HIMS_REQUIRE_IF_MATCH


def guard(view: Any, request: Request, handler: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Returns the action with its preconditions; unchanged without any. Raises Invalid, PreconditionRequired,
    PreconditionFailed."""
    sent = "HTTP_IF_MATCH" in request.META or "HTTP_IF_NONE_MATCH" in request.META
    if is_guarded(view.endpoint):
        if "HTTP_IF_MATCH" not in request.META and is_required(view):
            raise PreconditionRequired(field="If-Match", issue="Read the resource and send its ETag.")
        return partial(_under_lock, view, handler) if sent else handler
    if sent and request.method != "POST":  # never ignored, because the caller relies on it
        raise PreconditionFailed(field="If-Match", issue="This resource has no ETag. Leave the header out.")
    return handler


def _under_lock(
    view: Any, handler: Callable[..., HttpResponseBase], request: Request, *args: Any, **kwargs: Any
) -> HttpResponseBase:
    wanted = _wanted(request)

    def compare_and_act() -> HttpResponseBase:
        data, version = view.get_for_update()
        data = disclosure.visible_data(view, data)
        try:
            _compare(request, wanted, of(renderers.dumps(data), version), data if view.shows_current else None)
        except PreconditionFailed as refusal:
            if view.shows_current:
                view.record_current(refused=int(refusal.status))
            raise
        return handler(request, *args, **kwargs)

    return commit_despite_refusal(compare_and_act)


def _wanted(request: Request) -> list[str]:
    """Returns the tags of If-Match; empty without the header."""
    header = request.META.get("HTTP_IF_MATCH")
    if header is None:
        return []
    tags = parse_etags(header)
    if not tags:
        raise Invalid(field="If-Match", issue='Send the ETag exactly as received, in its quotes, like "5f1c…", or *.')
    return tags


def _compare(request: Request, wanted: list[str], tag: str, current: Any = None) -> None:
    """Compares strongly: a weak tag never matches. Raises PreconditionFailed with the current tag (and the current resource)."""
    stale = "If-Match" if wanted and wanted != _ANY and tag not in wanted else ""
    if is_known(request, tag):
        stale = "If-None-Match"
    if stale:
        refusal = PreconditionFailed(field=stale, issue="The resource has another version now. Read it again.")
        refusal.headers = {"ETag": tag}
        if current is not None:
            refusal.details["current"] = current
        raise refusal
