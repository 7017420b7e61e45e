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

NAME = "test.ward_bell_rang"
HEARD_IN = "HIMS_TEST_HEARD_IN"  # the file
TAKES = "HIMS_TEST_TAKES"  # seconds that listening takes


def hear(fact: Event) -> None:
    """Write the bed down, slowly, so that a worker can be killed in the middle."""
    line = os.open(os.environ[HEARD_IN], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(line, f"{fact.bed}\n".encode())  # type: ignore[attr-defined]
    os.close(line)
    time.sleep(float(os.environ[TAKES]))


def hang_up() -> type[Event]:
    """Make the fact known, and who listens."""

    @dataclass(frozen=True, kw_only=True)
    class WardBellRang(Event, name=NAME):
        bed: int

    listeners.after_commit(WardBellRang)(hear)
    return WardBellRang


@contextmanager
def hung_up() -> Iterator[None]:
    """The bell, for the length of a test."""
    hang_up()
    try:
        yield
    finally:
        listeners.forget(event.named(NAME), f"{hear.__module__}.{hear.__qualname__}")
        event._registry.pop(NAME)


def ring(bed: int) -> None:
    """Announce that the bell of a bed rang; to be called in a transaction."""
    emit(event.named(NAME)(bed=bed), by=SYSTEM)  # type: ignore[call-arg]


def heard(path: Path) -> list[int]:
    """The beds that were heard, in order, again and again where heard again."""
    return [int(line) for line in path.read_text().split()] if path.exists() else []


if HEARD_IN in os.environ:  # in a worker
    relay.LEASE = timedelta(seconds=2)
    connections["default"].settings_dict["CONN_MAX_AGE"] = 600  # as outside of tests
    hang_up()
