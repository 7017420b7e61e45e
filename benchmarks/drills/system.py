"""A system as `make run` starts it, in a data folder and on a port of its own, and its processes."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import cpu
from hims.launch import paths
from hims.launch.errors import CannotStart

READY_WITHIN = 180.0  # seconds for the first start with sample data
STOP_WITHIN = 60.0  # seconds
PASSWORD = "Sandbox-2025!"  # noqa: S105 (the sandbox's, printed in the README)


class System:
    """The running system under test. `folder` is its data folder, `port` where it serves."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
            **{"HIMS_ENV": "sandbox", "HIMS_DATA_DIR": str(folder), "HIMS_PORT": str(port), "HIMS_RATE_LIMIT_SCALE": "1000000"},
        }
        os.environ["HIMS_DATA_DIR"] = str(folder)  # `places` names the sockets after it
        self.launcher: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the launcher and wait until the system is ready. Raises CannotStart after READY_WITHIN seconds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "drill-launch.log").open("ab") as log:
            self.launcher = subprocess.Popen(
                [sys.executable, "-m", "hims.launch"], cwd=paths.PROJECT, env=self.environment, stdout=log, stderr=log
            )
        if not eventually(lambda: self.health() == 200, within=READY_WITHIN):
            raise CannotStart(f"The system was not ready within {READY_WITHIN:.0f} s; see {self.folder / 'drill-launch.log'}.")

    def stop(self) -> None:
        """Stop the launcher, which stops its children, and wait for PostgreSQL, which stops last."""
        if self.launcher is not None and self.launcher.poll() is None:
            self.launcher.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.launcher.wait(STOP_WITHIN)
            self.launcher.kill()
            eventually(lambda: not list(self.folder.glob("postgres-*/postmaster.pid")), within=STOP_WITHIN)

    @property
    def is_running(self) -> bool:
        return self.launcher is not None and self.launcher.poll() is None

    def health(self, path: str = "/health/ready") -> int:
        """Returns the status of a health page, 0 without a reply."""
        return self.request("GET", path, timeout=2.0)[0]

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, *, timeout: float = 30.0
    ) -> tuple[int, Any, dict[str, str]]:
        """Returns status, decoded JSON or text, and headers of one request on its own connection; status 0 without a reply."""
        sent = json.dumps(body) if body is not None else None
        headers = {"Content-Type": "application/json"} | (headers or {}) if sent else headers or {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, sent, headers)
            reply = connection.getresponse()
            text = reply.read()
            received = {name.lower(): value for name, value in reply.getheaders()}
            is_json = "json" in received.get("content-type", "")
            return reply.status, json.loads(text) if is_json and text else text.decode(errors="replace"), received
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None, {}
        finally:
            connection.close()

    def sign_in(self, username: str) -> str:
        """Returns an access token of a sandbox account."""
        status, reply, _ = self.request("POST", "/v1/auth/login", {"username": username, "password": PASSWORD})
        if status != 200:
            raise CannotStart(f"{username} could not sign in: {status} {reply}")
        return str(reply["data"]["tokens"]["access_token"])

    # Processes

    def processes(self, *words: str) -> list[int]:
        """Returns the process ids below the launcher whose command line contains every word, the parents first."""
        assert self.launcher is not None
        return [pid for pid in cpu.family(self.launcher.pid) if all(word in command_line(pid) for word in words)]

    def web_workers(self) -> list[int]:
        """Returns the web server's worker processes, without its supervisor."""
        return self.processes("hims.web")[1:]

    def postmaster(self) -> int:
        return int(next(self.folder.glob("postgres-*/postmaster.pid")).read_text().split()[0])

    def redis_process(self) -> int:
        """Returns the embedded Redis or Valkey, which a supervisor outside the launcher's process tree guards."""
        pids = [int(place.name) for place in Path("/proc").iterdir() if place.name.isdigit()]
        serving = [pid for pid in pids if "-server" in command_line(pid) and str(paths.redis_socket()) in command_line(pid)]
        by_folder = [pid for pid in pids if "-server" in command_line(pid) and str(self.folder) in _cwd(pid)]
        return (serving or by_folder)[0]

    # Database

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Returns the rows of a query on the embedded database."""
        with psycopg.connect(
            host=str(paths.socket_dir()), user=paths.DATABASE, dbname=paths.DATABASE, connect_timeout=2, autocommit=True
        ) as connection:
            return connection.execute(sql.encode()).fetchall()  # bytes: the statements are constants of this package

    def query_answers(self) -> bool:
        """Returns True if the embedded database runs a statement. Raises psycopg.Error if it does not."""
        return bool(self.query("SELECT 1"))

    def waiting(self) -> int:
        """Returns how many events and deliveries have not been handed to their listeners yet."""
        rows = self.query(
            "SELECT (SELECT count(*) FROM events_outboxevent WHERE relayed_at IS NULL)"
            " + (SELECT count(*) FROM events_delivery WHERE status = 'pending')"
        )
        return int(rows[0][0])


@contextmanager
def running(port: int, folder: Path) -> Iterator[System]:
    """A system in this folder, stopped afterwards. A folder that holds a prepared system starts within seconds."""
    system = System(folder, port)
    try:
        system.start()
        yield system
    finally:
        system.stop()


def free_port() -> int:
    """Returns a TCP port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _cwd(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def eventually(is_true: Callable[[], object], *, within: float, every: float = 0.05) -> bool:
    """Returns whether the condition became true within that many seconds. A database or socket that is away counts as false."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        with suppress(psycopg.Error, OSError):
            if is_true():
                return True
        time.sleep(every)
    return False
