"""What stands round a write where its headers ask for it: If-Match, and outside of it Idempotency-Key.

In that order: a request sent again is answered from its first reply, though the version it named has passed by its own doing.
"""

from typing import Any

from rest_framework.request import Request

from apps.rest import etags, idempotency


def apply_preconditions(view: Any, request: Request) -> None:
    """Before a write: put its guards round the action. Nothing where it has neither header."""
    if view.action is None:
        return
    verb = (request.method or "").lower()
    bare = getattr(view, verb)
    guarded = idempotency.guard(view, request, etags.guard(view, request, bare))
    if guarded is not bare:
        setattr(view, verb, guarded)
