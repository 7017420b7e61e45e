"""The fields of bodies: names, addresses, instants, days, times of day and ids."""

import re
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from apps.common import text
from apps.rest import sample_ids
from apps.rest.serializers import (
    ClockField,
    EmailAddressField,
    IdField,
    InstantField,
    InstantOrDayField,
    LineField,
    NameField,
    StrictSerializer,
)

ID = UUID("01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44")


def refusal(field: serializers.Field[Any, Any, Any, Any], value: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        field.run_validation(value)
    return str(refused.value.detail[0])  # type: ignore[index]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02t03:04:05z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02 03:04Z", datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456-05:00", datetime(2026, 1, 2, 8, 4, 5, 123456, UTC)),
        ("2026-01-02T03:04:05+0530", datetime(2026, 1, 1, 21, 34, 5, tzinfo=UTC)),
        ("1850-01-01T00:00:00Z", datetime(1850, 1, 1, tzinfo=UTC)),
        ("2200-12-31T23:59:59Z", datetime(2200, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_with_its_offset(written: str, instant: datetime) -> None:
    read = InstantField().run_validation(written)
    assert (read, read.utcoffset().total_seconds()) == (instant, 0)


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-02T03:04:05",
        "2026-01-02",
        "1849-12-31T23:59:59Z",
        "2201-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-02T24:01:00Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05+01:75",
        "2026-01-02T03:04:05-24:00",
        "0000-01-01T00:00:00Z",
        "2026-1-2T03:04:05Z",
        "now",
        "",
        5,
        True,
        ["2026-01-02T03:04:05Z"],
    ],
)
def test_an_instant_that_is_none_is_refused_with_an_example(written: Any) -> None:
    assert "2025-01-15T10:00:00Z" in refusal(InstantField(), written)


@pytest.mark.parametrize(
    ("written", "fits"),
    [
        ("2200-12-31T23:59:59Z", True),
        ("2026-01-02 03:04+0530", True),
        ("2200-12-31", True),
        ("2201-01-01", False),
        ("2201-01-01T00:00:00Z", False),
        ("2026-01-02T24:01:00Z", False),
        ("2026-01-02T03:04:05-24:00", False),
    ],
)
def test_the_openapi_file_states_the_form_of_an_instant(written: str, fits: bool) -> None:
    assert bool(re.fullmatch(InstantOrDayField.json_schema["pattern"], written)) == fits


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-06-01", datetime(2026, 6, 1, 4, tzinfo=UTC)),
        ("2026-12-01", datetime(2026, 12, 1, 5, tzinfo=UTC)),
        ("2026-06-01T10:00:00Z", datetime(2026, 6, 1, 10, tzinfo=UTC)),
    ],
)
def test_a_day_begins_in_the_clinics_zone(settings: Any, written: str, instant: datetime) -> None:
    settings.CLINIC_TIME_ZONE = "America/New_York"
    assert InstantOrDayField().run_validation(written) == instant


@pytest.mark.parametrize(
    "written", ["2026-02-30", "2026-06", "2026-06-01T10:00:00", "1849-12-31", "2201-01-01", "9999-12-31", 20260601]
)
def test_a_day_that_is_none_is_refused(written: Any) -> None:
    assert "YYYY-MM-DD" in refusal(InstantOrDayField(), written)


@pytest.mark.parametrize(("written", "at"), [("00:00", time(0)), ("09:05", time(9, 5)), ("23:59", time(23, 59))])
def test_a_time_of_day_is_hours_and_minutes(written: str, at: time) -> None:
    assert ClockField().run_validation(written) == at
    assert ClockField().to_representation(at) == written


@pytest.mark.parametrize("written", ["9:05", "24:00", "09:60", "09:05:00", "09:05Z", " 09:05", "٠٩:٠٥", 905])
def test_a_time_of_day_that_is_none_is_refused(written: Any) -> None:
    assert "HH:MM" in refusal(ClockField(), written)


@pytest.mark.parametrize(
    ("written", "kept"), [("josé@example.com", "josé@example.com"), ("jose\u0301@example.com", "josé@example.com")]
)
def test_an_address_is_kept_in_one_form(written: str, kept: str) -> None:
    assert EmailAddressField().run_validation(written) == kept


@pytest.mark.parametrize("written", ["", "a", "a@", "a b@example.com", "a@example.com\u200b"])
def test_an_address_that_is_none_is_refused(written: str) -> None:
    assert refusal(EmailAddressField(), written)


@pytest.mark.parametrize(
    ("field", "written", "kept"),
    [
        (LineField(), " a \n b ", "a b"),
        (LineField(allow_blank=True), "  ", ""),
        (NameField(allow_blank=True), "", ""),
        (NameField(allow_blank=True), " Ann ", "Ann"),
    ],
)
def test_a_name_is_one_line(field: Any, written: str, kept: str) -> None:
    assert field.run_validation(written) == kept


@pytest.mark.parametrize("written", ["\u200b", "\u3164"])
def test_a_name_that_only_looks_blank_is_refused(written: str) -> None:
    assert refusal(LineField(allow_blank=True), written) == text.LOOKS_BLANK


def test_a_name_of_blanks_is_refused_where_an_empty_one_is_not() -> None:
    assert refusal(NameField(allow_blank=True), "  ") == "This field may not be blank."


@pytest.mark.parametrize("written", [str(ID), str(ID).upper(), "lamp_001"])
def test_an_id_is_a_uuid_or_a_registered_name(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setattr(sample_ids, "_names", {"lamp_001": ID})
    assert IdField().run_validation(written) == ID
    assert refusal(IdField(), "lamp_002") == "Must be a valid UUID."


class Lamp(StrictSerializer):
    id = serializers.IntegerField(read_only=True)
    name = LineField()
    watts = serializers.IntegerField(required=False)


class Room(StrictSerializer):
    lamps = Lamp(many=True)
    main = Lamp(required=False)


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({"lamps": []}, {}),
        ({"lamps": [{"name": "a"}], "main": {"name": "b"}}, {}),
        ({"lamps": [{"name": "a", "id": "of any type, for it is not read"}]}, {}),
        ({}, {"lamps"}),
        ({"lamps": [{"nme": "a"}]}, {"lamps"}),
        ({"lamps": [], "main": {"name": 1}, "lmps": []}, {"main", "lmps"}),
        ({"lamps": "none"}, {"lamps"}),
    ],
)
def test_nested_bodies_are_as_strict(sent: dict[str, Any], errors: Any) -> None:
    room = Room(data=sent)
    room.is_valid()
    assert set(room.errors) == set(errors)


@pytest.mark.parametrize("sent", [[], "text", 5, None])
def test_a_body_that_is_no_object_is_refused(sent: Any) -> None:
    assert not Lamp(data=sent).is_valid()


def test_a_missing_field_is_named_next_to_an_unknown_one() -> None:
    lamp = Lamp(data={"colour": "red", "watts": "5"})
    assert not lamp.is_valid()
    assert {name: [str(one) for one in issues] for name, issues in lamp.errors.items()} == {
        "colour": ["Unknown field."],
        "watts": ["Must be a whole number, without quotes."],
        "name": ["This field is required."],
    }


class _Tag(StrictSerializer):
    name = LineField()


class _Bodies(StrictSerializer):
    title = LineField(max_length=5)
    tags = _Tag(many=True, required=False)
    words = serializers.ListField(child=LineField(), required=False)


def test_two_bodies_share_no_field_and_each_field_knows_its_own_body() -> None:
    first, second = (_Bodies(data={"title": "x"}, context={"number": number}) for number in (1, 2))
    for name in first.fields:
        assert first.fields[name] is not second.fields[name]
        assert (first.fields[name].context, second.fields[name].context) == ({"number": 1}, {"number": 2})
    words: Any = first.fields["words"]
    assert words.child.parent is words
    assert words.child.context == {"number": 1}
    tags: Any = second.fields["tags"]
    assert tags.child.fields["name"].context == {"number": 2}


def test_a_refused_body_leaves_nothing_to_the_next() -> None:
    assert not _Bodies(data={"title": "too long"}).is_valid()
    body = _Bodies(data={"title": "short"})
    assert body.is_valid()
    assert body.validated_data == {"title": "short"}
