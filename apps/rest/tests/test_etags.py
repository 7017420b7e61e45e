"""Tags and preconditions, without a database."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from apps.common.errors import Invalid, PreconditionFailed, PreconditionRequired
from apps.rest import etags
from apps.rest.endpoint import Endpoint
from apps.rest.schema.parameters import IF_MATCH
from apps.rest.tests.callers import request, user

TAG = etags.of(b'{"id":1}')


def lamp(*, required: bool = False, **declared: Any) -> Any:
    return SimpleNamespace(endpoint=Endpoint(**declared), resource="consultation" if required else "lamp")


def act(*_: Any, **__: Any) -> Any:
    return "done"


def test_a_tag_names_the_bytes_and_the_version_of_the_row() -> None:
    assert TAG.startswith('"')
    assert TAG.endswith('"')
    assert len(TAG) == 34
    assert etags.of(b'{"id":1}') == TAG
    assert len({TAG, etags.of(b'{"id":2}'), etags.of(b'{"id":1}', 1), etags.of(b'{"id":1}', 2)}) == 4


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (TAG, True),
        (f"W/{TAG}", True),
        (f'"other", {TAG}', True),
        (f'"other",W/{TAG}', True),
        ("*", True),
        ('"other"', False),
        (TAG.strip('"'), False),
        ("", False),
        (None, False),
    ],
)
def test_a_reader_knows_the_tags_that_it_names_weakened_or_not(header: str | None, known: bool) -> None:
    headers = {} if header is None else {"HTTP_IF_NONE_MATCH": header}
    assert etags.is_known(request("GET", "/v1/lamps/1", user(), **headers), TAG) is known


@pytest.mark.parametrize(
    ("wanted", "none_match", "stale"),
    [
        ([TAG], None, ""),
        (["*"], None, ""),
        (['"old"', TAG], None, ""),
        ([], None, ""),
        (['"old"'], None, "If-Match"),
        ([f"W/{TAG}"], None, "If-Match"),
        ([], "*", "If-None-Match"),
        ([], TAG, "If-None-Match"),
        ([], '"old"', ""),
        ([TAG], TAG, "If-None-Match"),
    ],
)
def test_a_write_runs_only_on_the_version_that_it_names(wanted: list[str], none_match: str | None, stale: str) -> None:
    headers = {} if none_match is None else {"HTTP_IF_NONE_MATCH": none_match}
    sent = request("PUT", "/v1/lamps/1", user(), **headers)
    if not stale:
        etags._compare(sent, wanted, TAG)
        return
    with pytest.raises(PreconditionFailed) as refusal:
        etags._compare(sent, wanted, TAG, {"id": 1})
    assert refusal.value.details["field"] == stale
    assert refusal.value.details["current"] == {"id": 1}
    assert refusal.value.headers == {"ETag": TAG}


def test_a_stale_write_shows_nothing_where_the_resource_does_not_declare_it() -> None:
    with pytest.raises(PreconditionFailed) as refusal:
        etags._compare(request("PUT", "/v1/lamps/1", user()), ['"old"'], TAG)
    assert "current" not in refusal.value.details


@pytest.mark.parametrize(
    ("header", "tags"), [(None, []), (TAG, [TAG]), ("*", ["*"]), ('"a-b c!~"', ['"a-b c!~"']), (f'{TAG}, "b"', [TAG, '"b"'])]
)
def test_if_match_is_read_as_a_list_of_tags(header: str | None, tags: list[str]) -> None:
    headers = {} if header is None else {"HTTP_IF_MATCH": header}
    assert etags._wanted(request("PUT", "/v1/lamps/1", user(), **headers)) == tags
    assert header is None or re.fullmatch(IF_MATCH["pattern"], header)


@pytest.mark.parametrize("header", ["", "abc", "W/abc", '"a,b"'])
def test_if_match_without_a_tag_is_refused_by_name(header: str) -> None:
    assert not re.fullmatch(IF_MATCH["pattern"], header)
    with pytest.raises(Invalid) as refusal:
        etags._wanted(request("PUT", "/v1/lamps/1", user(), HTTP_IF_MATCH=header))
    assert refusal.value.details["field"] == "If-Match"


@pytest.mark.parametrize(
    ("method", "headers", "declared", "result"),
    [
        ("PUT", {}, {"etag": True}, "done"),
        ("PUT", {}, {}, "done"),
        ("POST", {"HTTP_IF_MATCH": TAG}, {}, "done"),  # it may carry the tag of the resource that it acts on
        ("POST", {"HTTP_IF_NONE_MATCH": "*"}, {"etag": True, "creates": True}, "done"),
        ("PUT", {"HTTP_IF_MATCH": TAG}, {}, PreconditionFailed),
        ("DELETE", {"HTTP_IF_NONE_MATCH": TAG}, {}, PreconditionFailed),
        ("PATCH", {"HTTP_IF_NONE_MATCH": "*"}, {}, PreconditionFailed),
    ],
)
def test_a_precondition_is_never_ignored_on_a_change(method: str, headers: dict[str, str], declared: Any, result: Any) -> None:
    view, sent = lamp(**declared), request(method, "/v1/lamps/1", user(), **headers)
    if result == "done":
        assert etags.guard(view, sent, act) is act
    else:
        with pytest.raises(result):
            etags.guard(view, sent, act)


def test_where_the_clinic_demands_if_match_a_change_without_it_is_refused(settings: Any) -> None:
    settings.HIMS_REQUIRE_IF_MATCH = ["consultation"]
    with pytest.raises(PreconditionRequired):
        etags.guard(lamp(required=True, etag=True), request("PUT", "/v1/x", user()), act)
    with pytest.raises(PreconditionRequired):  # another precondition does not replace it
        etags.guard(lamp(required=True, etag=True), request("PUT", "/v1/x", user(), HTTP_IF_NONE_MATCH='"a"'), act)
    assert etags.guard(lamp(etag=True), request("PUT", "/v1/x", user()), act) is act
    assert etags.guard(lamp(required=True, etag=True, creates=True), request("POST", "/v1/x", user()), act) is act
