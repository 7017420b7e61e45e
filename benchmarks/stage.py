"""Everything that is measured: the databases filled, HIMS at both sizes, the floor, and how to ask them."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.auth.hashers import make_password

from apps.accounts.authentication import tokens
from apps.common import redis_client
from apps.sandbox.samples.staff import PASSWORD
from benchmarks import appointment_tables, consultation_tables, cpu, databases, effects, load, measure, patient_tables, statements
from benchmarks.load import Loaded
from benchmarks.measure import Cost, Request, Target
from benchmarks.options import Options
from hims.launch import paths
from hims.launch.errors import failure
from hims.launch.processes import ProcessGroup
from hims.launch.programs import all_programs
from hims.launch.progress import Progress

APPLICATION = "hims.wsgi:application"
FLOOR = "benchmarks.floor:application"
READER = "dr.smith"
READY_WITHIN = 60.0  # seconds
GRACE = 10.0


@dataclass(frozen=True)
class Web:
    """A web server that runs."""

    port: int
    pid: int


class Stage:
    """Made once a run; servers start when they are first asked for and stop with the stack."""

    def __init__(self, options: Options, stack: ExitStack, progress: Progress) -> None:
        self.options = options
        self.stack = stack
        self.progress = progress
        self.loaded = self._fill(options.rows)
        self.loaded_small = self._fill(options.small)
        self.address = databases.address(databases.name(options.rows))

    @cached_property
    def full(self) -> Web:
        """HIMS on all the patients."""
        return self.serve("bench-web", APPLICATION, databases.environment(databases.name(self.options.rows)), "/health/ready")

    @cached_property
    def small(self) -> Web:
        """HIMS on a hundredth of them."""
        return self.serve("bench-small", APPLICATION, databases.environment(databases.name(self.options.small)), "/health/ready")

    @cached_property
    def floor(self) -> Web:
        """The floor on all the patients."""
        known = paths.data_dir() / "floor.json"
        file = {"address": self.address, "hash": self._hash(), "values": self._session(), "statements": self._statements()}
        known.write_text(json.dumps(file))
        return self.serve("bench-floor", FLOOR, databases.environment("postgres") | {"FLOOR_STATEMENTS": str(known)}, "/hello")

    @cached_property
    def token(self) -> str:
        """Of a reader, for requests inside this process."""
        return sign_in(self.full)

    def hims(self, requests: Sequence[Request]) -> Target:
        return self._target(self.full, requests, sign_in(self.full))

    def hims_small(self, requests: Sequence[Request]) -> Target:
        return self._target(self.small, requests, sign_in(self.small))

    def bare(self, requests: Sequence[Request]) -> Target:
        return self._target(self.floor, requests, "")

    def fresh(self, web: Web, requests: Callable[[int, float], Sequence[Request]], token: str = "") -> Target:
        """A server that is never asked the same thing twice."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Target(web.port, web.pid, self.postgres_pid, self.redis_pid, headers, requests)

    def in_turn(self, targets: Mapping[str, Target]) -> dict[str, Cost]:
        return measure.in_turn(targets, rounds=self.options.rounds, seconds=self.options.seconds)

    def serve(self, name: str, application: str, environment: dict[str, str], ready: str, *, wait: bool = True) -> Web:
        """A web server as `make run` starts it, with this application."""
        port = free_port()
        program = all_programs(port)[0]
        command = [application if part == APPLICATION else part for part in program.command]
        group = ProcessGroup(
            [replace(program, name=name, command=command, env=environment, log=str(paths.log(name)))], self.progress.detail
        )
        group.start()
        self.stack.callback(group.stop, grace=GRACE)
        process = group.children[0].process
        assert process is not None
        if wait and not _eventually(lambda: ask(port, ready) is not None):
            raise failure(f"{name} was not ready within {READY_WITHIN:.0f} s.", paths.log(name))
        return Web(port, process.pid)

    def workers(self, environment: dict[str, str]) -> list[int]:
        """The workers and beat that `make run` starts. Returns their process ids."""
        programs = [
            replace(program, name=f"bench-{program.name}", env=environment, log=str(paths.log(f"bench-{program.name}")))
            for program in all_programs(free_port())[1:]
        ]
        group = ProcessGroup(programs, self.progress.detail)
        group.start()
        self.stack.callback(group.stop, grace=GRACE)
        return [child.process.pid for child in group.children if child.process]

    @cached_property
    def postgres_pid(self) -> int:
        with psycopg.connect(self.address) as connection:
            return cpu.parent(connection.info.backend_pid)

    @property
    def database(self) -> str:
        """The server's version and the memory it has."""
        with psycopg.connect(self.address) as connection:
            query = "SELECT current_setting('server_version'), current_setting('shared_buffers')"
            version, buffers = connection.execute(query).fetchone() or ("", "")
        return f"PostgreSQL {version}, shared_buffers {buffers}"

    @cached_property
    def redis_pid(self) -> int:
        return int(redis_client.run(lambda client: client.info("server"))["process_id"])

    def _target(self, web: Web, requests: Sequence[Request], token: str) -> Target:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if requests[0].body:
            headers = {"Content-Type": "application/json"}
        return Target(web.port, web.pid, self.postgres_pid, self.redis_pid, headers, requests)

    def _fill(self, rows: int) -> Loaded:
        database = databases.name(rows)
        loaded = load.already_loaded(databases.address(database)) if databases.exists(database) else None
        if loaded is None:
            databases.make_anew(database)
        databases.run(database, "-m", "hims.launch.prepare")
        if loaded is None:
            with self.progress.step(f"Loading {rows:,} patients and {rows * 3:,} appointments into {database}"):
                loaded = load.load(databases.address(database), rows)
        return loaded

    def _session(self) -> dict[str, str]:
        """The reader and their session, which the floors look up as HIMS does."""
        claims = tokens.read_access(self.token)
        return {"user": str(claims.user_id), "session": str(claims.session_id)}

    def _statements(self) -> dict[str, Any]:
        statements_by_name: dict[str, Any] = {
            "list": patient_tables.LIST,
            "before": patient_tables.BEFORE,
            "detail": patient_tables.DETAIL,
        }
        statements_by_name["audit"] = statements.audit_row(self.token)
        return (
            statements_by_name
            | patient_tables.SEARCH
            | appointment_tables.FLOORS
            | consultation_tables.FLOORS
            | dict(effects.STATEMENTS)
        )

    def _hash(self) -> str:
        """A password hash as HIMS makes them, in the form that argon2-cffi reads."""
        assert settings.PASSWORD_HASHERS[0].endswith("Argon2id")
        return make_password(PASSWORD).removeprefix("argon2")


def sign_in(web: Web) -> str:
    """An access token."""
    answer = ask(web.port, "/v1/auth/login", json.dumps({"username": READER, "password": PASSWORD}))
    assert answer is not None, "the sandbox's doctor could not sign in"
    return str(json.loads(answer)["data"]["tokens"]["access_token"])


def ask(port: int, path: str, body: str | None = None, token: str = "") -> bytes | None:
    """The body of a 2xx answer; None for any other and for none."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body.encode() if body else None)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return bytes(answer.read())
    except (urllib.error.URLError, OSError):
        return None


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


def _eventually(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False
