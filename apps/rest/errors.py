"""Converts every failure into the error envelope: domain errors, DRF's and Django's own, database outages, unexpected ones."""

import logging
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, Error
from django.http import Http404, HttpResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from apps.common import clock, context, errors
from apps.common.outage import is_outage
from apps.rest import audit_log, disclosure, endpoint, renderers, sample_ids

log = logging.getLogger(__name__)

MOST_ISSUES = 100  # in one reply

_KINDS: tuple[tuple[Any, type[errors.HimsError]], ...] = (
    ((Http404, drf.NotFound), errors.NotFound),
    ((PermissionDenied, drf.PermissionDenied), errors.Forbidden),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), errors.Unauthenticated),
    (drf.NotAcceptable, errors.NotAcceptable),
    (drf.UnsupportedMediaType, errors.UnsupportedMediaType),
    (RequestDataTooBig, errors.PayloadTooLarge),
    (SuspiciousOperation, errors.Invalid),
)


def handle(exception: Exception, view_context: dict[str, Any]) -> Response:
    """DRF's exception handler: returns the envelope with its headers, and audits a refusal for lack of permission."""
    error = translate(exception)
    view = view_context["view"]
    if error.is_audited and (isinstance(error, errors.Forbidden) or error.withheld):
        _record_denial(view, view_context["request"], error)
    error.details = disclosure.details(view, error.details)
    headers = dict(error.headers)
    if isinstance(error, errors.MethodNotAllowed):
        headers["Allow"] = ", ".join(view.allowed_methods)
    return Response(body(error), status=error.status, headers=headers)


def translate(exception: Exception) -> errors.HimsError:
    """Returns the refusal for an exception. An unexpected exception is logged with its traceback; the reply is a 500 without
    it."""
    if isinstance(exception, errors.HimsError):
        return exception
    if isinstance(exception, drf.MethodNotAllowed):
        return errors.MethodNotAllowed()
    if isinstance(exception, drf.ValidationError):
        return errors.Invalid(errors=flatten(exception.detail)[:MOST_ISSUES])
    if isinstance(exception, drf.ParseError):
        return errors.Invalid("Malformed JSON", field="", issue=str(exception.detail))
    for kinds, error in _KINDS:
        if isinstance(exception, kinds):
            return error()
    return _failure(exception)


def _failure(exception: Exception) -> errors.HimsError:
    """Returns the error for a failure of the system, not of the request, and logs it."""
    if is_outage(exception):
        log.error("the database did not answer, or the disk is full: %s", exception)
        return errors.Unavailable()
    if isinstance(exception, DatabaseError):
        log.exception("the database refused a statement")
    else:
        log.exception("unforeseen")
    return errors.HimsError()


def body(error: errors.HimsError) -> dict[str, Any]:
    """Returns the envelope of section 12 of the reference."""
    return {
        "success": False,
        "error": {
            "code": error.code,
            "doc_url": f"{settings.HIMS_BASE_URL}/developers/errors#{error.code}",
            "message": error.message,
            "details": error.details,
            "timestamp": clock.now(),
            "request_id": context.current().request_id,
        },
    }


def respond(error: errors.HimsError) -> HttpResponse:
    """Returns the envelope as a plain response, for requests that reach no DRF view."""
    response = HttpResponse(renderers.dumps(body(error)), status=error.status, content_type="application/json")
    for name, value in error.headers.items():
        response.headers[name] = value
    return response


def flatten(detail: Any, path: str = "") -> list[dict[str, str]]:
    """Returns DRF's nested error detail as a list of field and issue; `a.b[2].c` names a nested field."""
    if isinstance(detail, dict):
        return [row for name, inner in detail.items() for row in flatten(inner, _joined(path, name, inner))]
    if isinstance(detail, list):
        rows: list[dict[str, str]] = []
        for position, inner in enumerate(detail):
            rows += flatten(inner, f"{path}[{position}]" if isinstance(inner, dict) else path)
        return rows
    return [{"field": path, "issue": str(detail)}]


def _joined(path: str, name: str | int, inner: Any) -> str:
    if isinstance(name, int) and isinstance(inner, dict):  # DRF keys the objects of a list by their number
        return f"{path}[{name}]"
    if name == "non_field_errors":
        return path
    return f"{path}.{name}" if path else str(name)


def _record_denial(view: Any, request: Any, error: errors.HimsError) -> None:
    actor = getattr(request, "user", None)
    action = f"{getattr(view, 'resource', 'api')}.{getattr(view, 'action', None) or request.method.lower()}"
    withheld, path = error.withheld, audit_log.path_of(request)
    why = "The chart is restricted." if withheld else error.message
    about = withheld or _patient_in_path(view)
    try:
        audit_log.record(by=actor, action=action, outcome=audit_log.DENIED, patient_id=about, path=path, why=why)
    except Error:
        log.exception("a denial could not be audited")


def _patient_in_path(view: Any) -> UUID | None:
    """Returns the patient that the address names, or None."""
    declared = endpoint.of(view, getattr(view, "action", None))
    return sample_ids.resolve(view.kwargs.get("pk", "")) if declared.about_patient else None
