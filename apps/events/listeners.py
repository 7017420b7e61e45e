"""Registers the listeners of events.

    @after_commit(PatientRegistered)
    def greet(event: PatientRegistered) -> None: ...

A worker calls `after_commit` listeners at least once. `synchronous` is only for the audit log: its row is written in the emitting
transaction, by the statement that writes the outbox row, and the listener may therefore refuse the change. A slow listener, or
one worth retrying for a day, has its own policy:

    @after_commit(SignedInFromNewPlace, policy=RetryPolicy(queue="mail", backoff=A_DAY))

Most events concern only some of their listeners. A listener whose filter excludes an event gets no delivery, and an event that
concerns no listener starts no task:

    @after_commit(AppointmentUpdated, when=lambda event: event.left_at is not None)
"""

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from apps.common.actor import AuditActor
from apps.common.prepared import SqlFragment
from apps.events.event import Event

E = TypeVar("E", bound=Event)
Listener = Callable[[Any], None]
SynchronousListener = Callable[[Event, AuditActor, UUID], SqlFragment | None]
Filter = Callable[[Any], bool]
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """The queue whose workers call a listener, and the delay after each failure; after the last one the delivery is
    dead-lettered.

    `shared` allows a batch of deliveries to share one transaction. It is for listeners that only insert rows: if one of the batch
    fails, all of it is rolled back and each delivery runs again by itself, so a listener that sends mail must not use it.

    `asynchronous_commit` does not wait until the end of a delivery is on disk. A crash of PostgreSQL within a second runs the
    delivery again, as does the death of a worker at any time. It is for work that may be done twice, such as a mail.
    """

    queue: str = "default"
    shared: bool = False
    asynchronous_commit: bool = False
    backoff: tuple[timedelta, ...] = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))

    @property
    def attempts(self) -> int:
        return len(self.backoff) + 1


DEFAULT_POLICY = RetryPolicy()
SHARED_TRANSACTION = RetryPolicy(shared=True)
_policies: dict[str, RetryPolicy] = {}
_filters: dict[str, Filter] = {}
_after_commit: dict[str, dict[str, Listener]] = {}
_synchronous: list[SynchronousListener] = []


def after_commit(
    fact: type[E], *, policy: RetryPolicy = DEFAULT_POLICY, when: Callable[[E], bool] | None = None
) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Registers a listener under its dotted path, which is its name in the delivery row.

    `when` is called within the request that emits the event, and again by the relay. It decides from the event, the clock and the
    settings alone, without a query. The event has its `announced_at` and `announced_by`.
    """

    def register(listener: Callable[[E], None]) -> Callable[[E], None]:
        path = f"{listener.__module__}.{listener.__qualname__}"
        _after_commit.setdefault(fact.name, {})[path] = listener
        _policies[path] = policy
        if when is not None:
            _filters[path] = when
        return listener

    return register


def synchronous(listener: SynchronousListener) -> SynchronousListener:
    """Registers a listener that returns an INSERT, which `emit` runs together with that of the outbox row, or None."""
    _synchronous.append(listener)
    return listener


def names_for(fact: str) -> list[str]:
    """Returns the listeners of an event, by name."""
    return sorted(_after_commit.get(fact, {}))


def filters_exist(fact: str) -> bool:
    """Returns whether any listener of the event has a filter."""
    return any(path in _filters for path in _after_commit.get(fact, ()))


def interested_listeners(fact: Event) -> list[str]:
    """Returns the listeners, by name, that have work to do for an event with `announced_at` and `announced_by`."""
    return [path for path in names_for(fact.name) if path not in _filters or _passes(fact, path)]


def interested_at_emit(fact: Event, *, event_id: UUID, by: UUID | None, at: datetime) -> list[str]:
    """The same for an event that is being emitted. The caller's own event stays unchanged."""
    if not filters_exist(fact.name):
        return names_for(fact.name)
    announced = copy.copy(fact)
    vars(announced).update(event_id=event_id, announced_at=at, announced_by=by)
    return interested_listeners(announced)


def _passes(fact: Event, path: str) -> bool:
    try:
        return _filters[path](fact)
    except (
        Exception
    ):  # a filter that fails must not refuse the change: the listener runs, and fails where an administrator sees it
        log.exception("the filter of %s failed", path)
        return True


def find(fact: str, listener: str) -> Listener | None:
    """Returns the listener, or None if this version of the code no longer has it."""
    return _after_commit.get(fact, {}).get(listener)


def policy_of(listener: str) -> RetryPolicy:
    """Returns the policy of the listener with this name."""
    return _policies.get(listener, DEFAULT_POLICY)


def synchronous_rows(fact: Event, by: AuditActor, event_id: UUID) -> list[SqlFragment]:
    """Returns the INSERTs of the synchronous listeners: the audit row."""
    inserts = [listener(fact, by, event_id) for listener in _synchronous]
    return [insert for insert in inserts if insert is not None]


def unregister(fact: type[Event], path: str) -> None:
    """Unregisters a listener (tests)."""
    _after_commit.get(fact.name, {}).pop(path, None)
    _filters.pop(path, None)
    _policies.pop(path, None)
