"""A transaction around a whole action, which does not change what the action commits."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException

from apps.common.errors import HimsError

_REFUSALS = (HimsError, APIException, Http404, PermissionDenied)


def commit_despite_refusal(handler: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Runs the action in one transaction. A refusal is raised after the commit: a service is atomic and has rolled back its own
    part, and what was written on purpose before (alerts that were shown, a counted attempt) stays. Failures roll back
    everything."""
    with transaction.atomic():
        try:
            return handler()
        except _REFUSALS as error:
            if _is_ours(error):
                raise
            refusal = error
    raise refusal


def _is_ours(error: Exception) -> bool:
    """Returns whether the error is a failure of the system, not of the request."""
    status: Any = getattr(error, "status", None) or getattr(error, "status_code", 400)
    return bool(status >= 500)
