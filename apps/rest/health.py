"""Health checks: is the process alive, is the system ready. Outside /v1, without sign-in, without any personal data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from apps.common import clock, disk, redis_client
from apps.rest import sql
from apps.rest.models import WriteProbe

_ages: dict[str, Callable[[], datetime | None]] = {}
_requirements: dict[str, Callable[[], bool]] = {}
_migrated = False

# Any client may call /health/ready, and each check writes a row: one second limits a flood to one write a second in each process.
RESULT_LIFETIME = timedelta(seconds=1)


@dataclass(frozen=True)
class _Result:
    """The result of the checks, and when they ran."""

    checked_at: datetime
    is_down: bool
    body: dict[str, Any]


_last_result: _Result | None = None
_checking = Lock()


def require(name: str, is_met: Callable[[], bool]) -> None:
    """Registers a further condition of readiness (the sandbox: the sample data are loaded)."""
    _requirements[name] = is_met


def watch_age(name: str, since: Callable[[], datetime | None]) -> None:
    """Makes /health/ready show for how many seconds something has waited. `since` returns when that began, None if nothing
    waits."""
    _ages[name] = since


def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Replies that the process runs; checks nothing else."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Replies 200 `ok`; 200 `degraded` without Redis, if writes fail or if workers lag behind; 503 `down` if reads are
    impossible: without the database, its migrations or a registered condition. A clinic that can still read charts stays
    reachable. A process checks at most once in RESULT_LIFETIME and repeats the result until then."""
    result = _recent_result()
    response = JsonResponse(result.body, status=503 if result.is_down else 200)
    response.headers["Cache-Control"] = "no-store"
    if result.is_down:
        response.headers["Retry-After"] = "2"
    return response


def _recent_result() -> _Result:
    """Returns the last result, or checks anew. The lock makes requests that arrive during a check share its result."""
    global _last_result
    with _checking:
        # Below zero after the machine's clock was put back: such a result would otherwise last until the old time returns.
        if _last_result is None or not timedelta(0) <= clock.now() - _last_result.checked_at < RESULT_LIFETIME:
            is_down, body = _check()
            _last_result = _Result(checked_at=clock.now(), is_down=is_down, body=body)
        return _last_result


def _check() -> tuple[bool, dict[str, Any]]:
    """Returns whether the system is down, and the body of the reply."""
    checks = {"database": _answers()}
    checks["migrations"] = checks["database"] and _is_migrated()
    for name, is_met in _requirements.items():
        checks[name] = checks["migrations"] and is_met()
    down = not all(checks.values())
    ages = _seconds_waited() if checks["migrations"] else {}
    checks["redis"] = redis_client.is_up()
    checks["writing"] = not down and _can_write()
    lag = any(age > settings.HIMS_BACKLOG_LIMIT_SECONDS for age in ages.values() if age is not None)
    status = "down" if down else "ok" if all(checks.values()) and not lag else "degraded"
    words = {name: "ok" if met else "down" for name, met in checks.items()} | ({"workers": "behind"} if lag else {})
    return down, {"status": status, "checks": words, "waiting_seconds": ages}


def _answers() -> bool:
    try:
        sql.ping()
    except Error:
        return False
    return True


def _seconds_waited() -> dict[str, int | None]:
    now = clock.now()
    try:
        begun = {name: since() for name, since in _ages.items()}
    except Error:  # it became unavailable after the first query; the next check reports that
        return {}
    return {name: None if at is None else max(0, int((now - at).total_seconds())) for name, at in begun.items()}


def _can_write() -> bool:
    """Returns whether the database accepts a write: with a full disk or as a read-only server it refuses, but still reads."""
    if disk.is_full():
        return False
    try:
        with transaction.atomic():
            WriteProbe.objects.bulk_create(
                [WriteProbe(pk=1, written_at=clock.now())],
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=["written_at"],
            )
    except Error:
        return False
    return True


def _is_migrated() -> bool:
    """Returns whether all migrations are applied. Once true it stays true for this process, because its code does not change."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated
