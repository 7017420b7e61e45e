"""The context of a request: address, request id and API key, passed implicitly, for audit and logs.

The outermost middleware sets it once for a request; a command or a task keeps the default. Services never read it.
"""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class RequestContext:
    """What is known about the current request. `ip` is the client's address, as far as trusted proxies report it."""

    request_id: str = ""
    ip: str | None = None
    purpose: str = ""
    api_key: str = ""  # the prefix of the calling API key; empty for a user


_current: ContextVar[RequestContext | None] = ContextVar("hims_request", default=None)


def current() -> RequestContext:
    """Returns the context of the current request; an empty one outside a request."""
    return _current.get() or RequestContext()


def enter(context: RequestContext | None) -> None:
    """Sets the current context; None ends it."""
    _current.set(context)
