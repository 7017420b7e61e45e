"""The checks before a start, so that a problem is reported as a sentence and not as a traceback."""

import errno
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hims import env
from hims.launch import paths
from hims.launch.errors import CannotStart
from hims.launch.locks import Lock

DEFAULT_PORT = 8000
ROOM = 300  # MB
ROOM_TO_GO_ON = 20  # MB
LEAVING = 3.0  # seconds in which the web server of a killed system may finish its requests


def environment() -> str:
    """Returns the kind of installation. Refuses those of clinics."""
    env.default_to_sandbox()
    name = env.name()
    if name in ("production", "staging"):
        raise CannotStart(
            f"HIMS_ENV is {name}: `make run` is for sandbox and development, with servers of its own. "
            "For a clinic use the Dockerfile and compose.yaml; the README says how."
        )
    return name


def port() -> int:
    """HIMS_PORT, as a number."""
    text = os.environ.get("HIMS_PORT") or str(DEFAULT_PORT)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise CannotStart(f"HIMS_PORT is {text!r}; it must be a number from 1 to 65535.")
    return int(text)


def require_free_port(number: int) -> None:
    """Refuses a port in use; waits a moment for the web server of a killed system to end."""
    until = time.monotonic() + LEAVING
    while error := _cannot_listen(number):
        if error.errno == errno.EACCES:
            raise CannotStart(f"Port {number} needs root. Choose one from 1024 up, for example HIMS_PORT=8001 make run.")
        if error.errno != errno.EADDRINUSE or time.monotonic() > until:
            raise CannotStart(
                f"Port {number} on 127.0.0.1 is taken by another program. Stop that one, or choose another port, "
                f"for example HIMS_PORT={number + 1 if number < 65535 else 8001} make run."
            )
        time.sleep(0.2)


def _cannot_listen(number: int) -> OSError | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the web server: closed connections do not count
        try:
            probe.bind(("127.0.0.1", number))
            probe.listen(1)
        except OSError as error:
            return error
    return None


@contextmanager
def single_instance(data: Path) -> Iterator[None]:
    """Allows one `make run` for each data folder."""
    lock = Lock(paths.lock("launcher"))
    try:
        if not lock.try_exclusive(seconds=LEAVING):
            raise CannotStart(
                f"HIMS already runs with the data in {data} (process {lock.noted()}). Stop that one, or start another "
                "one with its own HIMS_DATA_DIR and HIMS_PORT."
            )
        lock.note(str(os.getpid()))
        yield
    finally:
        lock.close()
