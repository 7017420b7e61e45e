"""The processes of a running HIMS: web server, Celery worker, beat."""

import sys
from collections.abc import Sequence
from pathlib import Path

from hims.launch import places
from hims.launch.processes import Program

QUEUES = "default,events,mail"


def all_programs(port: int) -> list[Program]:
    """What `make run` starts, web server first."""
    celery = ["-m", "celery", "-A", "hims.celery:app"]
    worker = ["worker", "--queues", QUEUES, "--concurrency", "1", "--without-gossip", "--without-mingle"]
    schedule = str(places.data_dir() / "beat-schedule")
    return [
        _python("web", _granian(port)),
        _python("worker", [*celery, *worker, "--loglevel", "INFO"]),
        _python("beat", [*celery, "beat", "--schedule", schedule, "--pidfile", "", "--loglevel", "INFO"]),
    ]


def _granian(port: int) -> list[str]:
    """Two workers of one thread each answered most requests on two cores; more threads made it worse."""
    return [
        *("-m", "granian", "--interface", "wsgi", "hims.wsgi:application"),
        *("--host", "127.0.0.1", "--port", str(port), "--http", "1", "--no-ws"),
        *("--workers", "2", "--blocking-threads", "1", "--backlog", "1024"),
        *("--respawn-failed-workers", "--respawn-interval", "1", "--workers-kill-timeout", "10"),
        *("--no-access-log", "--log-level", "warning"),
    ]


def _python(name: str, arguments: Sequence[str]) -> Program:
    return Program(name=name, command=[sys.executable, *arguments], log=str(Path(places.log(name))))
