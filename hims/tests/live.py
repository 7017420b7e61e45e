"""Real processes for tests: a web server, a Celery worker, a Redis of one's own. They work in the test's database."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection

from hims.launch import binaries, paths


def eventually(true: Callable[[], object], *, within: float = 20.0) -> bool:
    """Whether it comes true in time."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        with suppress(OSError):
            if true():
                return True
        time.sleep(0.05)
    return False


def database_url(name: str = "") -> str:
    """The database of the running test, or the named one on the same server."""
    at = connection.settings_dict
    options = f"?host={quote(str(at['HOST']), safe='')}" if str(at["HOST"]).startswith("/") else ""
    host = "" if options else f"{at['HOST']}:{at['PORT']}"
    who = f"{at['USER']}:{quote(at['PASSWORD'])}" if at["PASSWORD"] else at["USER"]
    return f"postgres://{who}@{host}/{name or at['NAME']}{options}"


@contextmanager
def process(*arguments: str, log: Path, **environment: str) -> Iterator[subprocess.Popen]:
    """A Python process of HIMS on the test's servers; it and its children are killed at the end."""
    known = os.environ | {"HIMS_ENV": "test", "DATABASE_URL": database_url()} | environment
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=paths.PROJECT,
            env=known,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        kill(child)


def kill(child: subprocess.Popen) -> None:
    """kill -9 of the process and of all it started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


@dataclass
class Reply:
    status: int
    headers: Any
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Web:
    """A web server, and how to ask it."""

    port: int
    log: Path
    pid: int

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        raw = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", raw, method=method)
        for name, value in ({"Content-Type": "application/json"} if raw else {}).items() | headers.items():
            request.add_header(name.replace("_", "-"), value)
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Reply(answer.status, answer.headers, answer.read(), time.monotonic() - begun)
        except urllib.error.HTTPError as refusal:
            return Reply(refusal.code, refusal.headers, refusal.read(), time.monotonic() - begun)

    def say(self, *parts: bytes, pause: float = 0) -> bytes:
        """Send bytes as they are; answer what comes until the server closes."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as line:
            for part in parts:
                line.sendall(part)
                time.sleep(pause)
            with suppress(ConnectionResetError):
                while chunk := line.recv(65_536):
                    answer += chunk
        return answer


@contextmanager
def web(log: Path, application: str = "hims.wsgi:application", workers: int = 1, **environment: str) -> Iterator[Web]:
    """A web server as `make run` starts it, of one worker unless more are asked for; a drill may name its own application."""
    port = free_port()
    with process("hims.web", application, "--port", str(port), "--workers", str(workers), log=log, **environment) as child:
        server = Web(port, log, child.pid)
        assert eventually(lambda: server.ask("GET", "/health/live").status == 200), log.read_text()
        yield server


@contextmanager
def worker(log: Path, *, app: str = "hims.celery:app", concurrency: int = 2, **environment: str) -> Iterator[subprocess.Popen]:
    """A Celery worker that knows the ward's bell."""
    command = [
        "celery",
        "-A",
        app,
        "worker",
        "--include",
        "hims.tests.journeys.outbox_probe",
        "--concurrency",
        str(concurrency),
        "--loglevel",
        "INFO",
    ]
    with process(*command, "--without-gossip", "--without-mingle", log=log, **environment) as child:
        yield child


class OwnRedis:
    """A Redis of the test's own, which it may kill, freeze and start again (empty)."""

    def __init__(self, folder: str) -> None:
        self.socket = Path(folder) / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self.command = [
            str(binaries.find_redis().program),
            "--port",
            "0",
            "--unixsocket",
            str(self.socket),
            "--save",
            "",
            "--dir",
            folder,
        ]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert eventually(self._answers)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.socket))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")


@contextmanager
def own_redis() -> Iterator[OwnRedis]:
    with tempfile.TemporaryDirectory(prefix="hims-redis-") as folder:
        server = OwnRedis(folder)
        try:
            yield server
        finally:
            server.kill()
