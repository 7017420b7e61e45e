"""Whether a stored reply may be shown again, without a database."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.http import HttpResponse
from rest_framework import serializers

from apps.rest import replays
from apps.rest.endpoint import Endpoint
from apps.rest.replays import Reply
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.serializers import OnceField
from apps.rest.tests.callers import api_key, user


class Secret(ResponseSerializer):
    key = OnceField()


class Codes(ResponseSerializer):
    codes = serializers.ListField(child=OnceField())


class Inside(ResponseSerializer):
    secret = Secret()


class ManyInside(ResponseSerializer):
    secrets = Secret(many=True)


class Plain(ResponseSerializer):
    key = serializers.CharField()
    names = serializers.ListField(child=serializers.CharField())


class Nested(ResponseSerializer):
    plain = Plain()


@pytest.mark.parametrize(
    ("kind", "secret"),
    [(Secret, True), (Codes, True), (Inside, True), (ManyInside, True), (Plain, False), (Nested, False), (None, False)],
)
def test_a_secret_is_found_at_any_depth_of_a_shape(kind: Any, secret: bool) -> None:
    assert replays.holds_secret(kind) is secret


def view(by: Any, response: Any = Plain, path: str = "/v1/lamps") -> Any:
    return SimpleNamespace(by=by, endpoint=Endpoint(response=response), request=SimpleNamespace(path_info=path))


def reply(by: Any, body: bytes = b"{}", status: int = 201, response: Any = Plain) -> Reply:
    sent = HttpResponse(body, status=status, headers={"Location": "/v1/lamps/1"})
    return replays.unpack(replays.pack(view(by, response), sent))


def test_a_reply_comes_back_as_it_was(settings: Any) -> None:
    settings.HIMS_ADMIN_CLINICAL = False
    kept = reply(user("nurse"), b'{"a":\n1}')
    assert (kept.body, kept.headers["Location"], kept.is_secret) == (b'{"a":\n1}', "/v1/lamps/1", False)
    assert kept.authority == {"role": "nurse", "scopes": [], "admin_clinical": False}


def test_of_a_secret_nothing_is_kept_and_of_its_refusal_all() -> None:
    kept = reply(user(), b'{"key":"s3cret"}', response=Secret)
    assert (kept.body, dict(kept.headers), kept.is_secret) == (b"", {}, True)
    assert replays.withheld_reason(view(user()), kept) == "secret"
    refusal = reply(user(), b'{"error":1}', status=409, response=Secret)
    assert (refusal.body, refusal.is_secret) == (b'{"error":1}', False)


def test_a_reply_of_an_earlier_release_counts_as_a_secret() -> None:
    assert replays.unpack(orjson.dumps({"headers": {"Location": "/x"}}) + b"\n{}") == Reply({}, b"", {}, is_secret=True)


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        (user("nurse"), user("nurse"), ""),
        (user("nurse"), user("doctor"), "role"),
        (api_key("lab:read", "lab:write"), api_key("lab:read", "lab:write"), ""),
        (api_key("lab:read"), api_key("lab:read", "lab:write"), ""),
        (api_key("lab:read", "lab:write"), api_key("lab:write"), "scopes"),
        (api_key("lab:read"), api_key("lab:write"), "scopes"),
    ],
)
def test_a_caller_with_less_authority_than_before_gets_no_replay(before: Any, now: Any, why: str) -> None:
    assert replays.withheld_reason(view(now), reply(before)) == why


@pytest.mark.parametrize(("before", "now", "why"), [(True, False, "role"), (False, True, ""), (True, True, "")])
def test_an_administrator_who_no_longer_acts_clinically_gets_no_replay(settings: Any, before: bool, now: bool, why: str) -> None:
    settings.HIMS_ADMIN_CLINICAL = before
    kept = reply(user("admin"))
    settings.HIMS_ADMIN_CLINICAL = now
    assert replays.withheld_reason(view(user("admin")), kept) == why


def test_every_id_of_the_address_and_the_reply_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[UUID]] = []
    closed: set[UUID] = set()

    def is_closed(_: Any, ids: Any) -> bool:
        asked.append(set(ids))
        return not closed.isdisjoint(ids)

    monkeypatch.setattr(replays, "_closed_checks", [])
    replays.register_closed_check(lambda by, ids: False)
    replays.register_closed_check(is_closed)
    in_path, in_body = uuid4(), uuid4()
    kept = reply(user(), f'{{"id":"{in_body}"}}'.encode())
    where = view(user(), path=f"/v1/lamps/{str(in_path).upper()}/switch")
    assert replays.withheld_reason(where, kept) == ""
    assert asked == [{in_path, in_body}]
    for one in (in_path, in_body):
        closed.clear()
        closed.add(one)
        assert replays.withheld_reason(where, kept) == "closed"


def test_a_reply_without_an_id_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "_closed_checks", [lambda by, ids: True])
    assert replays.withheld_reason(view(user()), reply(user())) == ""
