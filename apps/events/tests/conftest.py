"""A fact that only the tests know, and only while one runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from apps.events import event, listeners
from apps.events.event import Event


@dataclass(frozen=True)
class Nurse:
    """An actor."""

    id: UUID | None = None
    role: str = "nurse"


@pytest.fixture
def probe() -> Iterator[type[Event]]:
    """A patient rang the bell."""

    @dataclass(frozen=True, kw_only=True)
    class ProbeSent(Event, name="test.probe_sent"):
        number: int = 1

    yield ProbeSent
    listeners._after_commit.pop("test.probe_sent", None)
    event._registry.pop("test.probe_sent", None)
