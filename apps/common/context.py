"""Who is asking, from where, under which request id: carried beside the call, for audit and logs.

A request sets it once in the outermost middleware; a command or a task leaves the default. Services never read it.
"""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class RequestContext:
    """What is known about the request being served. `ip` is the client's, believed only as far as trusted proxies go."""

    request_id: str = ""
    ip: str | None = None
    purpose: str = ""
    api_key: str = ""  # the prefix of the API key that asks; empty for a person


_current: ContextVar[RequestContext | None] = ContextVar("hims_request", default=None)


def current() -> RequestContext:
    """The running request's context; an empty one outside a request."""
    return _current.get() or RequestContext()


def enter(context: RequestContext | None) -> None:
    """Make the context current; None ends it."""
    _current.set(context)
