"""A fact that only the tests know, and only while one runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from apps.events import event, listeners
from apps.events.event import Event


@dataclass(frozen=True)
class Nurse:
    """Somebody who acts."""

    id: UUID | None = None
    role: str = "nurse"


@pytest.fixture
def bell() -> Iterator[type[Event]]:
    """A patient rang the bell."""

    @dataclass(frozen=True, kw_only=True)
    class BellRang(Event, name="test.bell_rang"):
        bed: int = 1

    yield BellRang
    listeners._after_commit.pop("test.bell_rang", None)
    event._registry.pop("test.bell_rang", None)
