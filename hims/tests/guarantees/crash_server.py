"""HIMS as a web application whose worker dies (kill -9) where the request's X-Die says: before the commit, or after it and before
the reply."""

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from hims.wsgi import application as hims

_commit = BaseDatabaseWrapper.commit
_crashes_before_commit = False


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def commit(self: BaseDatabaseWrapper) -> None:
    if _crashes_before_commit:
        crash()
    _commit(self)


BaseDatabaseWrapper.commit = commit  # type: ignore[method-assign]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    global _crashes_before_commit
    _crashes_before_commit = environ.get("HTTP_X_DIE") == "before the commit"
    reply = hims(environ, start_response)
    if environ.get("HTTP_X_DIE") == "before the reply":
        crash()
    return reply
