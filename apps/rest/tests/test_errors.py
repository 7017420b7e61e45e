import json
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig, TooManyFieldsSent
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions as drf

from apps.common import context, errors
from apps.common.context import RequestContext
from apps.rest import errors as envelope


@pytest.mark.parametrize(
    ("exception", "kind"),
    [
        (errors.Gone(), errors.Gone),
        (Http404(), errors.NotFound),
        (PermissionDenied(), errors.Forbidden),
        (drf.NotAuthenticated(), errors.Unauthenticated),
        (drf.MethodNotAllowed("PUT"), errors.MethodNotAllowed),
        (drf.NotAcceptable(), errors.NotAcceptable),
        (drf.UnsupportedMediaType("text/plain"), errors.UnsupportedMediaType),
        (drf.ParseError("no"), errors.Invalid),
        (drf.ValidationError("no"), errors.Invalid),
        (RequestDataTooBig(), errors.PayloadTooLarge),
        (TooManyFieldsSent(), errors.Invalid),
        (DisallowedHost(), errors.Invalid),
        (OperationalError("the connection is lost"), errors.Unavailable),
        (InterfaceError("the connection is closed"), errors.Unavailable),
        (IntegrityError("somebody_once"), errors.HimsError),
        (DataError("out of range"), errors.HimsError),
        (ZeroDivisionError(), errors.HimsError),
        (KeyError("x"), errors.HimsError),
    ],
)
def test_every_failure_has_its_refusal(exception: Exception, kind: type[errors.HimsError]) -> None:
    assert type(envelope.translate(exception)) is kind


def test_an_unexpected_error_is_logged_with_its_trace_and_reported_without(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise RuntimeError("the secret of the house")
    except RuntimeError as error:
        envelope_sent = envelope.body(envelope.translate(error))
    assert "the secret of the house" in caplog.text
    assert "Traceback" in caplog.text
    assert "secret" not in str(envelope_sent)
    assert envelope_sent["error"]["code"] == "INTERNAL_ERROR"


def test_the_envelope_is_that_of_the_reference() -> None:
    context.enter(RequestContext(request_id="req_12345678"))
    try:
        reply = envelope.respond(errors.Invalid(field="mrn", issue="Taken."))
    finally:
        context.enter(None)
    envelope_sent = json.loads(reply.content)
    assert reply.status_code == 400
    assert list(envelope_sent) == ["success", "error"]
    assert list(envelope_sent["error"]) == ["code", "doc_url", "message", "details", "timestamp", "request_id"]
    assert envelope_sent["error"]["timestamp"].endswith("Z")
    assert envelope_sent["error"]["request_id"] == "req_12345678"
    assert envelope_sent["error"]["doc_url"] == f"{settings.HIMS_BASE_URL}/developers/errors#VALIDATION_ERROR"
    assert envelope_sent["error"]["details"] == {
        "reason": "validation_error",
        "field": "mrn",
        "issue": "Taken.",
        "errors": [{"field": "mrn", "issue": "Taken."}],
    }


@pytest.mark.parametrize(
    ("detail", "rows"),
    [
        ("No.", [("", "No.")]),
        ({"a": ["No."]}, [("a", "No.")]),
        ({"a": ["No.", "Nor so."]}, [("a", "No."), ("a", "Nor so.")]),
        ({"a": {"b": ["No."]}}, [("a.b", "No.")]),
        ({"a": [{}, {"b": ["No."]}]}, [("a[1].b", "No.")]),
        ({"non_field_errors": ["No."]}, [("", "No.")]),
        ({"a": {"non_field_errors": ["No."]}}, [("a", "No.")]),
        ({"a": {0: ["No."]}}, [("a.0", "No.")]),
        ({"a": {1: {"b": ["No."]}}}, [("a[1].b", "No.")]),
    ],
)
def test_nested_issues_become_a_list(detail: Any, rows: list[tuple[str, str]]) -> None:
    assert [(row["field"], row["issue"]) for row in envelope.flatten(detail)] == rows


def test_a_body_of_ten_thousand_wrong_fields_gets_a_short_answer() -> None:
    error = envelope.translate(drf.ValidationError({f"field{n}": ["No."] for n in range(10_000)}))
    assert len(error.details["errors"]) == envelope.MOST_ISSUES


class DoorLocked(errors.Conflict):
    message = "The door is locked."


class KeyBent(DoorLocked):
    reason = "key_unusable"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.HimsError(), "internal_error"),
        (errors.NotFound("There is no such door."), "not_found"),
        (errors.Invalid(field="door", issue="Is missing."), "validation_error"),
        (errors.RateLimited(retry_after=3), "rate_limited"),
        (DoorLocked(), "door_locked"),
        (DoorLocked(until="noon"), "door_locked"),
        (DoorLocked(reason="no_key"), "no_key"),
        (KeyBent(), "key_unusable"),
        (envelope.translate(drf.NotAuthenticated()), "unauthenticated"),
    ],
)
def test_every_refusal_has_a_reason_for_programs(error: errors.HimsError, reason: str) -> None:
    assert envelope.body(error)["error"]["details"]["reason"] == reason
