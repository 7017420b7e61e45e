"""Wraps a write in what its headers request: If-Match, and around it Idempotency-Key.

The order matters: a repeated request gets its first reply, even though its own first run has changed the version that it names.
"""

from typing import Any

from rest_framework.request import Request

from apps.rest import etags, idempotency


def apply_preconditions(view: Any, request: Request) -> None:
    """Wraps the action before a write. Does nothing without either header."""
    if view.action is None:
        return
    verb = (request.method or "").lower()
    bare = getattr(view, verb)
    guarded = idempotency.guard(view, request, etags.guard(view, request, bare))
    if guarded is not bare:
        setattr(view, verb, guarded)
