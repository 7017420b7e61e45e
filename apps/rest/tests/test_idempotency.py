"""Idempotency-Key, by a resource that exists in these tests alone."""

import json
from datetime import timedelta
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock
from apps.common.errors import Conflict, Invalid
from apps.rest import idempotency
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.models import KeptReply
from apps.rest.parsers import loads
from apps.rest.tests.callers import Caller, KeptAuditLog, LampPermission, request, user
from apps.rest.viewsets import HimsViewSet


class Lamps(HimsViewSet):
    resource = "lamp"
    runs: list[str] = []

    @endpoint(permission=LampPermission.LAMP_SWITCH)
    def switch(self, request: Any) -> Response:
        return self._run(HTTPStatus.OK)

    @endpoint(permission=LampPermission.LAMP_SWITCH)
    def moved(self, request: Any) -> Response:
        return self._run(HTTPStatus.SEE_OTHER)

    @endpoint(permission=LampPermission.LAMP_SWITCH)
    def refused(self, request: Any) -> Response:
        self.runs.append("refused")
        raise Conflict("It is broken.")

    @endpoint(permission=LampPermission.LAMP_SWITCH)
    def invalid(self, request: Any) -> Response:
        self.runs.append("invalid")
        raise Invalid(field="name", issue="Is missing.")

    @endpoint(permission=PUBLIC)
    def public(self, request: Any) -> Response:
        return self._run(HTTPStatus.OK)

    def _run(self, status: HTTPStatus) -> Response:
        self.runs.append("ran")
        return Response({"success": True, "data": {"run": len(self.runs)}}, status=status)


class Heedless(Lamps):
    idempotent = False


@pytest.fixture(autouse=True)
def no_runs(log: KeptAuditLog) -> None:
    Lamps.runs.clear()


NURSE = user("nurse")


def send(
    action: str = "switch",
    *,
    view: type[Lamps] = Lamps,
    path: str = "/v1/lamps",
    by: Caller | None = NURSE,
    method: str = "POST",
    key: str | None = "key-1",
    body: Any = None,
) -> Any:
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    sent = request(method, path, by, json.dumps({} if body is None else body), **headers)
    response = view.as_view({method.lower(): action})(sent)
    if hasattr(response, "render"):
        response.render()
    return response


@pytest.mark.django_db
def test_a_repeated_request_runs_once_and_gets_the_first_reply(log: KeptAuditLog) -> None:
    first, again = send(), send()
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert Lamps.runs == ["ran"]
    assert [row["action"] for row in log.rows] == ["lamp.replayed"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        {"key": "key-2"},
        {"path": "/v1/lamps/2"},
        {"by": user("nurse")},
        {"by": Caller(id=NURSE.id, role="nurse", key_id="key_1", scopes=frozenset({"lab:write"}))},
    ],
)
def test_a_key_belongs_to_one_caller_and_one_path(other: dict[str, Any]) -> None:
    send()
    send(**other)
    assert Lamps.runs == ["ran", "ran"]


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"body": {"on": True}}, {"body": {"on": None}}])
def test_another_body_under_the_same_key_is_refused(other: dict[str, Any]) -> None:
    send()
    assert send(**other).status_code == 422
    assert Lamps.runs == ["ran"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("action", "status", "runs"), [("switch", 200, 1), ("refused", 409, 1), ("invalid", 400, 2), ("moved", 303, 2)]
)
def test_only_a_success_or_a_conflict_uses_the_key_up(action: str, status: int, runs: int) -> None:
    assert [send(action).status_code, send(action).status_code] == [status, status]
    assert len(Lamps.runs) == runs
    assert KeptReply.objects.count() == (1 if runs == 1 else 0)


@pytest.mark.django_db
def test_a_key_is_good_for_a_day() -> None:
    begun = clock.now()
    for hours, runs in ((0, 1), (23.9, 1), (24.1, 2), (48, 2), (48.2, 3)):
        with time_machine.travel(begun + timedelta(hours=hours), tick=False):
            assert send().status_code == 200
        assert len(Lamps.runs) == runs, hours


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "a\tb", "x" * 256, "\x7f"])
def test_a_key_that_is_none_is_refused_and_nothing_runs(key: str) -> None:
    assert send(key=key).status_code == 400
    assert Lamps.runs == []


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x", "!~", "x" * 255])
def test_a_key_is_any_visible_ascii(key: str) -> None:
    assert send(key=key).status_code == 200
    assert send(key=key).headers["Idempotent-Replayed"] == "true"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "how",
    [
        {"key": None},
        {"view": Heedless},
        {"action": "public", "by": None},
        {"action": "public"},
        {"path": "/v1/auth/lamps"},
        {"method": "PUT"},
    ],
)
def test_where_no_key_is_used_a_repeated_request_runs_again(how: dict[str, Any]) -> None:
    send(**how)
    send(**how)
    assert Lamps.runs == ["ran", "ran"]
    assert not KeptReply.objects.exists()


@pytest.mark.parametrize(
    ("view", "action", "method", "path", "accepts"),
    [
        (Lamps, "switch", "POST", "/v1/lamps", True),
        (Lamps, "switch", "POST", "/lamps", True),
        (Lamps, "switch", "PUT", "/v1/lamps", False),
        (Lamps, "switch", "GET", "/v1/lamps", False),
        (Lamps, "switch", "POST", "/v1/auth/login", False),
        (Lamps, "switch", "POST", "/auth/login", False),
        (Lamps, "switch", "POST", "/v1/lamps/auth/", True),
        (Lamps, "public", "POST", "/v1/lamps", False),
        (Heedless, "switch", "POST", "/v1/lamps", False),
    ],
)
def test_every_post_but_sign_in_takes_a_key(view: Any, action: str, method: str, path: str, accepts: bool) -> None:
    one = view()
    one.action = action
    assert idempotency.accepts_key(one, method, path) is accepts


def fingerprint(body: str, query: str = "") -> bytes:
    sent = Request(request("POST", f"/v1/lamps?{query}", NURSE))
    sent._full_data = loads(body.encode())
    return idempotency.fingerprint(sent)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("{}",), ("{}",), True),
        (('{"a":1,"b":2}',), ('{"b": 2, "a": 1}',), True),
        (('{"a":1.0}',), ('{"a":1}',), True),
        (('{"a":1.50}',), ('{"a":1.5}',), True),
        (('{"a":1e2}',), ('{"a":100}',), True),
        (('{"a":"é"}',), ('{"a":"\\u00e9"}',), True),
        (('{"a":1.5}',), ('{"a":"1.5"}',), False),
        (('{"a":1}',), ('{"a":"1"}',), False),
        (('{"a":1}',), ('{"a":true}',), False),
        (('{"a":1.5}',), ('{"a":1.51}',), False),
        (('{"a":null}',), ("{}",), False),
        (('{"a":[1,2]}',), ('{"a":[2,1]}',), False),
        (('{"a":{"b":1}}',), ('{"a":{"c":1}}',), False),
        (("{}", "a=1&b=2"), ("{}", "b=2&a=1"), True),
        (("{}", "a=1"), ("{}", "a=2"), False),
        (("{}", "a=1"), ("{}",), False),
        (("{}", "a=1&a=2"), ("{}", "a=2&a=1"), False),
    ],
)
def test_two_requests_are_the_same_if_they_mean_the_same(one: tuple[str, ...], other: tuple[str, ...], same: bool) -> None:
    assert (fingerprint(*one) == fingerprint(*other)) is same


def test_a_body_of_bytes_is_compared_byte_for_byte() -> None:
    def of(raw: bytes) -> bytes:
        sent: Any = SimpleNamespace(data=raw, query_params=Request(request("POST", "/v1/x", NURSE)).query_params)
        return idempotency.fingerprint(sent)

    assert of(b"MSH|1") == of(b"MSH|1") != of(b"MSH|2")


@pytest.mark.django_db
def test_expired_replies_are_deleted_in_batches_and_no_other() -> None:
    now = clock.now()
    for number in range(7):
        until = now + timedelta(seconds=number - 5)  # six are over, one of them this very moment
        row = {"asked": b"a" * 32, "request_id": "r", "status": 201, "sealed": b"", "kept_at": until - idempotency.KEPT}
        KeptReply.objects.create(name=bytes([number]) * 32, expires_at=until, **row)
    with time_machine.travel(now, tick=False):
        assert idempotency.forget_expired(batch=2) == 6
        assert idempotency.forget_expired(batch=2) == 0
    assert [bytes(row.name) for row in KeptReply.objects.all()] == [b"\x06" * 32]
