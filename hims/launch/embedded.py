"""The embedded servers, shared by all processes that use the same data folder.

`with embedded.servers():` makes sure that they run and takes a share in them. They stop when the last share is released or its
process was killed; `supervisor` explains how. Servers named in DATABASE_URL and REDIS_URL are never touched.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hims import env
from hims.launch import locks, paths, supervisor
from hims.launch.errors import CannotStart, as_message, failure, last_lines
from hims.launch.locks import Lock
from hims.launch.owner import of_the_data, prepare_data_dir
from hims.launch.postgres import Postgres
from hims.launch.processes import Say
from hims.launch.redis_server import Redis

STARTS_WITHIN = 60.0  # seconds; recovery after a crash is part of it
STOPS_WITHIN = supervisor.GRACE + 10.0

Server = Postgres | Redis


def silent(_: str) -> None:
    """Prints nothing."""


class Share:
    """One process's share in one embedded server."""

    def __init__(self, server: Server, say: Say) -> None:
        self.server = server
        self.say = say
        self.users = Lock(self._path("users"))
        self.supervisor_process: subprocess.Popen[bytes] | None = None

    def take(self) -> None:
        """Makes the server run from here on. Raises CannotStart."""
        with locks.exclusively(self._path("start")):
            self.users.shared()  # waits for a keeper that is stopping
            self._run()

    def renew(self) -> None:
        """Starts the server again if its keeper is gone, which only a kill explains. Raises CannotStart."""
        if locks.is_free(self._path("keeper")):
            self.say(f"{self.server.title} is gone and is started again")
            with locks.exclusively(self._path("start")):
                self._run()

    def release(self) -> None:
        """Releases the share. The last process waits until the server has stopped."""
        with locks.exclusively(self._path("start")):
            self.users.release()
            last = self.users.try_exclusive() or not self.users.try_shared()  # not even shared: the keeper has it
            self.users.close()
            if last:
                self._wait_for_supervisor()
            elif self.supervisor_process is not None:
                self.supervisor_process.returncode = 0  # it stays for the others; Popen need not warn of that

    def _run(self) -> None:
        """Starts the server. A keeper that was just killed keeps its lock for some milliseconds; then a second attempt starts
        one."""
        ours = self._launch()
        while not self._serves():
            if ours:
                raise self._failure("does not start")
            ours = self._launch()

    def _launch(self) -> bool:
        """Starts a keeper, unless there is one."""
        lock = Lock(self._path("keeper"))
        try:
            if not lock.try_exclusive():
                return False
            self.supervisor_process = supervisor.launch(self.server.prepare(self.say), lock)
            return True
        finally:
            lock.close()  # the keeper has it now

    def _serves(self) -> bool:
        """Waits until the server responds; returns False if its keeper has gone."""
        until = time.monotonic() + STARTS_WITHIN
        while not self.server.answers():
            if locks.is_free(self._path("keeper")):
                return False
            if time.monotonic() > until:
                raise self._failure(f"did not answer for {STARTS_WITHIN:.0f} s")
            time.sleep(0.05)
        return not locks.is_free(self._path("keeper"))

    def _failure(self, what: str) -> CannotStart:
        last_line = last_lines(supervisor.log(self.server.name), 1).strip()
        return failure(f"{self.server.title} {what}. {last_line}".strip(), paths.log(self.server.name))

    def _wait_for_supervisor(self) -> None:
        lock = Lock(self._path("keeper"))
        if not lock.try_exclusive(seconds=STOPS_WITHIN):
            self.say(f"{self.server.title} takes more than {STOPS_WITHIN:.0f} s to stop, and goes on stopping by itself")
        elif self.supervisor_process is not None:
            self.supervisor_process.wait()
        lock.close()

    def _path(self, what: str) -> Path:
        return paths.lock(f"{self.server.name}.{what}")


class Servers:
    """The shares of this process in the servers that it needs."""

    def __init__(self, shares: list[Share]) -> None:
        self.shares = shares

    def renew(self) -> None:
        """Starts killed servers again. Raises CannotStart."""
        with _as_message():
            for share in self.shares:
                share.renew()


@contextmanager
def servers(*, durable: bool = True, say: Say = silent) -> Iterator[Servers]:
    """Runs embedded PostgreSQL and Redis during the block, unless other servers are named. Raises CannotStart.

    Without `durable` a crash of the machine may lose data: for tests.
    """
    with ExitStack() as stack:
        with _as_message():
            shares = _shares(durable, say) if env.embedded_allowed() else []
            for share in shares:
                stack.callback(share.release)
                share.take()
        yield Servers(shares)


def _shares(durable: bool, say: Say) -> list[Share]:
    wanted = [kind for kind, url in ((Postgres, "DATABASE_URL"), (Redis, "REDIS_URL")) if url not in os.environ]
    if not wanted:
        return []
    data = prepare_data_dir()
    owner = of_the_data(data)
    owner.folder(paths.socket_dir())
    return [Share(kind(data, owner, durable), say) for kind in wanted]


@contextmanager
def _as_message() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise as_message(error, paths.data_dir()) from error
