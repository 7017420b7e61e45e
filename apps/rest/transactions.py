"""A transaction round a whole action, which changes nothing of what the action would have done without it."""

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
    """Run the action in one transaction. A refusal is raised after the commit: a service is atomic and has undone its own part,
    and what was written before it on purpose (alerts that were shown, a try that was counted) stays. Failures undo everything.
    """
    with transaction.atomic():
        try:
            return handler()
        except _REFUSALS as error:
            if _is_ours(error):
                raise
            refusal = error
    raise refusal


def _is_ours(error: Exception) -> bool:
    """Whether it says that something is wrong with us, not with the request."""
    status: Any = getattr(error, "status", None) or getattr(error, "status_code", 400)
    return bool(status >= 500)
