"""A fact and its listener for tests with real workers, who load this module with `--include`.

The listener writes a line to a file, as a webhook's receiver would: what is there was heard, whatever a rollback undid.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.db import connections

from apps.access.actor import SYSTEM
from apps.events import event, listeners, relay
from apps.events.event import Event
from apps.events.services import emit

NAME = "test.probe_sent"
FILE_VARIABLE = "HIMS_TEST_PROBE_FILE"  # the file
SECONDS_VARIABLE = "HIMS_TEST_PROBE_SECONDS"  # seconds that listening takes


def write_to_file(fact: Event) -> None:
    """Write the bed down, slowly, so that a worker can be killed in the middle."""
    line = os.open(os.environ[FILE_VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(line, f"{fact.number}\n".encode())  # type: ignore[attr-defined]
    os.close(line)
    time.sleep(float(os.environ[SECONDS_VARIABLE]))


def register() -> type[Event]:
    """Make the fact known, and who listens."""

    @dataclass(frozen=True, kw_only=True)
    class ProbeSent(Event, name=NAME):
        number: int

    listeners.after_commit(ProbeSent)(write_to_file)
    return ProbeSent


@contextmanager
def registered() -> Iterator[None]:
    """The bell, for the length of a test."""
    register()
    try:
        yield
    finally:
        listeners.unregister(event.named(NAME), f"{write_to_file.__module__}.{write_to_file.__qualname__}")
        event._registry.pop(NAME)


def send_probe(number: int) -> None:
    """Announce that the bell of a bed rang; to be called in a transaction."""
    emit(event.named(NAME)(number=number), by=SYSTEM)  # type: ignore[call-arg]


def received(path: Path) -> list[int]:
    """The beds that were heard, in order, again and again where heard again."""
    return [int(line) for line in path.read_text().split()] if path.exists() else []


if FILE_VARIABLE in os.environ:  # in a worker
    relay.LEASE = timedelta(seconds=2)
    connections["default"].settings_dict["CONN_MAX_AGE"] = 600  # as outside of tests
    register()
