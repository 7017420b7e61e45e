"""The fields that several lists have: yes or no, ids, days and instants."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.forms import ValidationError
from django.http import QueryDict
from django_filters import FilterSet, NumberFilter

from apps.common.errors import Invalid
from apps.rest import filters, sample_ids
from apps.rest.filters import ChoicesFilter, IdFilter, TimeRange, TimeRangeFilter, YesNoFilter
from apps.rest.models import KeptReply

ID = UUID("01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44")


class LampFilter(FilterSet):
    on = YesNoFilter()
    room = IdFilter()
    at = TimeRangeFilter()
    watts = NumberFilter(min_value=1)
    colour = ChoicesFilter(choices=[("red", "red"), ("blue", "blue")])

    class Meta:
        model = KeptReply
        fields: list[str] = []


@pytest.fixture(autouse=True)
def clinic(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CLINIC_TIME_ZONE = "America/New_York"
    monkeypatch.setattr(sample_ids, "_names", {"room_001": ID})


def read(text: str) -> dict[str, Any]:
    return filters.read(LampFilter, QueryDict(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("TRUE", True), ("True", True), ("1", True), ("false", False), ("False", False), ("0", False)],
)
def test_yes_and_no_are_read_in_every_usual_form(text: str, value: bool) -> None:
    assert read(f"on={text}") == {"on": value}


@pytest.mark.parametrize("text", ["yes", "no", "on", "2", "01", "null", "true,false", "-1", "%20true"])
def test_anything_but_yes_or_no_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(f"on={text}")
    assert refusal.value.details["errors"] == [{"field": "on", "issue": "Must be true or false."}]


@pytest.mark.parametrize("text", [str(ID), str(ID).upper(), f"%20{ID}", "room_001"])
def test_an_id_is_a_uuid_or_a_registered_name(text: str) -> None:
    assert read(f"room={text}") == {"room": ID}


@pytest.mark.parametrize("text", ["", "1", "room_002", ID.hex])
def test_an_id_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(f"room={text}")
    assert refusal.value.details["errors"] == [{"field": "room", "issue": "Must be a UUID."}]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-06-01", datetime(2026, 6, 1, 4, tzinfo=UTC), datetime(2026, 6, 2, 4, tzinfo=UTC)),
        ("2026-03-08", datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC)),  # 23 hours
        ("2026-11-01", datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC)),  # 25 hours
        ("2026-06-01T22:30:00Z", datetime(2026, 6, 1, 22, 30, tzinfo=UTC), datetime(2026, 6, 1, 22, 30, 0, 1, tzinfo=UTC)),
        ("2026-06-01T22:30-04:00", datetime(2026, 6, 2, 2, 30, tzinfo=UTC), datetime(2026, 6, 2, 2, 30, 0, 1, tzinfo=UTC)),
    ],
)
def test_a_day_is_the_clinics_and_an_instant_is_one_microsecond(text: str, start: datetime, end: datetime) -> None:
    assert read(f"at={text}") == {"at": TimeRange(start, end)}


@pytest.mark.parametrize("text", ["", "2026-02-30", "2026-06-01T22:30:00", "20260601", "noon", "2026-06"])
def test_a_day_or_instant_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(f"at={text}")
    assert refusal.value.details["field"] == "at"


def test_a_day_of_a_clinic_in_the_east_begins_on_the_day_before_in_utc(settings: Any) -> None:
    settings.CLINIC_TIME_ZONE = "Asia/Tokyo"
    day = TimeRange(datetime(2026, 5, 31, 15, tzinfo=UTC), datetime(2026, 6, 1, 15, tzinfo=UTC))
    assert read("at=2026-06-01") == {"at": day}


def test_only_what_was_sent_is_read_and_every_wrong_value_is_named() -> None:
    assert read("") == read("something_else=1") == {}
    with pytest.raises(Invalid) as refusal:
        read("on=maybe&room=x&watts=0&colour=red")
    assert [row["field"] for row in refusal.value.details["errors"]] == ["on", "room", "watts"]


@pytest.mark.parametrize("field", [filters.YesNoFormField(), filters.IdFormField(), filters.TimeRangeFormField()])
def test_a_parameter_that_was_not_sent_has_no_value(field: Any) -> None:
    assert field.clean(None) is None
    with pytest.raises(ValidationError):
        field.clean("neither")


def test_a_list_of_choices_filters_only_if_it_was_sent() -> None:
    rows, one = KeptReply.objects.all(), ChoicesFilter(field_name="request_id", choices=[("red", "red")])
    assert one.filter(rows, []) is rows
    assert "IN" in str(one.filter(rows, ["red"]).query)
