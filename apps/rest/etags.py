"""ETag, If-None-Match and If-Match (RFC 9110, sections 8.8.3 and 13): what one read, named, so that nobody overwrites it unseen.

A tag is strong: the digest of the very bytes the caller's role is shown, and of the row's version where the view tells it. What
the digest holds cannot be forgotten when a shape, a role or a part of the resource changes. A write under If-Match locks the
resource, compares, and acts, in one transaction: of twenty writers with one tag one wins.
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
from apps.rest import disclosure, endpoint, renderers
from apps.rest.transactions import commit_despite_refusal

_KIND = f"hims {settings.API_VERSION}".encode()
_ANY = ["*"]


def of(raw: bytes, version: object = None) -> str:
    """The strong tag of these bytes at this version of the row behind them."""
    digest = blake2b(raw, digest_size=16, person=_KIND)
    if version is not None:
        digest.update(str(version).encode())
    return f'"{digest.hexdigest()}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether If-None-Match says that the caller has this already. Compared weakly, as a cache may have weakened the tag."""
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if header is None:
        return False
    known = parse_etags(header)
    return known == _ANY or tag in [one.removeprefix("W/") for one in known]


def is_guarded(view: Any, action: str | None) -> bool:
    """Whether the action changes a resource that has a tag, so that If-Match can be heeded."""
    declared = endpoint.of(view, action)
    return declared.etag and not declared.creates


def is_required(view: Any) -> bool:
    """Whether this installation demands If-Match for changes of such a resource."""
    return view.resource in settings.HIMS_REQUIRE_IF_MATCH


def guard(view: Any, request: Request, handler: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The action under its preconditions; as it is without. Raises Invalid, PreconditionRequired, PreconditionFailed."""
    sent = "HTTP_IF_MATCH" in request.META or "HTTP_IF_NONE_MATCH" in request.META
    if is_guarded(view, view.action):
        if "HTTP_IF_MATCH" not in request.META and is_required(view):
            raise PreconditionRequired(field="If-Match", issue="Read the resource and send its ETag.")
        return partial(_under_lock, view, handler) if sent else handler
    if sent and request.method != "POST":  # never ignored: the caller believes to be protected
        raise PreconditionFailed(field="If-Match", issue="This resource has no ETag. Leave the header out.")
    return handler


def _under_lock(
    view: Any, handler: Callable[..., HttpResponseBase], request: Request, *args: Any, **kwargs: Any
) -> HttpResponseBase:
    wanted = _wanted(request)

    def compare_and_act() -> HttpResponseBase:
        data, version = view.get_for_update()
        data = disclosure.visible_data(view, data)
        _compare(request, wanted, of(renderers.dumps(data), version), data if view.shows_current else None)
        return handler(request, *args, **kwargs)

    return commit_despite_refusal(compare_and_act)


def _wanted(request: Request) -> list[str]:
    """The tags of If-Match; empty where there is none."""
    header = request.META.get("HTTP_IF_MATCH")
    if header is None:
        return []
    tags = parse_etags(header)
    if not tags:
        raise Invalid(field="If-Match", issue='Send the ETag exactly as received, in its quotes, like "5f1c…", or *.')
    return tags


def _compare(request: Request, wanted: list[str], tag: str, current: Any = None) -> None:
    """Strongly: a weak tag never fits. Raises PreconditionFailed, with the tag that would (and the resource as it is now)."""
    stale = "If-Match" if wanted and wanted != _ANY and tag not in wanted else ""
    if is_known(request, tag):
        stale = "If-None-Match"
    if stale:
        refusal = PreconditionFailed(field=stale, issue="The resource has another version now. Read it again.")
        refusal.headers = {"ETag": tag}
        if current is not None:
            refusal.details["current"] = current
        raise refusal
