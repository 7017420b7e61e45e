from datetime import UTC, date, datetime

import pytest
import time_machine

from apps.common import clock


def test_now_is_aware_and_in_utc() -> None:
    assert clock.now().utcoffset() == datetime.now(UTC).utcoffset()


@pytest.mark.parametrize(
    ("instant", "today"),
    [
        ("2026-03-09T06:59:00Z", date(2026, 3, 8)),  # 23:59 of the day the clocks went forward
        ("2026-03-09T07:01:00Z", date(2026, 3, 9)),
        ("2026-11-02T07:59:00Z", date(2026, 11, 1)),
        ("2026-11-02T08:00:00Z", date(2026, 11, 2)),
    ],
)
def test_today_is_the_clinics_day(settings: object, instant: str, today: date) -> None:
    settings.CLINIC_TIME_ZONE = "America/Los_Angeles"  # type: ignore[attr-defined]
    with time_machine.travel(datetime.fromisoformat(instant), tick=False):
        assert clock.today() == today
