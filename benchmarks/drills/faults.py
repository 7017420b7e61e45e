"""The drills: each injects one fault while clients work, and returns what was seen next to what is promised."""

import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.drills.clients import Clients, History
from benchmarks.drills.system import System, eventually

SETTLED = 5.0  # seconds of ordinary work before a fault
DRAINED_WITHIN = 60.0  # promises.md R1, R3; findings.md section 2
FROZEN = 20.0  # seconds without Redis
FULL = 60.0  # seconds without room on the disk
TAKES_NOTE = 2.0  # seconds in which HIMS notices that there is no room and gives up its reserve
FEW_WAIT = 50  # findings.md: backlog after the load


@dataclass(frozen=True)
class Check:
    """One promise: what it says, what was seen, and whether it was kept."""

    promise: str
    seen: str
    kept: bool


Drill = Callable[[System], Sequence[Check]]


def kill_celery(system: System) -> list[Check]:
    """R1. The Celery workers and beat are killed every five seconds, five times each."""
    with Clients(system) as clients:
        time.sleep(SETTLED)
        for _ in range(5):
            for word in ("worker", "beat"):
                _kill(system.processes("celery", f" {word} "))
            time.sleep(5)
    return [
        _at_most("failed requests", clients.history.failures(), 0),
        _drains(system),
        *_stored(system, clients.history),
    ]


def kill_one_web_worker(system: System) -> list[Check]:
    """R2. One of the two web workers is killed."""
    with Clients(system) as clients:
        time.sleep(SETTLED)
        _kill(system.web_workers()[:1])
        time.sleep(10)
    return [_at_most("requests without a reply or with a 5xx", clients.history.failures(), 5), *_stored(system, clients.history)]


def kill_all_web_workers(system: System) -> list[Check]:
    """R2. All web workers are killed at once."""
    with Clients(system) as clients:
        time.sleep(SETTLED)
        killed = time.monotonic()
        _kill(system.web_workers())
        back = _seconds_until(lambda: system.health("/health/live") == 200, within=30, start=killed)
        time.sleep(5)
    return [
        _within("seconds until the web server answers again", back, 3.0),
        _within("seconds until the last failed request", max(clients.history.last_failure() - killed, 0), 4.0),
        *_stored(system, clients.history),
    ]


def freeze_redis(system: System) -> list[Check]:
    """R3. Redis is frozen for twenty seconds under load, then goes on."""
    redis = system.redis_process()
    with Clients(system) as clients:
        time.sleep(SETTLED)
        os.kill(redis, signal.SIGSTOP)
        try:
            time.sleep(FROZEN)
            degraded = system.request("GET", "/health/ready")
        finally:
            os.kill(redis, signal.SIGCONT)
        time.sleep(SETTLED)
    status = degraded[1].get("status") if isinstance(degraded[1], dict) else degraded[0]
    return [
        _at_most("failed requests", clients.history.failures(), 0),
        Check("readiness says degraded while Redis is frozen", str(status), status == "degraded"),
        _drains(system),
        *_stored(system, clients.history),
    ]


def kill_redis(system: System) -> list[Check]:
    """R4. Redis is killed and comes back empty or from its own files."""
    with Clients(system) as clients:
        time.sleep(SETTLED)
        _kill([system.redis_process()])
        time.sleep(15)
    return [_at_most("failed requests", clients.history.failures(), 0), _drains(system), *_stored(system, clients.history)]


def kill_postgres(system: System) -> list[Check]:
    """R5. PostgreSQL is killed three times under load."""
    late = []
    with Clients(system) as clients:
        for _ in range(3):
            time.sleep(SETTLED)
            _kill([system.postmaster()])
            accepts = _seconds_until(lambda: system.query("SELECT 1"), within=60)
            accepted = time.monotonic()
            healthy = _seconds_until(lambda: system.health() == 200, within=30, start=accepted)
            late.append((accepts, healthy))
            time.sleep(3)
    history = clients.history
    shown = ", ".join(f"{healthy:.2f} (down {accepts:.1f})" for accepts, healthy in late)
    unclear = sum(1 for one in history.done if one.status == 503 and not one.retry_after)
    return [
        Check(
            "healthy at most 1 s after PostgreSQL accepts connections", f"{shown} s", all(late_by <= 1.0 for _, late_by in late)
        ),
        _at_most("replies 500", history.statuses()[500], 0),
        _at_most("replies 503 without Retry-After", unclear, 0),
        Check("replies 503 while it was away", str(history.statuses()[503]), True),
        _drains(system),
        *_stored(system, history),
    ]


def reload_web(system: System) -> list[Check]:
    """R20. The web server reloads its workers (SIGHUP) under load."""
    with Clients(system) as clients:
        time.sleep(SETTLED)
        for _ in range(3):
            os.kill(system.processes("hims.web")[0], signal.SIGHUP)
            time.sleep(6)
    return [_at_most("failed requests", clients.history.failures(), 0), *_stored(system, clients.history)]


def fill_the_disk(system: System) -> list[Check]:
    """R23. The disk of the data folder is full for a minute. The data folder must be a small file system of its own.

    It is filled once. What goes on writing takes the reserve that HIMS keeps for its audit log too, and then reads, which must be
    audited, are refused as well (503) until there is room.
    """
    ballast = system.folder / "ballast"
    with Clients(system) as clients:
        time.sleep(SETTLED)
        full = time.monotonic()
        _fill(ballast)
        try:
            time.sleep(FULL)
            health = system.request("GET", "/health/ready", timeout=5)
        finally:
            freed = time.monotonic()
            ballast.unlink()
        back = _seconds_until(lambda: _writes(system, clients.token), within=60, start=freed)
        time.sleep(SETTLED)
    history = clients.history
    kinds = ("list", "search", "detail", "schedule", "page")
    reads = [one for one in history.done if one.kind in kinds and full + TAKES_NOTE < one.ended < freed]
    refused = sum(one.status >= 500 or one.status == 0 for one in reads)
    status = health[1].get("status") if isinstance(health[1], dict) else health[0]
    writes = history.statuses(since=full, until=freed, kind="book")
    return [
        Check("`make run` goes on", "runs" if system.is_running else "ended", system.is_running),
        Check("readiness says degraded", str(status), status == "degraded"),
        Check(
            f"reads continue from {TAKES_NOTE:.0f} s after the disk filled up", f"{refused} of {len(reads)} failed", refused == 0
        ),
        Check("writes get 201, 409 or 503", str(dict(writes)), set(writes) <= {201, 409, 503}),
        _within("seconds until writes succeed after room is made", back, 10.0),
        _drains(system),
        *_stored(system, history),
    ]


def slow_clients(system: System) -> list[Check]:
    """R25. Fifty slow bodies and two hundred slow headers stay open while clients work."""
    with Clients(system) as clients:
        time.sleep(SETTLED)
        connections = [_slow_body(system.port) for _ in range(50)] + [_slow_headers(system.port) for _ in range(200)]
        began = time.monotonic()
        for _ in range(20):
            for line in connections:
                with suppress(OSError):
                    line.send(b" ")
            time.sleep(1)
        live = _seconds_until(lambda: system.health("/health/live") == 200, within=10)
    for line in connections:
        line.close()
    during = sorted(one.ended - one.began for one in clients.history.done if one.ended > began)
    p95 = during[int(len(during) * 0.95)] if during else float("inf")
    return [
        _at_most("failed requests", clients.history.failures(), 0),
        _within("seconds for /health/live", live, 1.0),
        _within("p95 seconds of ordinary requests", p95, 1.0),
        *_stored(system, clients.history),
    ]


DRILLS: dict[str, tuple[str, Drill]] = {
    "R1": ("kill -9 of worker and beat, five times", kill_celery),
    "R2": ("kill -9 of one web worker", kill_one_web_worker),
    "R2-all": ("kill -9 of all web workers", kill_all_web_workers),
    "R3": ("Redis frozen for 20 s", freeze_redis),
    "R4": ("Redis killed", kill_redis),
    "R5": ("PostgreSQL killed three times", kill_postgres),
    "R20": ("web workers reloaded three times", reload_web),
    "R23": ("disk full for a minute", fill_the_disk),
    "R25": ("slow bodies and headers", slow_clients),
}
NEEDS_SMALL_DISK = {"R23"}


def _kill(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _at_most(what: str, seen: int, limit: int) -> Check:
    return Check(f"{what}: at most {limit}", str(seen), seen <= limit)


def _within(what: str, seen: float, limit: float) -> Check:
    return Check(f"{what}: at most {limit:g}", f"{seen:.2f}", seen <= limit)


def _seconds_until(is_true: Callable[[], object], *, within: float, start: float | None = None) -> float:
    """Returns the seconds until the condition is true; infinity if it never is."""
    start = time.monotonic() if start is None else start
    return time.monotonic() - start if eventually(is_true, within=within, every=0.02) else float("inf")


def _drains(system: System) -> Check:
    """The backlog once the clients are gone, and how long it took to be handed out."""
    left = system.waiting() if eventually(system.query_answers, within=5) else -1
    took = _seconds_until(lambda: system.waiting() == 0, within=3 * DRAINED_WITHIN)
    return Check(
        f"backlog drained within {DRAINED_WITHIN:.0f} s", f"{left} waited, drained in {took:.1f} s", took <= DRAINED_WITHIN
    )


def _stored(system: System, history: History) -> list[Check]:
    """Every acknowledged row is stored and nothing is booked twice."""
    if not eventually(system.query_answers, within=30):
        return [Check("the database answers after the fault", "no", False)]
    stored = {str(row[0]) for row in system.query("SELECT id FROM patients_patient")}
    booked = {str(row[0]) for row in system.query("SELECT id FROM appointments_appointment")}
    lost = len(history.patients - stored) + len(history.appointments - booked)
    twice = system.query(
        "SELECT count(*) FROM appointments_appointment one JOIN appointments_appointment other"
        " ON one.doctor_id = other.doctor_id AND one.id < other.id AND one.scheduled_time = other.scheduled_time"
        " WHERE one.status = 'scheduled' AND other.status = 'scheduled' AND one.scheduled_time > '2031-01-01'"
    )[0][0]
    total = len(history.patients) + len(history.appointments)
    requests = f"{len(history.done)} requests, {dict(sorted(history.statuses().items()))}"
    return [
        Check("nothing acknowledged is lost", f"{lost} of {total} lost; {requests}", lost == 0),
        Check("nothing is booked twice", str(twice), twice == 0),
    ]


def _fill(ballast: Path) -> None:
    with suppress(OSError), ballast.open("ab") as file:
        for size in (1024**2, 4096):
            with suppress(OSError):
                while True:
                    os.write(file.fileno(), b"\0" * size)


def _writes(system: System, token: str) -> bool:
    body = {"first_name": "After", "last_name": "Room", "date_of_birth": "1980-05-15", "gender": "other"}
    return system.request("POST", "/v1/patients", body, {"Authorization": f"Bearer {token}"}, timeout=5)[0] == 201


def _slow_body(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port))
    line.sendall(
        b"POST /v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"
    )
    return line


def _slow_headers(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port))
    line.sendall(b"GET /v1/version HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow:")
    return line
