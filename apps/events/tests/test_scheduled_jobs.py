"""What beat starts: the last run of each job, when it failed, and when it is late."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from celery import signals
from django.db import IntegrityError, transaction

from apps.common import clock
from apps.events import scheduled_jobs, tasks
from apps.events.models import JobRun
from apps.events.scheduled_jobs import ScheduledJob, record_run, record_task

pytestmark = pytest.mark.django_db

SWEEP, SEAL, LATE_SEAL = "relay the events that are due", "seal the audit log", "seal late rows of the audit log"
NOW = clock.now()


def job(name: str) -> ScheduledJob:
    return next(one for one in scheduled_jobs.jobs() if one.name == name)


def test_a_job_that_never_ran_is_neither_late_nor_failing() -> None:
    never = job(SWEEP)
    assert (never.last, never.is_late, never.is_failing, never.next_at) == (None, False, False, None)
    assert scheduled_jobs.in_trouble() == []


def test_a_run_is_stored_once_for_each_job() -> None:
    with time_machine.travel(NOW, tick=False):
        record_run(SWEEP)
    with time_machine.travel(NOW + timedelta(seconds=5), tick=False):
        record_run(SWEEP)
        assert job(SWEEP).next_at == NOW + timedelta(seconds=10)
    run = JobRun.objects.get()
    assert (run.name, run.ran_at, run.succeeded_at, run.failures) == (SWEEP, NOW + timedelta(seconds=5), run.ran_at, 0)


def test_failures_count_until_the_job_succeeds_again() -> None:
    record_run(SWEEP)
    record_run(SWEEP, error="ValueError: no paper"), record_run(SWEEP, error="ValueError: no ink")
    (failing,) = scheduled_jobs.in_trouble()
    assert failing.last is not None
    assert (failing.name, failing.last.failures, failing.last.error) == (SWEEP, 2, "ValueError: no ink")
    assert failing.last.succeeded_at is not None
    record_run(SWEEP)
    assert scheduled_jobs.in_trouble() == []
    assert JobRun.objects.get().error == ""


def test_the_first_run_may_fail() -> None:
    record_run(SWEEP, error="ValueError: no paper")
    run = JobRun.objects.get()
    assert (run.failures, run.succeeded_at) == (1, None)


def test_a_job_is_late_when_it_has_not_run_for_two_intervals_and_five_minutes() -> None:
    with time_machine.travel(NOW, tick=False):
        record_run(LATE_SEAL)  # every minute
    with time_machine.travel(NOW + timedelta(minutes=7), tick=False):
        assert not job(LATE_SEAL).is_late
    with time_machine.travel(NOW + timedelta(minutes=7, seconds=1), tick=False):
        assert [one.name for one in scheduled_jobs.in_trouble()] == [LATE_SEAL]
        assert job(LATE_SEAL).next_at is None


def test_a_worker_stores_the_runs_of_scheduled_tasks_alone() -> None:
    seal = SimpleNamespace(name="apps.audit.tasks.seal")
    record_task(sender=seal, kwargs={}, retval=3, state="SUCCESS")
    record_task(sender=seal, kwargs={"thorough": True}, retval=OSError("disk full"), state="FAILURE")
    record_task(sender=SimpleNamespace(name="apps.events.tasks.deliver"), kwargs={}, retval=True, state="SUCCESS")
    record_task(sender=SimpleNamespace(name="apps.events.tasks.dispatch_due"), kwargs={}, retval=None, state="RETRY")
    assert dict(JobRun.objects.values_list("name", "error")) == {SEAL: "", LATE_SEAL: "OSError: disk full"}


def test_a_task_that_ends_is_stored_by_its_signal() -> None:
    signals.task_postrun.send(sender=tasks.dispatch_due, args=(), kwargs={}, retval=0, state="SUCCESS")
    assert JobRun.objects.get().name == SWEEP


def test_the_values_of_a_refused_row_are_not_stored() -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        JobRun.objects.create(name=SEAL, ran_at=NOW, error="of Jane Doe")
    assert "Jane Doe" in str(refused.value)
    record_task(sender=SimpleNamespace(name="apps.audit.tasks.purge"), kwargs={}, retval=refused.value, state="FAILURE")
    assert JobRun.objects.get().error.startswith("IntegrityError: new row")
    assert "Jane Doe" not in JobRun.objects.get().error
