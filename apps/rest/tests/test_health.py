import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection
from django.test import Client

from apps.common import clock, disk
from apps.rest import health
from apps.rest.models import WriteProbe

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr(health, "_requirements", {})
    monkeypatch.setattr(health, "_ages", {})
    monkeypatch.setattr(health, "_last_result", None)
    monkeypatch.setattr(health, "RESULT_LIFETIME", timedelta(0))  # each request checks, except where a test is about that


@pytest.fixture
def one_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "RESULT_LIFETIME", timedelta(seconds=1))


def ready() -> tuple[int, str, dict[str, str], Any]:
    reply = Client().get("/health/ready")
    body = json.loads(reply.content)
    return reply.status_code, body["status"], body["checks"], reply.headers


def test_a_whole_system_is_ready() -> None:
    status, word, checks, headers = ready()
    assert (status, word) == (200, "ok")
    assert checks == {"database": "ok", "migrations": "ok", "redis": "ok", "writing": "ok"}
    assert headers["Cache-Control"] == "no-store"


def test_without_redis_it_is_ready_and_degraded(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    status, word, checks, _ = ready()
    assert (status, word, checks["redis"]) == (200, "degraded", "down")


def test_a_missing_migration_makes_it_not_ready() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'rest'")
    status, word, checks, headers = ready()
    assert (status, word) == (503, "down")
    assert (checks["database"], checks["migrations"]) == ("ok", "down")
    assert headers["Retry-After"] == "2"


def test_once_migrated_it_is_not_asked_again(django_assert_num_queries: Any) -> None:
    ready()
    with django_assert_num_queries(4):  # the database answers; a write between two savepoints
        ready()


def test_what_waits_is_shown_in_seconds_and_degrades_above_the_limit(settings: Any) -> None:
    begun = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
    settings.HIMS_BACKLOG_LIMIT_SECONDS = 60
    health.watch_age("oldest_waiting_event", lambda: begun)
    health.watch_age("oldest_unsealed_audit_row", lambda: None)
    for seconds, word in ((0, "ok"), (60, "ok"), (61, "degraded")):
        with time_machine.travel(begun + timedelta(seconds=seconds), tick=False):
            reply = Client().get("/health/ready")
        assert (reply.status_code, reply.json()["status"]) == (200, word)
        assert reply.json()["waiting_seconds"] == {"oldest_waiting_event": seconds, "oldest_unsealed_audit_row": None}
    assert reply.json()["checks"]["workers"] == "behind"


def test_a_database_that_only_reads_is_ready_and_degraded() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    status, word, checks, _ = ready()
    assert (status, word) == (200, "degraded")
    assert checks == {"database": "ok", "migrations": "ok", "redis": "ok", "writing": "down"}


def test_while_the_launcher_has_stopped_writes_the_system_is_ready_and_degraded(settings: Any, tmp_path: Path) -> None:
    settings.HIMS_DATA_DIR = tmp_path
    (tmp_path / disk.FULL).touch()
    status, word, checks, _ = ready()
    assert (status, word, checks["writing"]) == (200, "degraded", "down")
    (tmp_path / disk.FULL).unlink()
    assert ready()[:2] == (200, "ok")


def test_the_database_holds_one_probe_row_and_no_other() -> None:
    ready()
    ready()
    assert WriteProbe.objects.count() == 1
    with pytest.raises(IntegrityError, match="writeprobe_one_row"):
        WriteProbe.objects.create(pk=2, written_at=clock.now())


@pytest.mark.usefixtures("one_second")
def test_a_flood_of_readiness_checks_writes_once_a_second(django_assert_num_queries: Any) -> None:
    begun = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
    with time_machine.travel(begun, tick=False) as traveller:
        ready()
        with django_assert_num_queries(0):
            replies = [ready()[:3] for _ in range(50)]
        traveller.shift(timedelta(milliseconds=999))
        with django_assert_num_queries(0):
            ready()
        assert WriteProbe.objects.get().written_at == begun
        traveller.shift(timedelta(milliseconds=1))
        ready()
        assert WriteProbe.objects.get().written_at == begun + timedelta(seconds=1)
    assert replies == [(200, "ok", {"database": "ok", "migrations": "ok", "redis": "ok", "writing": "ok"})] * 50


@pytest.mark.usefixtures("one_second")
def test_a_kept_result_keeps_its_status_and_headers_and_ends_after_a_second() -> None:
    with time_machine.travel(datetime(2026, 11, 29, 12, 0, tzinfo=UTC), tick=False) as traveller:
        health.require("sample data", lambda: False)
        for _ in range(2):
            status, word, checks, headers = ready()
            assert (status, word, checks["sample data"]) == (503, "down", "down")
            assert (headers["Cache-Control"], headers["Retry-After"]) == ("no-store", "2")
        health.require("sample data", lambda: True)
        assert ready()[:2] == (503, "down")
        traveller.shift(timedelta(seconds=1))
        assert ready()[:2] == (200, "ok")


@pytest.mark.usefixtures("one_second")
def test_a_clock_that_is_put_back_does_not_keep_an_old_result() -> None:
    with time_machine.travel(datetime(2026, 11, 29, 12, 0, tzinfo=UTC), tick=False) as traveller:
        ready()
        traveller.shift(-timedelta(hours=1))
        ready()
        assert WriteProbe.objects.get().written_at == datetime(2026, 11, 29, 11, 0, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("one_second")
def test_requests_that_arrive_during_a_check_share_its_result() -> None:
    checks: list[int] = []
    began, may_end = Event(), Event()

    def is_met() -> bool:
        checks.append(1)
        began.set()
        return may_end.wait(10)

    health.require("sample data", is_met)
    replies: list[int] = []

    def ask() -> None:
        try:
            replies.append(Client().get("/health/ready").status_code)
        finally:
            connection.close()

    threads = [Thread(target=ask) for _ in range(3)]
    with time_machine.travel(datetime(2026, 11, 29, 12, 0, tzinfo=UTC), tick=False):
        threads[0].start()
        assert began.wait(10)
        for thread in threads[1:]:
            thread.start()
        may_end.set()
        for thread in threads:
            thread.join(20)
    assert (replies, len(checks)) == ([200, 200, 200], 1)


def test_what_else_is_required_counts() -> None:
    health.require("sample data", lambda: False)
    status, word, checks, _ = ready()
    assert (status, word, checks["sample data"]) == (503, "down", "down")


def test_alive_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/health/live").json() == {"status": "ok"}


def test_health_answers_under_any_host_name() -> None:
    """A load balancer probes by address."""
    assert Client(headers={"host": "10.1.2.3"}).get("/health/ready").status_code == 200
