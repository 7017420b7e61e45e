"""Real workers: their database sessions, and what becomes of them when Redis hangs."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from kombu import Connection

from apps.events import tasks
from hims import worker_watch
from hims.tests import live
from hims.tests.journeys import outbox_probe
from hims.worker_watch import Standstill

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def probe_file(tmp_path: Path) -> Iterator[Path]:
    with outbox_probe.registered():
        yield tmp_path / "received"


def send_probe(number: int) -> None:
    with transaction.atomic():
        outbox_probe.send_probe(number)


def sessions() -> set[int]:
    """The database sessions of everybody but this test."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return {row[0] for row in cursor.fetchall()}


def end_sessions() -> None:
    """What a restart of PostgreSQL does to those who are connected."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS s (pid)", [list(sessions())])


def is_idle(log: Path) -> bool:
    text = log.read_text()
    return text.count("] received") == text.count("] succeeded in ")


def test_tasks_share_a_database_session_and_a_restart_of_postgres_fails_none(probe_file: Path) -> None:
    log, seen, others = probe_file.with_name("worker.log"), set(), sessions()
    with live.worker(log, **{outbox_probe.FILE_VARIABLE: str(probe_file), outbox_probe.SECONDS_VARIABLE: "0"}):
        for number in range(8):
            send_probe(number)
            assert live.eventually(lambda: number in outbox_probe.received(probe_file))  # noqa: B023
            seen |= sessions() - others
        assert 1 <= len(seen) <= 2  # one a process, however many tasks there were
        assert live.eventually(lambda: is_idle(log))  # no task is still in its session
        end_sessions()
        for number in (8, 9, 10, 11):
            send_probe(number)
            assert live.eventually(lambda: number in outbox_probe.received(probe_file))  # noqa: B023
        assert sessions().isdisjoint(seen)
    assert outbox_probe.received(probe_file) == list(range(12))
    assert " ERROR " not in log.read_text()


def lost_an_acknowledgement(log: Path) -> bool:
    return "Couldn't ack" in log.read_text()


@pytest.mark.full
def test_a_worker_waits_for_a_redis_that_hangs_and_goes_on(probe_file: Path) -> None:
    """Longer than a request would wait: with that time-out the acknowledgement was lost, and the worker took no task any more."""
    log = probe_file.with_name("worker.log")
    with live.own_redis() as redis, alone(log, probe_file, redis.url) as worker:
        send(redis.url, 1)
        assert live.eventually(lambda: outbox_probe.received(probe_file) == [1])
        redis.freeze()  # while the task runs, so that its acknowledgement meets a Redis that does not answer
        assert not live.eventually(lambda: lost_an_acknowledgement(log), within=15)
        redis.thaw()
        send(redis.url, 2)
        assert live.eventually(lambda: outbox_probe.received(probe_file) == [1, 2])
        assert worker.poll() is None


def test_a_worker_that_lost_an_acknowledgement_ends_to_be_started_again(probe_file: Path) -> None:
    log = probe_file.with_name("worker.log")
    with live.own_redis() as redis:
        with alone(log, probe_file, redis.url, app="hims.tests.journeys.short_timeouts:app") as worker:
            send(redis.url, 1)
            assert live.eventually(lambda: outbox_probe.received(probe_file) == [1])
            redis.freeze()
            assert live.eventually(lambda: lost_an_acknowledgement(log))
            redis.thaw()
            send(redis.url, 2)
            assert live.eventually(lambda: worker.poll() is not None)
            assert worker.returncode == worker_watch.EXIT_CODE
        assert outbox_probe.received(probe_file) == [1]
        with alone(log, probe_file, redis.url):
            assert live.eventually(lambda: set(outbox_probe.received(probe_file)) == {1, 2})


def test_a_worker_that_waits_for_work_or_is_busy_is_left_alone(probe_file: Path) -> None:
    log = probe_file.with_name("worker.log")
    with (
        live.own_redis() as redis,
        alone(log, probe_file, redis.url, app="hims.tests.journeys.short_timeouts:app", takes=3.0) as worker,
    ):
        for number in (1, 2):  # the second waits for twice the patience while the first is run
            send(redis.url, number)
        assert live.eventually(lambda: outbox_probe.received(probe_file) == [1, 2])
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    assert "this worker takes none" not in log.read_text()


def test_a_worker_whose_task_hangs_ends_to_be_started_again(probe_file: Path) -> None:
    """One listener that waits for ever must not hold up every alert behind it."""
    log = probe_file.with_name("worker.log")
    with live.own_redis() as redis:
        with alone(log, probe_file, redis.url, app="hims.tests.journeys.short_task_limit:app", takes=300) as worker:
            send(redis.url, 1)
            assert live.eventually(lambda: outbox_probe.received(probe_file) == [1])
            send(redis.url, 2)
            assert live.eventually(lambda: worker.poll() is not None)
            assert worker.returncode == worker_watch.EXIT_CODE
        assert "because its task hangs" in log.read_text()
        with alone(log, probe_file, redis.url, takes=0):
            assert live.eventually(lambda: 2 in outbox_probe.received(probe_file))


@pytest.mark.parametrize(
    ("looks", "stands_still"),
    [
        ([(0, True, 5, False), (9, True, 5, False), (16, True, 5, False)], True),
        ([(0, True, 5, False), (9, True, 6, False), (16, True, 6, False)], False),  # it took one in between
        ([(0, True, 5, False), (9, False, 5, False), (16, True, 5, False)], False),  # nothing waited in between
        ([(0, True, 5, False), (9, True, 5, True), (16, True, 5, False)], False),  # it ran one in between
        ([(0, False, 0, False), (99, False, 0, False)], False),
        ([(0, True, 5, True), (59, True, 5, True), (61, True, 5, True)], True),  # it runs one that hangs
        ([(0, True, 5, True), (59, True, 6, True), (61, True, 6, True)], False),  # it took another one in between
        ([(0, True, 5, True), (59, False, 5, True), (61, True, 5, True)], False),  # no task waits for it
        ([(0, True, 5, True), (59, True, 5, True), (61, True, 5, False)], False),  # it has come to its end
    ],
)
def test_what_counts_as_standing_still(looks: list[tuple[float, bool, int, bool]], stands_still: bool) -> None:
    standstill = Standstill(patience=10, longest=60)
    standstill.seen(at=-5, waiting=False, taken=5, busy=False)
    seen = [standstill.seen(at=at, waiting=waiting, taken=taken, busy=busy) for at, waiting, taken, busy in looks]
    assert seen[-1] is stands_still
    assert not any(seen[:-1])


def send(redis_url: str, number: int) -> None:
    """Ring, and ask the worker that works on this Redis to relay it."""
    send_probe(number)
    path = urlsplit(redis_url).path
    with Connection(f"redis+socket://{path}?virtual_host=0") as broker:
        tasks.relay_waiting.apply_async(retry=False, connection=broker)


def alone(log: Path, probe_file: Path, redis_url: str, app: str = "hims.celery:app", takes: float = 1.0) -> Any:
    """A worker of one process."""
    environment = {outbox_probe.FILE_VARIABLE: str(probe_file), outbox_probe.SECONDS_VARIABLE: str(takes), "REDIS_URL": redis_url}
    return live.worker(log, app=app, concurrency=1, **environment)
