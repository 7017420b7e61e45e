"""Who hears of a fact.

    @after_commit(PatientRegistered)
    def greet(event: PatientRegistered) -> None: ...

`after_commit` listeners are called by a worker, at least once. `synchronous` is for the audit trail alone: it writes in the
announcing transaction and may therefore refuse it. What is slow, or worth trying for a day, comes on terms of its own:

    @after_commit(SignedInFromNewPlace, policy=RetryPolicy(queue="mail", backoff=A_DAY))

Most facts concern only some of their listeners. A listener that names a filter gets no delivery, and a fact that concerns no
listener starts no task:

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
from apps.events.event import Event

E = TypeVar("E", bound=Event)
Listener = Callable[[Any], None]
SynchronousListener = Callable[[Event, AuditActor, UUID], None]
Filter = Callable[[Any], bool]
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """The queue whose workers call a listener, and how long after each failure it is called again; then it is parked.

    `shared` allows a batch of deliveries to share one transaction. It is for listeners that only insert rows: if one of the batch
    fails, all of it is rolled back and each delivery runs again by itself, so a mail must never be sent on these terms.

    `asynchronous_commit` does not wait until the disk has the end of a delivery. A crash of PostgreSQL within a second after it
    runs the delivery again, as does the death of a worker at any time. It is for what does no harm twice, such as a mail.
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
    """Register a listener under its dotted path, which is its name in the delivery row.

    `when` is asked within the request that announces the fact, and again by the relay. It answers from the fact, the clock and
    the settings alone, without a query. The fact has its `announced_at` and `announced_by`.
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
    """Register the listener that writes in the same transaction as the fact."""
    _synchronous.append(listener)
    return listener


def names_for(fact: str) -> list[str]:
    """The listeners of a fact, by name."""
    return sorted(_after_commit.get(fact, {}))


def filters_exist(fact: str) -> bool:
    """Whether any listener of the fact has a filter."""
    return any(path in _filters for path in _after_commit.get(fact, ()))


def interested_listeners(fact: Event) -> list[str]:
    """The listeners, by name, that have work to do for a fact that knows when and by whom it was announced."""
    return [path for path in names_for(fact.name) if path not in _filters or _passes(fact, path)]


def interested_at_emit(fact: Event, *, event_id: UUID, by: UUID | None, at: datetime) -> list[str]:
    """The same for a fact that is being announced. The caller's own fact is left as it is."""
    if not filters_exist(fact.name):
        return names_for(fact.name)
    announced = copy.copy(fact)
    vars(announced).update(event_id=event_id, announced_at=at, announced_by=by)
    return interested_listeners(announced)


def _passes(fact: Event, path: str) -> bool:
    try:
        return _filters[path](fact)
    except Exception:  # a filter that fails must not refuse the change: the listener runs, and fails where a person sees it
        log.exception("the filter of %s failed", path)
        return True


def find(fact: str, listener: str) -> Listener | None:
    """The listener, or None when this version of the code no longer has it."""
    return _after_commit.get(fact, {}).get(listener)


def policy_of(listener: str) -> RetryPolicy:
    """On which terms the listener of this name is called."""
    return _policies.get(listener, DEFAULT_POLICY)


def run_synchronous(fact: Event, by: AuditActor, event_id: UUID) -> None:
    """Let the trail write its row."""
    for listener in _synchronous:
        listener(fact, by, event_id)


def unregister(fact: type[Event], path: str) -> None:
    """Take a listener out again (tests)."""
    _after_commit.get(fact.name, {}).pop(path, None)
    _filters.pop(path, None)
    _policies.pop(path, None)
