"""What an API key may see of a reply, against shapes of these tests."""

from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework import serializers

from apps.rest import disclosure
from apps.rest.disclosure import Redaction
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.tests.callers import LampPermission, api_key, user

READS, OWNS = "lab:read", "patients:read"


class Owner(ResponseSerializer):
    reads = LampPermission.OWNER_VIEW
    id = serializers.IntegerField()
    name = serializers.CharField()


class Bulb(ResponseSerializer):
    watts = serializers.IntegerField()


class Lamp(ResponseSerializer):
    parts = {"owner_name": LampPermission.OWNER_VIEW}
    id = serializers.IntegerField()
    owner_name = serializers.CharField()
    owner = Owner()
    friends = Owner(many=True)
    bulb = Bulb()


class Sale(ResponseSerializer):
    reads = LampPermission.LAMP_SELL  # no scope: no key ever reads it
    id = serializers.IntegerField()


class Lamps:
    resource, plural, data_key = "lamp", "lamps", None

    def __init__(self, by: Any, action: str = "retrieve", method: str = "GET") -> None:
        self.request = SimpleNamespace(_user=by, method=method)
        self.action = action
        self.endpoint = getattr(self, action).endpoint

    @endpoint(permission=LampPermission.LAMP_VIEW, response=Lamp)
    def list(self) -> None: ...

    @endpoint(permission=LampPermission.LAMP_VIEW, response=Lamp)
    def retrieve(self) -> None: ...

    @endpoint(permission=LampPermission.LAMP_SWITCH, response=Lamp)
    def update(self) -> None: ...

    @endpoint(permission=LampPermission.LAMP_SWITCH)
    def destroy(self) -> None: ...


class WriteOnly:
    @endpoint(permission=LampPermission.LAMP_SWITCH, response=Lamp)
    def create(self) -> None: ...

    @endpoint(permission=PUBLIC, response=Lamp)
    def announce(self) -> None: ...

    @endpoint(permission=LampPermission.LAMP_SWITCH, response=Owner)
    def own(self) -> None: ...


ROW = {
    "id": 1,
    "owner_name": "Anna",
    "owner": {"id": 7, "name": "Anna"},
    "friends": [{"id": 8, "name": "Bea"}],
    "bulb": {"watts": 5},
}
REDUCED = {"id": 1, "owner": {"id": 7}, "friends": [{"id": 8}], "bulb": {"watts": 5}}


@pytest.mark.parametrize(
    ("by", "method", "action", "shown"),
    [
        (user(), "GET", "retrieve", ROW),
        (user("nurse"), "PUT", "update", ROW),
        (None, "GET", "retrieve", ROW),
        (api_key(READS, OWNS), "GET", "retrieve", ROW),
        (api_key(READS), "GET", "retrieve", REDUCED),
        (api_key(READS), "HEAD", "retrieve", REDUCED),
        (api_key("lab:write"), "PUT", "update", {"id": 1}),
        (api_key("lab:write", OWNS), "PUT", "update", {"id": 1}),
        (api_key("lab:write", READS), "PUT", "update", REDUCED),
        (api_key("lab:write", READS, OWNS), "PUT", "update", ROW),
    ],
)
def test_a_key_sees_what_its_scopes_allow(by: Any, method: str, action: str, shown: Any) -> None:
    assert disclosure.visible_data(Lamps(by, action, method), {"lamp": ROW}) == {"lamp": shown}


def test_each_row_of_a_page_is_reduced_and_what_is_next_to_them_stays() -> None:
    page = {"lamps": [ROW, ROW], "pagination": {"page": 1}}
    shown = disclosure.visible_data(Lamps(api_key(READS), "list"), page)
    assert shown == {"lamps": [REDUCED, REDUCED], "pagination": {"page": 1}}


def test_data_that_are_the_resource_itself_are_reduced_too() -> None:
    view = Lamps(api_key(READS))
    view.data_key = ""  # type: ignore[assignment]
    assert disclosure.visible_data(view, ROW) == REDUCED
    view.data_key = "light"  # type: ignore[assignment]
    assert disclosure.visible_data(view, {"light": ROW, "count": 1}) == {"light": REDUCED, "count": 1}


@pytest.mark.parametrize("data", [{"merged": True}, {}, None, "text"])
def test_data_without_the_resource_are_left_as_they_are(data: Any) -> None:
    assert disclosure.visible_data(Lamps(api_key(READS)), data) == data


@pytest.mark.parametrize(
    ("redaction", "value", "shown"),
    [
        (Redaction(), {"a": 1}, {"a": 1}),
        (Redaction(to_ids=True), {"id": 1, "patient_id": 2, "name": "A"}, {"id": 1}),
        (Redaction(to_ids=True), {"patient_id": 2, "doctor_id": 3, "name": "A"}, {"patient_id": 2, "doctor_id": 3}),
        (Redaction(to_ids=True), {"name": "A"}, {}),
        (Redaction(to_ids=True), [{"id": 1, "a": 2}], [{"id": 1}]),
        (Redaction(to_ids=True), ({"id": 1, "a": 2},), [{"id": 1}]),
        (Redaction(to_ids=True), None, None),
        (Redaction(dropped=frozenset({"a"})), {"a": 1, "b": 2}, {"b": 2}),
        (Redaction(within=(("a", Redaction(dropped=frozenset({"c"}))),)), {"a": {"c": 1, "d": 2}}, {"a": {"d": 2}}),
        (Redaction(within=(("a", Redaction(to_ids=True)),)), {"a": [{"id": 1, "d": 2}], "b": 3}, {"a": [{"id": 1}], "b": 3}),
        (Redaction(within=(("a", Redaction(to_ids=True)),)), {"a": None}, {"a": None}),
    ],
)
def test_a_redaction_removes_exactly_what_it_names(redaction: Redaction, value: Any, shown: Any) -> None:
    assert redaction.of(value) == shown


@pytest.mark.parametrize(
    ("redaction", "removes"),
    [
        (Redaction(), False),
        (Redaction(to_ids=True), True),
        (Redaction(dropped=frozenset({"a"})), True),
        (Redaction(within=(("a", Redaction(to_ids=True)),)), True),
    ],
)
def test_a_redaction_that_removes_nothing_is_false(redaction: Redaction, removes: bool) -> None:
    assert bool(redaction) is removes


def test_a_shape_without_restricted_parts_is_not_redacted() -> None:
    assert not disclosure.redaction_of(Bulb, frozenset())
    assert disclosure.redaction_of(Lamp, frozenset({OWNS})) == Redaction()


def test_a_shape_that_no_key_may_read_shows_every_key_the_id_alone() -> None:
    assert disclosure.redaction_of(Sale, frozenset({READS, OWNS})) == Redaction(to_ids=True)


@pytest.mark.parametrize(
    ("view", "action", "need"),
    [
        (Lamps, "update", LampPermission.LAMP_VIEW),
        (Lamps, "destroy", LampPermission.LAMP_VIEW),
        (WriteOnly, "create", LampPermission.LAMP_SWITCH),
        (WriteOnly, "own", LampPermission.OWNER_VIEW),
        (WriteOnly, "announce", None),
        (WriteOnly, None, None),
    ],
)
def test_a_write_shows_what_a_read_of_the_resource_shows(view: Any, action: str | None, need: Any) -> None:
    assert disclosure.permission_to_read(view, action) is need


@pytest.mark.parametrize(
    ("by", "need", "allowed"),
    [
        (user(), LampPermission.LAMP_VIEW, True),
        (None, LampPermission.LAMP_VIEW, True),
        (api_key(), None, True),
        (api_key(), LampPermission.LAMP_VIEW, False),
        (api_key(READS), LampPermission.LAMP_VIEW, True),
        (api_key(READS), LampPermission.LAMP_SELL, False),
    ],
)
def test_only_a_key_needs_a_scope(by: Any, need: Any, allowed: bool) -> None:
    assert disclosure.may_see(by, need) is allowed


DETAILS = {
    "reason": "slot_taken",
    "errors": [{"field": "a", "issue": "b"}],
    "allowed": ["on", "off"],
    "current": {"id": 1},
    "alternatives": ({"at": "noon"}, "later"),
    "kit_patients": [{"id": 7}],
}


@pytest.mark.parametrize(
    ("scopes", "hidden"),
    [
        ((READS, OWNS), set()),
        ((READS,), {"kit_patients"}),
        ((OWNS,), {"current", "alternatives"}),
        ((), {"current", "alternatives", "kit_patients"}),
    ],
)
def test_the_details_of_a_refusal_show_no_record_that_the_key_may_not_read(
    scopes: tuple[str, ...], hidden: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disclosure, "_records", {})
    disclosure.register_records(LampPermission.OWNER_VIEW, "kit_patients")
    view = Lamps(api_key(*scopes), "update", "PUT")
    assert set(DETAILS) - set(disclosure.details(view, DETAILS)) == hidden
    (warning,) = disclosure.warnings(view, [DETAILS])
    assert set(DETAILS) - set(warning) == hidden
    assert disclosure.details(Lamps(user(), "update", "PUT"), DETAILS) == DETAILS
