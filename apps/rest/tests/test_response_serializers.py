"""Replies: one declaration for the schema and the data."""

from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.fields import SkipField

from apps.access.actor import SYSTEM
from apps.rest.response_serializers import ResponseSerializer, optional, protected
from apps.rest.rights import Permission

ADMIN, NURSE = SimpleNamespace(role="admin"), SimpleNamespace(role="nurse")


class Ward(ResponseSerializer):
    name = serializers.CharField()


class Stay(ResponseSerializer):
    expandable = ("nurse",)

    id = serializers.IntegerField()
    bed = serializers.CharField(required=False)
    ward = Ward(allow_null=True)
    doctor_id = serializers.CharField(source="attending_id")
    left_at = serializers.DateTimeField(required=False, allow_null=True)
    bed_2 = optional(serializers.CharField(source="other_bed", required=False))
    diet = optional(serializers.CharField(required=False))
    bill = protected(serializers.CharField(required=False), permission=Permission.DELIVERY_RETRY)
    reader = serializers.CharField()
    notes = Ward(many=True)
    nurse = Ward(required=False)

    @staticmethod
    def get_left_at(row: Any) -> str:
        if not row["left"]:
            raise SkipField
        return "2026-01-01"

    @staticmethod
    def get_diet(row: Any) -> str | None:
        return row["diet"] or None

    @staticmethod
    def get_reader(row: Any, by: Any) -> str:
        return f"{by.role} of bed {row['bed']}"

    @staticmethod
    def get_notes(row: Any) -> list[dict[str, str]]:
        return [{"name": f"note on {row['bed']}"}]


ROW = {
    "id": 7,
    "bed": "B2",
    "ward": {"name": "East"},
    "attending_id": "d1",
    "left": True,
    "bill": "paid",
    "other_bed": "C1",
    "diet": "soft",
}


def test_a_reply_has_the_declared_fields_in_their_order() -> None:
    shown = Stay.represent(ROW, ADMIN)
    assert list(shown.items()) == [
        ("id", 7),
        ("bed", "B2"),
        ("ward", {"name": "East"}),
        ("doctor_id", "d1"),
        ("left_at", "2026-01-01"),
        ("bed_2", "C1"),
        ("diet", "soft"),
        ("bill", "paid"),
        ("reader", "admin of bed B2"),
        ("notes", [{"name": "note on B2"}]),
    ]


def test_a_reader_without_the_permission_gets_the_reply_without_the_field() -> None:
    assert "bill" not in Stay.represent(ROW, NURSE)
    assert "bill" in Stay.represent(ROW, SYSTEM)


def test_a_field_without_a_value_is_left_out_and_an_absent_ward_is_null() -> None:
    shown = Stay.represent(ROW | {"left": False, "ward": None}, ADMIN)
    assert "left_at" not in shown
    assert shown["ward"] is None


def test_none_leaves_out_an_optional_field_and_no_other() -> None:
    shown = Stay.represent(ROW | {"other_bed": None, "diet": "", "ward": None}, ADMIN)
    assert {"bed_2", "diet"}.isdisjoint(shown)
    assert shown["ward"] is None


def test_an_optional_field_that_every_reply_must_have_is_refused() -> None:
    with pytest.raises(ValueError, match="required=False"):
        optional(serializers.CharField())


def test_a_row_of_a_table_and_a_row_of_a_prepared_list_are_shown_alike() -> None:
    assert Ward.represent(SimpleNamespace(name="East"), NURSE) == Ward.represent({"name": "East"}, NURSE) == {"name": "East"}


def test_the_data_of_the_serializer_are_the_same() -> None:
    assert Stay(ROW, context={"by": NURSE}).data == Stay.represent(ROW, NURSE)


def test_a_protected_field_that_every_reply_must_have_is_refused() -> None:
    with pytest.raises(ValueError, match="required=False"):
        protected(serializers.CharField(), permission=Permission.DELIVERY_RETRY)


def test_every_method_of_a_reply_belongs_to_a_field() -> None:
    def subclasses(kind: type) -> set[Any]:
        return {kind}.union(*(subclasses(one) for one in kind.__subclasses__()))

    strays = [
        f"{kind.__name__}.{name}"
        for kind in subclasses(ResponseSerializer)
        for name, method in vars(kind).items()
        if isinstance(method, staticmethod) and name.removeprefix("get_") not in kind._declared_fields
    ]
    assert not strays
