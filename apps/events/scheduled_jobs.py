"""The jobs that beat starts on a schedule, and the last run of each. A worker stores a run when it ends.

A run that dies with its worker stores nothing: the job is then late, as it is while beat or the workers do not run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from celery import signals, states
from django.db.models import F

from apps.common import clock, domain
from apps.common.domain import Periodic
from apps.common.logs import without_rows
from apps.events.models import JobRun

LATE_AFTER = timedelta(minutes=5)  # beyond two intervals: a restart or a long queue makes no job late
_ERROR = 500  # characters, as the column


@dataclass(frozen=True)
class ScheduledJob:
    """A job that beat starts, and its last run: None before the first one."""

    name: str
    every: timedelta
    last: JobRun | None

    @property
    def is_failing(self) -> bool:
        return self.last is not None and self.last.failures > 0

    @property
    def is_late(self) -> bool:
        """Returns whether the job should have run again long ago."""
        return self.last is not None and clock.now() > self.last.ran_at + 2 * self.every + LATE_AFTER

    @property
    def next_at(self) -> datetime | None:
        """Returns about when it runs next; None if it never ran or is late."""
        return None if self.last is None or self.is_late else max(self.last.ran_at + self.every, clock.now())


def jobs() -> list[ScheduledJob]:
    """Returns all scheduled jobs in the order of their names."""
    last = JobRun.objects.in_bulk()
    return [ScheduledJob(name, timedelta(seconds=job.every), last.get(name)) for name, job in sorted(_declared().items())]


def in_trouble() -> list[ScheduledJob]:
    """Returns the jobs whose last run failed, and those that have not run for long."""
    return [job for job in jobs() if job.is_failing or job.is_late]


def job_of(task: str, kwargs: Mapping[str, Any]) -> str:
    """Returns the name of the job that starts this task with these arguments; empty if beat starts no such task."""
    return next((name for name, job in _declared().items() if job.task == task and dict(job.kwargs) == dict(kwargs)), "")


def record_run(name: str, *, error: str = "") -> None:
    """Stores that a job ran just now, and why it failed (error), if it did."""
    now = clock.now()
    if error:
        values: dict[str, Any] = {"failures": F("failures") + 1, "error": error[:_ERROR]}
    else:
        values = {"failures": 0, "error": "", "succeeded_at": now}
    if not JobRun.objects.filter(pk=name).update(ran_at=now, **values):
        first = values | {"failures": int(bool(error))}
        JobRun.objects.bulk_create([JobRun(name=name, ran_at=now, **first)], ignore_conflicts=True)


@signals.task_postrun.connect
def record_task(sender: Any, kwargs: Mapping[str, Any], retval: Any, state: str, **_: Any) -> None:
    """Stores the run of a job when its task has ended in a worker."""
    if (name := job_of(sender.name, kwargs)) and state in {states.SUCCESS, states.FAILURE}:
        record_run(name, error=without_rows(f"{type(retval).__name__}: {retval}", retval) if state == states.FAILURE else "")


@cache
def _declared() -> dict[str, Periodic]:
    return domain.merged(config.beat for config in domain.installed())
