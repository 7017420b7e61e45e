"""Guards one embedded server while any process uses it; a separate process, run as `python -m hims.launch.supervisor`.

Every process that uses the server (`make run`, `manage.py`, a test run) has a shared lock on the file `NAME.users`. The keeper
waits for an exclusive lock on it: the kernel grants it when the last user is gone, whether it ended or was killed. Then the
server is stopped, so it never outlives its users and never stops while one needs it. Three more lock files show who is there:

- `NAME.start`: a process that starts or leaves has it, one at a time;
- `NAME.keeper`: the keeper has it from the process that started it, so that there is never a second one;
- `NAME.server`: the server and its children have it, so that a new server waits until a killed one is completely gone.
"""

# ruff: noqa: S603 (every command here is our own, none comes from a request)

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from hims.launch import paths
from hims.launch.errors import CannotStart
from hims.launch.locks import Lock
from hims.launch.processes import Child, ProcessGroup, Program

GRACE = 30.0  # seconds for a clean stop: PostgreSQL writes a checkpoint
LEFTOVER = 3.0  # seconds in which a server notices that its own keeper was killed


def log(name: str) -> Path:
    """Returns the log of the server's current keeper."""
    return paths.log(f"{name}-keeper")


def launch(program: Program, supervisor_lock: Lock) -> subprocess.Popen[bytes]:
    """Starts a keeper and passes it the lock that shows its presence."""
    with log(program.name).open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "hims.launch.supervisor", program.name, str(supervisor_lock.fd)],
            cwd=paths.PROJECT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(supervisor_lock.fd,),
            start_new_session=True,
        )
    assert process.stdin is not None
    with process.stdin as order:
        order.write(json.dumps(asdict(program)).encode())
    return process


def main(lock_fd: int, program: Program) -> int:
    os.chdir("/")  # the servers' user may not enter the project
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    for unwanted in (signal.SIGINT, signal.SIGHUP):
        signal.signal(unwanted, lambda *_: None)  # not SIG_IGN, which the server would inherit
    users, server = Lock(paths.lock(f"{program.name}.users")), Lock(paths.lock(f"{program.name}.server"))
    threading.Thread(target=_wait_for_the_last_user, args=(users, done), daemon=True).start()
    try:
        _wait_for_a_killed_server(server, program)
        _guard(program, server, done)
    except CannotStart as error:
        _say(str(error))
        return 1
    finally:
        server.close()
        os.close(lock_fd)  # before `users`: the next user must not think that this keeper still serves
        users.close()
    return 0


def _guard(program: Program, server: Lock, done: threading.Event) -> None:
    group = ProcessGroup([program], _say, keep_fds=(server.fd,))
    try:
        group.start()
        while not done.wait(0.2):
            _record_pid(server, group.children[0])
            group.look()
    finally:
        group.stop(grace=GRACE)


def _record_pid(server: Lock, child: Child) -> None:
    pid = str(child.process.pid) if child.process else ""
    if server.noted() != pid:
        server.note(pid)


def _wait_for_the_last_user(users: Lock, done: threading.Event) -> None:
    users.exclusive()
    done.set()


def _wait_for_a_killed_server(server: Lock, program: Program) -> None:
    """Stops a server whose keeper was killed, if the kernel has not."""
    if server.try_exclusive(seconds=LEFTOVER):
        return
    with suppress(ValueError, ProcessLookupError):
        os.kill(int(server.noted()), program.stop_signal)
    if not server.try_exclusive(seconds=GRACE):
        raise CannotStart(f"An older {program.name} server (process {server.noted()}) still runs and does not stop.")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[2]), Program(**json.load(sys.stdin))))
