"""What the exception handler does besides translating: it audits denials, hides records from keys and names methods."""

import json
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from rest_framework import exceptions as drf

from apps.common import errors as catalogue
from apps.common.errors import Conflict, Forbidden, MethodNotAllowed, NotFound, RateLimited
from apps.rest import audit_log, errors
from apps.rest.endpoint import endpoint
from apps.rest.tests.callers import KeptAuditLog, LampPermission, request, user

pytestmark = pytest.mark.usefixtures("log")

PATIENT = UUID(int=1)  # fixed: it is part of the names of tests, which all processes must share


class Lamps:
    resource, plural, data_key = "lamp", "lamps", None
    allowed_methods = ("GET", "POST")

    def __init__(self, action: str | None = "switch", pk: str = "") -> None:
        self.action, self.kwargs = action, {"pk": pk} if pk else {}

    @endpoint(permission=LampPermission.LAMP_SWITCH)
    def switch(self) -> None: ...

    @endpoint(permission=LampPermission.LAMP_SWITCH, about_patient=True)
    def of_a_patient(self) -> None: ...


NURSE = user("nurse")


def handle(error: Exception, view: Any = None, path: str = "/v1/lamps") -> Any:
    sent = request("POST", path, NURSE)
    sent.user = NURSE
    return errors.handle(error, {"view": view or Lamps(), "request": sent})


def withholding(error: catalogue.HimsError, patient: UUID) -> catalogue.HimsError:
    error.withheld = patient
    return error


@pytest.mark.parametrize("error", [Forbidden(), drf.PermissionDenied()])
def test_a_denial_is_audited(log: KeptAuditLog, error: Exception) -> None:
    assert handle(error).status_code == 403
    (row,) = log.rows
    assert row == {
        "by": NURSE,
        "action": "lamp.switch",
        "outcome": "denied",
        "patient_id": None,
        "object_id": None,
        "path": "/v1/lamps",
        "why": "Insufficient permissions",
    }


@pytest.mark.parametrize(
    "error", [NotFound(), Conflict(), RateLimited(retry_after=1), drf.ValidationError("no"), drf.NotAuthenticated()]
)
def test_another_refusal_is_not(log: KeptAuditLog, error: Exception) -> None:
    handle(error)
    assert log.rows == []


def test_a_chart_that_is_withheld_looks_like_one_that_does_not_exist_and_is_audited(log: KeptAuditLog) -> None:
    hidden, missing = handle(withholding(NotFound(), PATIENT)), handle(NotFound())
    assert (hidden.status_code, hidden.data["error"]["details"]) == (missing.status_code, missing.data["error"]["details"])
    assert str(PATIENT) not in str(hidden.data)
    (row,) = log.rows
    assert (row["patient_id"], row["why"], row["outcome"]) == (PATIENT, "The chart is restricted.", "denied")


@pytest.mark.parametrize(
    ("action", "pk", "patient"),
    [
        ("of_a_patient", str(PATIENT), PATIENT),
        ("of_a_patient", "x", None),
        ("of_a_patient", "", None),
        ("switch", str(PATIENT), None),
    ],
)
def test_a_denial_names_the_patient_only_where_the_path_does(log: KeptAuditLog, action: str, pk: str, patient: Any) -> None:
    handle(Forbidden(), Lamps(action, pk))
    assert log.rows[0]["patient_id"] == patient


@pytest.mark.parametrize(
    ("view", "action"), [(Lamps(None), "lamp.post"), (SimpleNamespace(kwargs={}), "api.post")], ids=["no action", "no resource"]
)
def test_a_denial_without_an_action_is_audited_by_its_method(log: KeptAuditLog, view: Any, action: str) -> None:
    handle(Forbidden(), view)
    assert log.rows[0]["action"] == action


def test_the_path_in_the_audit_log_is_escaped_and_cut(log: KeptAuditLog) -> None:
    handle(Forbidden(), path="/v1/lamps/%00/é" + "x" * 5_000)
    path = log.rows[0]["path"]
    assert len(path) == 500
    assert path.isascii()
    assert "\x00" not in path


def test_a_denial_stays_a_denial_when_it_cannot_be_audited(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class LostAuditLog:
        def record(self, **_: Any) -> UUID:
            raise OperationalError("the connection is lost")

    monkeypatch.setattr(audit_log, "_log", LostAuditLog())
    assert handle(Forbidden()).status_code == 403
    assert "a denial could not be audited" in caplog.text


@pytest.mark.parametrize("error", [MethodNotAllowed(), drf.MethodNotAllowed("PUT")])
def test_a_405_names_the_methods_that_there_are(error: Exception) -> None:
    reply = handle(error)
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (drf.NotAuthenticated(), {"WWW-Authenticate": "Bearer"}),
        (RateLimited(retry_after=7), {"Retry-After": "7", "X-RateLimit-Retry-After": "7"}),
        (OperationalError(), {"Retry-After": "2"}),
        (Conflict(), {}),
    ],
)
def test_a_refusal_has_the_headers_that_http_asks_for(error: Exception, headers: dict[str, str]) -> None:
    reply = handle(error)
    assert {name: value for name, value in reply.headers.items() if name != "Content-Type"} == headers
    if isinstance(error, catalogue.HimsError):
        assert dict(errors.respond(error).items()) == {"Content-Type": "application/json", **headers}


@pytest.mark.parametrize("error", catalogue.CATALOGUE)
def test_every_error_of_the_catalogue_has_the_same_envelope(error: type[catalogue.HimsError]) -> None:
    one = error(retry_after=3) if error is RateLimited else error()
    sent = json.loads(errors.respond(one).content)
    assert (sent["success"], sent["error"]["code"], sent["error"]["message"]) == (False, error.code, error.message)
    assert sent["error"]["doc_url"].endswith(f"/developers/errors#{error.code}")
    assert sent["error"]["details"]["reason"]


def test_a_suspicious_request_is_wrong_and_no_failure() -> None:
    assert errors.translate(SuspiciousOperation("odd")).status == 400
