"""Who hears of a fact.

    @after_commit(PatientRegistered)
    def greet(event: PatientRegistered) -> None: ...

`after_commit` listeners are called by a worker, at least once. `in_step` is for the audit trail alone: it writes in the
announcing transaction and may therefore refuse it. What is slow, or worth trying for a day, comes on terms of its own:

    @after_commit(SignedInFromNewPlace, terms=Terms(queue="mail", waits=A_DAY))
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from apps.common.actor import Someone
from apps.events.event import Event

E = TypeVar("E", bound=Event)
Listener = Callable[[Any], None]
InStep = Callable[[Event, Someone, UUID], None]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The queue whose workers call a listener, and how long after each failure it is called again; then it is parked."""

    queue: str = "default"
    waits: tuple[timedelta, ...] = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))

    @property
    def attempts(self) -> int:
        return len(self.waits) + 1


USUAL = Terms()
_terms: dict[str, Terms] = {}
_after_commit: dict[str, dict[str, Listener]] = {}
_in_step: list[InStep] = []


def after_commit(fact: type[E], *, terms: Terms = USUAL) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a listener under its dotted path, which is its name in the delivery row."""

    def register(listener: Callable[[E], None]) -> Callable[[E], None]:
        path = f"{listener.__module__}.{listener.__qualname__}"
        _after_commit.setdefault(fact.name, {})[path] = listener
        _terms[path] = terms
        return listener

    return register


def in_step(listener: InStep) -> InStep:
    """Register the listener that writes in the same transaction as the fact."""
    _in_step.append(listener)
    return listener


def names_for(fact: str) -> list[str]:
    """The listeners of a fact, by name."""
    return sorted(_after_commit.get(fact, {}))


def find(fact: str, listener: str) -> Listener | None:
    """The listener, or None when this version of the code no longer has it."""
    return _after_commit.get(fact, {}).get(listener)


def terms_of(listener: str) -> Terms:
    """On which terms the listener of this name is called."""
    return _terms.get(listener, USUAL)


def run_in_step(fact: Event, by: Someone, event_id: UUID) -> None:
    """Let the trail write its row."""
    for listener in _in_step:
        listener(fact, by, event_id)


def forget(fact: type[Event], path: str) -> None:
    """Take a listener out again (tests)."""
    _after_commit.get(fact.name, {}).pop(path, None)
