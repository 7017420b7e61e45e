"""Every reply in every test, against what its operation declares: the reasons of its refusals, and its events.

`hims.settings.test` puts the middleware in front of the others. So a test of any app fails where a service refuses or emits what
the `@endpoint` of the operation does not list.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse

from apps.common.actor import AuditActor
from apps.developers.pages import error_advice
from apps.events import listeners
from apps.events.event import Event
from apps.rest import endpoint
from apps.rest.endpoint import CLOSED, Endpoint

_GENERAL = {entry.code: entry.reasons for entry in error_advice.catalogue()}
_emitted: ContextVar[list[str] | None] = ContextVar("emitted", default=None)


@listeners.synchronous
def _collect(fact: Event, by: AuditActor, event_id: UUID) -> None:
    names = _emitted.get()
    if names is not None:
        names.append(fact.name)


class DeclaredReplies:
    """The middleware. What it finds is raised: the test client raises it in the test."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _emitted.set([])
        try:
            response = self.get_response(request)
            declared = _declaration(request)
            if declared is not CLOSED:
                where = f"{request.method} {request.path}"
                check_reason(where, declared, response)
                check_events(where, declared, _emitted.get() or [])
        finally:
            _emitted.reset(token)
        return response


def check_reason(where: str, declared: Endpoint, response: HttpResponse) -> None:
    """Raises AssertionError for a refusal whose reason the operation does not list."""
    if response.status_code < 400 or response.headers.get("Content-Type", "").partition(";")[0] != "application/json":
        return
    error = orjson.loads(response.content)["error"]
    reason, own = error["details"]["reason"], {kind.reason for kind in declared.refusals}
    assert reason in {*_GENERAL[error["code"]], *own}, f"{where} gives the reason {reason}, which its refusals do not list"


def check_events(where: str, declared: Endpoint, names: list[str]) -> None:
    """Raises AssertionError for an event that the operation does not list."""
    unlisted = set(names) - {kind.name for kind in declared.events}
    assert not unlisted, f"{where} emits {sorted(unlisted)}, which its events do not list"


def _declaration(request: HttpRequest) -> Endpoint:
    """The declaration of the operation that answered; CLOSED for a page, and for a view that a test made."""
    view: Any = getattr(request.resolver_match, "func", None) if request.resolver_match else None
    kind, actions = getattr(view, "cls", None), getattr(view, "actions", None)
    if kind is None or ".tests." in kind.__module__:
        return CLOSED
    return endpoint.of(kind, (actions or {}).get((request.method or "").lower()))
