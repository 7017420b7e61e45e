from datetime import UTC, date, datetime
from typing import Any

import pytest

from apps.common import clinic_times


@pytest.fixture(autouse=True)
def in_los_angeles(settings: Any) -> None:
    settings.CLINIC_TIME_ZONE = "America/Los_Angeles"


def test_a_moment_is_written_in_the_clinics_time() -> None:
    assert clinic_times.moment(datetime(2026, 12, 1, 2, 5, tzinfo=UTC)) == "Mon 30 Nov 2026, 18:05"


def test_a_day_is_written_as_it_is_and_an_instant_as_its_day_in_the_clinic() -> None:
    assert clinic_times.day(date(2026, 12, 1)) == "1 Dec 2026"
    assert clinic_times.day(datetime(2026, 12, 1, 2, 5, tzinfo=UTC)) == "30 Nov 2026"


def test_a_time_that_occurs_twice_names_its_zone() -> None:
    once, twice, again = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (7, 8, 9))
    assert [clinic_times.clock_time(at) for at in (once, twice, again)] == ["00:30", "01:30 PDT", "01:30 PST"]
