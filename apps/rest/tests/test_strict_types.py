"""What a body's values may be: the JSON types that the OpenAPI file states, and no others."""

from decimal import Decimal
from typing import Any

import pytest
from rest_framework import serializers

from apps.rest.serializers import ClockField, IdField, InstantField, InstantOrDayField, LineField, StrictSerializer


class Body(StrictSerializer):
    flag = serializers.BooleanField(required=False)
    number = serializers.IntegerField(required=False)
    amount = serializers.DecimalField(max_digits=6, decimal_places=2, required=False)
    text = LineField(required=False, allow_null=True)
    kind = serializers.ChoiceField(choices=["a", "b"], required=False)
    day = serializers.DateField(required=False)
    at = InstantField(required=False)
    since = InstantOrDayField(required=False)
    starts = ClockField(required=False)
    id = IdField(required=False)
    texts = serializers.ListField(child=LineField(), required=False)


def refusals(**sent: Any) -> dict[str, Any]:
    body = Body(data=sent)
    return {} if body.is_valid() else dict(body.errors)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("flag", value) for value in ("off", "false", "true", 0, 1, "1", [], {})),
        *(("number", value) for value in ("5", "", True, 1.5, Decimal("1.5"), [5])),
        *(("amount", value) for value in ("1.5", True, [])),
        *(("text", value) for value in (5, True, 1.5, [], {})),
        *(("kind", value) for value in (5, True, ["a"])),
        *(("day", value) for value in ("1980-5-1", "2026-W52-2", "19800501", 19800501, "1980-05-01T00:00:00Z", "1980-02-30")),
        *(("at", value) for value in ("2026-W52-2T18:00:00Z", "20261222T180000Z", "2026-12-22", "2026-12-22T18:00:00", 5)),
        *(("starts", value) for value in ("9:00", "09:5", "09:00:00", "24:00", "noon", 900)),
        *(("since", value) for value in ("2026-W52-2", "20261222", "2026-12-22T18:00:00", 5)),
        *(("id", value) for value in (5, True, "5", ["a"])),
        *(("texts", value) for value in ("a", [5], ["a", True], {"a": "b"})),
    ],
)
def test_a_value_of_another_type_is_refused_under_its_field(name: str, value: Any) -> None:
    assert list(refusals(**{name: value})) == [name]


@pytest.mark.parametrize(
    "sent",
    [
        {"flag": False, "number": 5, "amount": Decimal("1.5"), "text": "5", "kind": "a", "texts": ["a", "5"]},
        {"number": Decimal("5.0"), "amount": 2, "text": None},
        {"day": "1980-05-01", "at": "2026-12-22T18:00:00Z", "since": "2026-12-22"},
        {"at": "2026-12-22T18:00:00.125+05:30", "since": "2026-12-22t18:00:00z"},
        {"starts": "09:05"},
        {"starts": "23:59"},
        {"id": "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44"},
    ],
)
def test_a_value_of_the_stated_type_is_taken(sent: dict[str, Any]) -> None:
    assert refusals(**sent) == {}


def test_all_errors_are_reported_at_once() -> None:
    assert set(refusals(flag="off", number=5, kind="z", colour="red", day="1980-5-1")) == {"flag", "kind", "colour", "day"}
    assert refusals(texts=["a", 5]) == {"texts": {1: "Must be text in quotes."}}
