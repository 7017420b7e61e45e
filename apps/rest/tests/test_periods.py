"""The days and instants of a period in an address."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.forms import ValidationError

from apps.common.errors import Invalid
from apps.rest import periods
from apps.rest.periods import Since, Until

MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize("text", ["2026-W49-1", "2026-13-01", "2026-02-30", "20261201", "0", "2026-12-01T09:00:00", "9" * 41])
def test_a_period_begins_and_ends_only_on_days_and_instants_of_rfc_3339(text: str) -> None:
    for edge in (Since, Until):
        with pytest.raises(ValidationError):
            edge().field.clean(text)


def test_the_refusal_of_a_day_states_its_form() -> None:
    with pytest.raises(ValidationError, match="Write a day as YYYY-MM-DD"):
        Since().field.clean("2026-13-01")


def test_the_last_day_of_the_calendar_has_no_end() -> None:
    assert Since().field.clean("9999-12-31")
    with pytest.raises(ValidationError):
        Until().field.clean("9999-12-31")


def test_a_period_includes_its_last_day() -> None:
    day = "2026-12-01"
    assert (Until().field.clean(day) - Since().field.clean(day)).total_seconds() == 24 * 3600


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("2026-06-01", datetime(2026, 6, 1, 4, tzinfo=UTC), datetime(2026, 6, 2, 4, tzinfo=UTC)),
        ("2026-03-08", datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC)),
        ("2026-06-01T10:00:00Z", datetime(2026, 6, 1, 10, tzinfo=UTC), datetime(2026, 6, 1, 10, tzinfo=UTC) + MICROSECOND),
        ("2026-06-01T10:00:00+02:00", datetime(2026, 6, 1, 8, tzinfo=UTC), datetime(2026, 6, 1, 8, tzinfo=UTC) + MICROSECOND),
    ],
)
def test_a_day_is_the_clinics_and_an_instant_is_included(settings: Any, text: str, first: datetime, end: datetime) -> None:
    settings.CLINIC_TIME_ZONE = "America/New_York"
    assert (Since().field.clean(text), Until().field.clean(text)) == (first, end)


@pytest.mark.parametrize("text", [None, ""])
def test_a_period_may_be_open(text: str | None) -> None:
    assert Since(required=False).field.clean(text) is None


NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "refused"),
    [
        (None, None, False),
        (NOON, None, False),
        (None, NOON, False),
        (NOON, NOON + MICROSECOND, False),
        (NOON, NOON, True),
        (NOON, NOON - timedelta(days=1), True),
    ],
)
def test_a_period_that_ends_before_it_begins_is_refused(since: Any, until: Any, refused: bool) -> None:
    if not refused:
        periods.check(since, until)
        return
    with pytest.raises(Invalid) as refusal:
        periods.check(since, until)
    assert refusal.value.details["field"] == "date_to"
