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
    for path in listeners.names_for(ProbeSent.name):
        listeners.unregister(ProbeSent, path)  # with its filter, which the next test's listener of that name would get
    event._registry.pop("test.probe_sent", None)
