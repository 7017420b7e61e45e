"""The base class of all views, by a resource that exists in these tests alone."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django_filters import CharFilter, FilterSet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock
from apps.common.errors import Invalid
from apps.rest import audit_log
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.filters import ChoicesFilter
from apps.rest.limits import PER_MINUTE, RateClass
from apps.rest.models import KeptReply
from apps.rest.paging import CursorFilter, Page, Position, Total
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.serializers import LineField, StrictSerializer
from apps.rest.tests.callers import Caller, KeptAuditLog, LampPermission, api_key, request, user
from apps.rest.viewsets import HimsViewSet

LAST = Position.at(clock.now(), uuid4())
LAMP = {"id": 1, "name": "Desk"}


class LampFilter(FilterSet):
    name = CharFilter(field_name="request_id")
    search = CharFilter()
    colour = ChoicesFilter(choices=[("red", "red"), ("blue", "blue")])

    class Meta:
        model = KeptReply
        fields: list[str] = []


class LampCursorFilter(LampFilter):
    cursor = CursorFilter()


class LampBody(StrictSerializer):
    name = LineField()


class LampResponse(ResponseSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()


class Lamps(HimsViewSet):
    resource, plural = "lamp", "lamps"
    secret_parameters = ("token",)
    pages: dict[str, Page] = {}

    @endpoint(permission=LampPermission.LAMP_VIEW, query=LampFilter, response=LampResponse)
    def list(self, request: Any) -> Response:
        rows = [{"id": 1, "name": "Desk"}, {"id": 2, "name": "Ceiling"}]
        return self.page(Page(rows, total=Total(42)), sent=self.sent_query(), read=self.validated_query())

    @endpoint(permission=LampPermission.LAMP_VIEW, query=LampCursorFilter, response=LampResponse, paged=True, offset=True)
    def by_cursor(self, request: Any) -> Response:
        return self.page(self.pages["next"])

    @endpoint(permission=LampPermission.LAMP_VIEW, response=LampResponse)
    def retrieve(self, request: Any) -> Response:
        return self.reply({"id": 1, "name": "Desk"})

    @endpoint(permission=LampPermission.LAMP_SWITCH, request=LampBody, response=LampResponse)
    def create(self, request: Any) -> Response:
        return self.reply({"id": 3, **self.parse()}, location="/v1/lamps/3", warnings=[{"code": "dim", "message": "Dim."}])

    @endpoint(permission=LampPermission.LAMP_SWITCH, response=LampResponse)
    def switch(self, request: Any) -> Response:
        return self.reply({"id": 1, "name": "Desk"})

    @endpoint(permission=LampPermission.LAMP_SWITCH, response=LampResponse, recent_login=True)
    def sell(self, request: Any) -> Response:
        return self.reply({"id": 1, "name": "Desk"})

    @endpoint(permission=PUBLIC, response=LampResponse, rate_class=RateClass.ANALYTICS)
    def shine(self, request: Any) -> Response:
        return self.reply({"id": 1, "name": "Sun"})

    def forgotten(self, request: Any) -> Response:
        raise AssertionError("a method without a declaration ran")


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch) -> KeptAuditLog:
    kept = KeptAuditLog()
    monkeypatch.setattr(audit_log, "_log", kept)
    return kept


NURSE = user("nurse")


def send(action: str, method: str, path: str = "/v1/lamps", by: Caller | None = NURSE, body: Any = None, **headers: str) -> Any:
    """Returns status, body and headers of a request to an action."""
    view = Lamps.as_view({method.lower(): action})
    sent = request(method, path, by, None if body is None else json.dumps(body), **headers)
    response = view(sent)
    response.render()
    response.verdict = getattr(sent, "verdict", None)
    response.data = json.loads(response.content) if response.content else None
    return response


@pytest.mark.parametrize(
    ("action", "method", "by", "status"),
    [
        ("list", "GET", NURSE, 200),
        ("retrieve", "GET", NURSE, 200),
        ("switch", "POST", NURSE, 200),
        ("list", "GET", None, 401),
        ("list", "GET", user("billing"), 403),
        ("list", "GET", api_key("lab:write"), 403),
        ("list", "GET", api_key("lab:read"), 200),
        ("switch", "POST", api_key("lab:read"), 403),
        ("switch", "POST", api_key("lab:write"), 200),
        ("shine", "GET", None, 200),
        ("forgotten", "GET", NURSE, 403),
        ("forgotten", "GET", None, 401),
        ("sell", "POST", NURSE, 401),
        ("sell", "POST", user("nurse", reauthenticated_at=clock.now() + timedelta(days=1)), 200),
    ],
)
def test_an_operation_takes_the_callers_that_it_declares(action: str, method: str, by: Any, status: int) -> None:
    assert send(action, method, by=by).status_code == status


def test_a_refused_caller_is_audited_with_the_reason(log: KeptAuditLog) -> None:
    caller = user("billing")
    send("list", "GET", by=caller)
    (row,) = log.rows
    assert (row["by"], row["action"], row["outcome"], row["path"]) == (caller, "lamp.list", "denied", "/v1/lamps")
    assert row["why"] == "Insufficient permissions"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("?nothing=1", ["nothing"]),
        ("?nothing=1&page=2&name=&wrong=2", ["nothing", "name", "wrong"]),
        ("?offset=1", ["offset"]),
        ("?cursor=abc", ["cursor"]),
        ("?expand=owner", ["expand"]),
        ("?name=a&name=b", ["name"]),
        ("?page=1&page=1", ["page"]),
        ("?name=", ["name"]),
        ("?name=%20%09", ["name"]),
        ("?colour=red&colour=", ["colour"]),
        ("?name=a%00b", ["name"]),
        ("?search=%00", ["search"]),
        ("?colour=red&colour=blue%00", ["colour"]),
        ("?colour=green", ["colour"]),
    ],
)
def test_a_parameter_that_could_be_misread_is_refused_by_name(path: str, fields: list[str]) -> None:
    reply = send("list", "GET", f"/v1/lamps{path}")
    assert reply.status_code == 400
    assert [row["field"] for row in reply.data["error"]["details"]["errors"]] == fields


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("colour=red&colour=", "Must not be empty: give a value, or leave the parameter out."),
        ("colour=red&colour=blue%00", "Null characters are not allowed."),
        ("name=a&name=", "Send this parameter once."),
    ],
)
def test_each_value_of_a_repeated_parameter_is_checked(query: str, problem: str) -> None:
    (issue,) = send("list", "GET", f"/v1/lamps?{query}").data["error"]["details"]["errors"]
    assert issue["issue"] == problem


@pytest.mark.parametrize(
    "path",
    ["?name=a", "?search=", "?search=%20", "?colour=red&colour=blue", "?page=1&limit=5", "?fields=id", "?token=a&token=", "?"],
)
def test_a_parameter_that_is_clear_is_accepted(path: str) -> None:
    assert send("list", "GET", f"/v1/lamps{path}").status_code == 200


def test_an_unknown_parameter_is_refused_with_the_known_ones() -> None:
    (issue,) = send("list", "GET", "/v1/lamps?lamp=1").data["error"]["details"]["errors"]
    assert issue["issue"] == "Unknown parameter. Known parameters: colour, fields, limit, name, page, search."
    (issue,) = send("switch", "POST", "/v1/lamps?lamp=1").data["error"]["details"]["errors"]
    assert issue["issue"] == "This operation has no parameters."


def test_every_value_of_a_parameter_is_sent_to_the_audit_log_and_the_list() -> None:
    data = send("list", "GET", "/v1/lamps?colour=red&colour=blue&search=a").data["data"]
    assert data["sent"] == {"colour": "red,blue", "search": "a"}
    assert data["read"] == {"colour": ["red", "blue"], "search": "a"}


def test_a_page_has_its_rows_its_place_and_its_links() -> None:
    reply = send("list", "GET", "/v1/lamps?page=2&limit=10")
    assert reply.data["success"] is True
    assert reply.data["data"]["lamps"] == [{"id": 1, "name": "Desk"}, {"id": 2, "name": "Ceiling"}]
    assert reply.data["data"]["pagination"] == {"page": 2, "limit": 10, "total": 42, "pages": 5}
    assert '</v1/lamps?page=3&limit=10>; rel="next"' in reply.headers["Link"]


@pytest.mark.parametrize(
    ("page", "path", "pagination", "rels"),
    [
        (Page([LAMP, LAMP], LAST), "?limit=2&cursor=", {"limit": 2, "next_cursor": LAST.cursor}, ["first", "next"]),
        (Page([LAMP]), "?cursor=", {"limit": 20, "next_cursor": None}, ["first"]),
        (
            Page([LAMP], LAST, Total(2)),
            "?limit=1",
            {"page": 1, "limit": 1, "total": 2, "pages": 2, "next_cursor": LAST.cursor},
            None,
        ),
        (Page([LAMP], None, Total(1)), "?limit=1", {"page": 1, "limit": 1, "total": 1, "pages": 1, "next_cursor": None}, None),
        (
            Page([], None, Total(1)),
            "?offset=9",
            {"page": 1, "limit": 20, "total": 1, "pages": 1, "offset": 9, "next_cursor": None},
            None,
        ),
    ],
)
def test_a_list_by_cursor_names_the_next_cursor_on_every_page(page: Page, path: str, pagination: Any, rels: Any) -> None:
    Lamps.pages["next"] = page
    reply = send("by_cursor", "GET", f"/v1/lamps{path.replace('cursor=', f'cursor={LAST.cursor}')}")
    assert reply.data["data"]["pagination"] == pagination
    if rels:
        assert [link.partition('rel="')[2].rstrip('"') for link in reply.headers["Link"].split(", ")] == rels


def test_a_created_resource_is_201_with_its_address_and_its_warnings() -> None:
    reply = send("create", "POST", body={"name": "Floor"})
    assert (reply.status_code, reply.headers["Location"]) == (201, "/v1/lamps/3")
    assert reply.data == {
        "success": True,
        "data": {"lamp": {"id": 3, "name": "Floor"}},
        "warnings": [{"code": "dim", "message": "Dim."}],
    }


def test_a_reply_without_warnings_has_no_such_key() -> None:
    reply = send("switch", "POST")
    assert reply.status_code == 200
    assert reply.data == {"success": True, "data": {"lamp": {"id": 1, "name": "Desk"}}}


@pytest.mark.parametrize(
    ("body", "fields"),
    [({}, ["name"]), ({"name": 1}, ["name"]), ({"name": "a", "colour": "red"}, ["colour"]), ({"colour": 1}, ["colour", "name"])],
)
def test_a_body_with_wrong_or_unknown_fields_is_refused_by_name(body: Any, fields: list[str]) -> None:
    reply = send("create", "POST", body=body)
    assert reply.status_code == 400
    assert sorted(row["field"] for row in reply.data["error"]["details"]["errors"]) == fields


@pytest.mark.parametrize(
    ("action", "method", "rate_class"),
    [
        ("list", "GET", RateClass.RETRIEVAL),
        ("list", "HEAD", RateClass.RETRIEVAL),
        ("switch", "POST", RateClass.MODIFICATION),
        ("switch", "PUT", RateClass.MODIFICATION),
        ("switch", "DELETE", RateClass.MODIFICATION),
        ("shine", "GET", RateClass.ANALYTICS),
        ("shine", "POST", RateClass.ANALYTICS),
    ],
)
def test_a_request_counts_in_the_class_of_its_operation_or_method(action: str, method: str, rate_class: RateClass) -> None:
    verdict = send(action, method).verdict
    assert (verdict.rate_class, verdict.limit, verdict.remaining) == (rate_class, PER_MINUTE[rate_class], verdict.limit - 1)


def test_a_user_a_key_and_an_address_have_quotas_of_their_own() -> None:
    owner = user()
    key = Caller(id=owner.id, key_id="key_9", scopes=frozenset({"lab:read"}))
    send("list", "GET", by=owner)
    assert send("list", "GET", by=key).verdict.remaining == PER_MINUTE[RateClass.RETRIEVAL] - 1
    assert send("list", "GET", by=owner).verdict.remaining == PER_MINUTE[RateClass.RETRIEVAL] - 2
    assert send("list", "GET", by=None).verdict.remaining == PER_MINUTE[RateClass.RETRIEVAL] - 1


def test_a_refused_request_counts_too_and_is_stopped_at_the_limit(settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 0.006
    stranger = user("billing")
    assert [send("list", "GET", by=stranger).status_code for _ in range(5)] == [403, 403, 403, 429, 429]


def test_a_method_that_the_path_does_not_have_is_405_with_those_that_it_has() -> None:
    reply = send("list", "GET", by=NURSE)
    assert reply.status_code == 200
    view = Lamps.as_view({"get": "list", "post": "create"})
    refused = view(request("DELETE", "/v1/lamps", NURSE))
    assert refused.status_code == 405
    assert set(refused.headers["Allow"].split(", ")) >= {"GET", "POST"}
    assert "DELETE" not in refused.headers["Allow"]


@pytest.mark.parametrize(
    ("text", "is_filtered"), [("", False), ("page=2&limit=5", False), ("name=a", True), ("page=2&name=a", True)]
)
def test_rows_are_filtered_only_by_filters_that_were_sent(text: str, is_filtered: bool) -> None:
    view = Lamps()
    view.action, view.request = "list", Request(request("GET", f"/v1/lamps?{text}", NURSE))
    rows, was_filtered = view.filtered(KeptReply.objects.all())
    assert was_filtered is is_filtered
    assert ("WHERE" in str(rows.query)) is is_filtered


def test_a_value_that_a_filter_does_not_take_is_refused_by_name() -> None:
    view = Lamps()
    view.action, view.request = "list", Request(request("GET", "/v1/lamps?colour=green", NURSE))
    with pytest.raises(Invalid) as refusal:
        view.filtered(KeptReply.objects.all())
    assert refusal.value.details["field"] == "colour"
