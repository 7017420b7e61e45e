"""The processes of a running HIMS: web server, Celery worker, beat."""

import sys
from collections.abc import Sequence
from pathlib import Path

from hims.launch import paths
from hims.launch.processes import Program


def all_programs(port: int) -> list[Program]:
    """What `make run` starts, web server first. Mails have a worker of their own: a slow mail server delays nothing else."""
    celery = ["-m", "celery", "-A", "hims.celery:app"]
    schedule = str(paths.data_dir() / "beat-schedule")
    return [
        _python("web", ["-m", "hims.web", "hims.wsgi:application", "--host", "127.0.0.1", "--port", str(port)]),
        _python("worker", [*celery, *_worker("worker", "default")], essential=False),
        _python("mail-worker", [*celery, *_worker("mail", "mail")], essential=False),
        _python("beat", [*celery, "beat", "--schedule", schedule, "--pidfile", "", "--loglevel", "INFO"], essential=False),
    ]


def _worker(node: str, queues: str) -> list[str]:
    options = ["--hostname", f"{node}@%h", "--queues", queues, "--concurrency", "1", "--without-gossip", "--without-mingle"]
    return ["worker", *options, "--loglevel", "INFO"]


def _python(name: str, arguments: Sequence[str], *, essential: bool = True) -> Program:
    return Program(name=name, command=[sys.executable, *arguments], log=str(Path(paths.log(name))), essential=essential)
