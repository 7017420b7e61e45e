"""Is the process alive, is the system ready. Outside /v1, open to anybody, saying nothing of anybody."""

from collections.abc import Callable

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from apps.common import bus

_requirements: dict[str, Callable[[], bool]] = {}
_migrated = False


def require(name: str, is_met: Callable[[], bool]) -> None:
    """Plug a further condition of readiness (the sandbox: the sample data stand)."""
    _requirements[name] = is_met


def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """200 `ok`; 200 `degraded` without Redis; 503 `down` without database, migrations or what else is required."""
    checks = {"database": _answers()}
    checks["migrations"] = checks["database"] and _is_migrated()
    for name, is_met in _requirements.items():
        checks[name] = checks["migrations"] and is_met()
    down = not all(checks.values())
    checks["redis"] = bus.is_up()
    status = "down" if down else "ok" if checks["redis"] else "degraded"
    response = JsonResponse(
        {"status": status, "checks": {name: "ok" if met else "down" for name, met in checks.items()}}, status=503 if down else 200
    )
    response.headers["Cache-Control"] = "no-store"
    if down:
        response.headers["Retry-After"] = "2"
    return response


def _answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _is_migrated() -> bool:
    """Whether no migration waits. Once true it stays true for this process: its code does not change."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated
