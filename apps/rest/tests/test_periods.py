"""The days and instants of a period in an address."""

import pytest
from django.forms import ValidationError

from apps.rest.periods import Since, Until


@pytest.mark.parametrize("text", ["2026-W49-1", "2026-13-01", "2026-02-30", "20261201", "0", "2026-12-01T09:00:00"])
def test_a_period_begins_and_ends_only_on_days_and_instants_of_rfc_3339(text: str) -> None:
    for edge in (Since, Until):
        with pytest.raises(ValidationError, match="Write a day as YYYY-MM-DD"):
            edge().field.clean(text)


def test_a_period_includes_its_last_day() -> None:
    day = "2026-12-01"
    assert (Until().field.clean(day) - Since().field.clean(day)).total_seconds() == 24 * 3600
