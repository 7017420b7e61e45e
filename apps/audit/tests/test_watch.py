"""Who opened more charts than care explains."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.audit import tasks
from apps.audit.models import AuditEvent
from apps.audit.monitoring import unusual_access
from apps.common import clock
from apps.events.models import OutboxEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def five(settings: Any) -> None:
    settings.HIMS_UNUSUAL_READING_CHARTS = 5


def opened(user_id: UUID | None, patients: int, action: str = "chart.read", ago: int = 1, **about: Any) -> None:
    """So many patients' charts, so many minutes ago."""
    at = clock.now() - timedelta(minutes=ago)
    for _ in range(patients):
        row = {"action": action, "outcome": "success", "user_id": user_id, "patient_id": uuid4(), "at": at} | about
        AuditEvent.objects.create(**row)


def announced() -> list[tuple[str, int]]:
    rows = OutboxEvent.objects.filter(name="audit.unusual_reading").order_by("id")
    return [(row.payload["user_id"], row.payload["charts"]) for row in rows]


def test_who_opened_more_charts_than_the_set_number_is_announced_by_the_system() -> None:
    curious, usual = uuid4(), uuid4()
    opened(curious, 6)
    opened(usual, 5)
    assert unusual_access.announce_unusual_reading() == 1
    assert announced() == [(str(curious), 6)]
    row = AuditEvent.objects.get(action="audit.unusual_reading")
    assert (row.object_id, row.user_id, row.role) == (curious, None, "system")


def test_it_is_announced_once_an_hour() -> None:
    curious = uuid4()
    opened(curious, 9)
    assert [tasks.look_for_unusual_reading() for _ in range(3)] == [1, 0, 0]
    opened(curious, 1)
    assert unusual_access.announce_unusual_reading() == 0
    other = uuid4()
    opened(other, 7)
    assert unusual_access.announce_unusual_reading() == 1


def test_an_hour_later_it_is_announced_again(monkeypatch: pytest.MonkeyPatch) -> None:
    curious, now = uuid4(), clock.now()
    opened(curious, 9)
    assert unusual_access.announce_unusual_reading() == 1
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=61))
    assert unusual_access.announce_unusual_reading() == 0  # nothing was opened since
    opened(curious, 6)
    assert unusual_access.announce_unusual_reading() == 1


def test_the_same_chart_again_and_again_is_one_chart() -> None:
    opened(uuid4(), 20, patient_id=uuid4())
    assert unusual_access.announce_unusual_reading() == 0


@pytest.mark.parametrize("action", ["patient.read", "chart.read", "patient.history_read"])
def test_every_reading_of_one_patient_counts(action: str) -> None:
    opened(uuid4(), 6, action)
    assert unusual_access.announce_unusual_reading() == 1


@pytest.mark.parametrize(
    "about",
    [
        {"action": "patient.searched"},
        {"action": "patient.spread"},
        {"action": "patient.updated"},
        {"outcome": "denied"},
        {"patient_id": None},
        {"ago": 61},
    ],
)
def test_searches_writes_refusals_and_what_is_long_ago_do_not(about: dict[str, Any]) -> None:
    opened(uuid4(), 9, **about)
    assert unusual_access.announce_unusual_reading() == 0


def test_the_system_and_strangers_have_no_id() -> None:
    opened(None, 9)
    assert unusual_access.announce_unusual_reading() == 0
