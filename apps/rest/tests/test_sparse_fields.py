"""`fields` and `expand`, against a view of these tests."""

from collections.abc import Collection, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.http import QueryDict
from rest_framework import serializers

from apps.common.errors import Forbidden, Invalid
from apps.rest import sparse_fields
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.permissions import MissingScope
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.sparse_fields import Expansion, FieldSelection
from apps.rest.tests.callers import LampPermission, api_key, user

ANNA = uuid4()
loads: list[Collection[UUID]] = []


def owners(_: Any, ids: Collection[UUID]) -> Mapping[UUID, Any]:
    loads.append(ids)
    return {one: {"name": "Anna"} for one in ids if one == ANNA}


class Bulb(ResponseSerializer):
    watts = serializers.IntegerField()
    socket = serializers.CharField()


class LampResponse(ResponseSerializer):
    id = serializers.IntegerField()
    owner_id = serializers.UUIDField()
    bulb = Bulb()
    spares = Bulb(many=True)
    owner = Bulb(required=False)


class Lamps:
    expands: Mapping[str, Expansion] = {"owner": Expansion(of="owner_id", permission=LampPermission.OWNER_VIEW, load=owners)}
    resource, data_key = "lamp", None

    def __init__(self, text: str = "", by: Any = None) -> None:
        self.request, self.by = SimpleNamespace(query_params=QueryDict(text)), by or user()
        self.endpoint = Lamps.list.endpoint  # type: ignore[attr-defined]
        self.selection: FieldSelection | None = None

    @endpoint(permission=PUBLIC, response=LampResponse)
    def list(self) -> None: ...

    @endpoint(permission=PUBLIC, file="application/pdf")
    def print(self) -> None: ...


@pytest.mark.parametrize(
    ("text", "fields", "expand"),
    [
        ("fields=id", {"id": {}}, ()),
        ("fields=id,bulb", {"id": {}, "bulb": {}}, ()),
        ("fields=id&fields=bulb", {"id": {}, "bulb": {}}, ()),
        ("fields=id, bulb", {"id": {}, "bulb": {}}, ()),
        ("fields=bulb.watts", {"bulb": {"watts": {}}}, ()),
        ("fields=bulb.watts,bulb.socket", {"bulb": {"watts": {}, "socket": {}}}, ()),
        ("fields=bulb.watts,bulb", {"bulb": {}}, ()),
        ("fields=bulb,bulb.watts", {"bulb": {}}, ()),
        ("fields=spares.watts", {"spares": {"watts": {}}}, ()),
        ("expand=owner", {}, ("owner",)),
        ("fields=id&expand=owner", {"id": {}, "owner": {}}, ("owner",)),
    ],
)
def test_a_caller_selects_keys_and_objects(text: str, fields: Any, expand: tuple[str, ...]) -> None:
    selection = sparse_fields.read(Lamps(text))
    assert selection is not None
    assert (selection.expand, set(selection.fields)) == (expand, set(fields))
    shown = sparse_fields.select({"id": 1, "bulb": {"watts": 5, "socket": "E27"}, "owner": {"name": "A"}}, selection.fields)
    expected = sparse_fields.select({"id": 1, "bulb": {"watts": 5, "socket": "E27"}, "owner": {"name": "A"}}, fields)
    assert shown == expected


def test_without_the_parameters_nothing_is_selected() -> None:
    assert sparse_fields.read(Lamps("")) is None


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("fields=nothing", "fields"),
        ("fields=id,nothing", "fields"),
        ("fields=bulb.nothing", "fields"),
        ("fields=id.watts", "fields"),
        ("fields=", "fields"),
        ("fields=id,", "fields"),
        ("fields=Id", "fields"),
        ("expand=bulb", "expand"),
        ("expand=", "expand"),
        ("expand=owner&expand=bulb", "expand"),
    ],
)
def test_a_name_that_is_not_declared_is_refused_with_those_that_are(text: str, parameter: str) -> None:
    with pytest.raises(Invalid) as refusal:
        sparse_fields.read(Lamps(text))
    assert refusal.value.details["field"] == parameter
    assert ("owner" if parameter == "expand" else "bulb.watts") in refusal.value.details["issue"]


def test_an_unknown_name_is_repeated_only_in_part() -> None:
    with pytest.raises(Invalid) as refusal:
        sparse_fields.read(Lamps(f"fields={'x' * 5_000}"))
    assert "x" * 40 in refusal.value.details["issue"]
    assert "x" * 41 not in refusal.value.details["issue"]


def test_an_object_that_the_caller_may_not_see_is_not_expanded() -> None:
    with pytest.raises(Forbidden) as refusal:
        sparse_fields.read(Lamps("expand=owner", user("nurse")))
    assert refusal.value.details["field"] == "expand"
    with pytest.raises(MissingScope):
        sparse_fields.read(Lamps("expand=owner", api_key("lab:read")))
    assert sparse_fields.read(Lamps("expand=owner", api_key("patients:read")))


@pytest.mark.parametrize(
    ("tree", "row", "shown"),
    [
        ({}, {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ({"b": {}, "a": {}}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2}),
        ({"a": {"b": {}}}, {"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}),
        ({"a": {"b": {}}}, {"a": [{"b": 1, "c": 2}, {"b": 3}]}, {"a": [{"b": 1}, {"b": 3}]}),
        ({"a": {"b": {}}}, {"a": None}, {"a": None}),
        ({"a": {}}, [{"a": 1, "b": 2}, {"b": 3}], [{"a": 1}, {}]),
        ({"a": {"b": {}}}, {"a": []}, {"a": []}),
    ],
)
def test_a_row_shows_the_selected_keys_in_its_own_order(tree: Any, row: Any, shown: Any) -> None:
    selected = sparse_fields.select(row, tree)
    assert selected == shown
    if isinstance(shown, dict):
        assert list(selected) == list(shown)


def test_all_rows_are_expanded_by_one_query_and_unknown_ids_are_null() -> None:
    loads.clear()
    view, other = Lamps(), uuid4()
    view.selection = FieldSelection({}, ("owner",))
    rows: list[dict[str, Any]] = [{"owner_id": ANNA}, {"owner_id": other}, {"owner_id": ANNA}, {"owner_id": None}, {}]
    sparse_fields.expand(view, rows)
    assert [row["owner"] for row in rows] == [{"name": "Anna"}, None, {"name": "Anna"}, None, None]
    assert loads == [{ANNA, other}]


def test_where_no_row_has_an_id_nothing_is_loaded() -> None:
    loads.clear()
    view = Lamps()
    view.selection = FieldSelection({}, ("owner",))
    rows: list[dict[str, Any]] = [{"owner_id": None}]
    sparse_fields.expand(view, rows)
    assert (rows, loads) == ([{"owner_id": None, "owner": None}], [])


@pytest.mark.parametrize(
    ("action", "method", "offered"),
    [
        ("list", "GET", {"fields", "expand"}),
        ("list", "HEAD", {"fields", "expand"}),
        ("list", "POST", set()),
        ("print", "GET", set()),
        ("forgotten", "GET", set()),
    ],
)
def test_only_a_read_with_a_declared_reply_offers_them(action: str, method: str, offered: set[str]) -> None:
    assert sparse_fields.parameters_of(Lamps(), action, method) == offered


def test_a_view_without_expansions_offers_fields_alone() -> None:
    view = Lamps()
    view.expands = {}
    assert sparse_fields.parameters_of(view, "list", "GET") == {"fields"}


@pytest.mark.parametrize(
    ("data_key", "data", "resource"),
    [(None, {"lamp": 1}, 1), ("light", {"light": 2}, 2), ("", {"id": 3}, {"id": 3}), (None, {}, None)],
)
def test_the_resource_is_found_under_its_key(data_key: str | None, data: Any, resource: Any) -> None:
    assert sparse_fields.resource_in(SimpleNamespace(data_key=data_key, resource="lamp"), data) == resource
