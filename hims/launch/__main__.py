"""`make run`: checks, embedded servers, migrations, sandbox data, then the processes of HIMS until the user stops them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import FrameType

from django.core.exceptions import ImproperlyConfigured

from hims.launch import checks, embedded, health, paths
from hims.launch.disk_guard import DiskGuard
from hims.launch.errors import CannotStart, as_message, failure, require_disk_space
from hims.launch.owner import prepare_data_dir
from hims.launch.processes import ProcessGroup, Program, die_with_parent
from hims.launch.programs import all_programs
from hims.launch.progress import Progress

WEB_WITHIN = 60.0  # seconds until the web server is ready
GRACE = 15.0  # seconds for requests and tasks that are under way at a stop
SERVERS_LOOKED_AT_EVERY = 3.0  # seconds
LOOK_EVERY = 0.1  # seconds

Programs = Callable[[int], Sequence[Program]]


class StopRequested(BaseException):
    """The user pressed Ctrl-C or a process sent SIGTERM. Not an Exception, so that no handler treats it as a failure."""


def main(programs: Programs = all_programs) -> int:
    """Returns the exit code: 0 after a requested stop, 1 with a message if HIMS could not continue."""
    progress = Progress()
    _listen_for_stops()
    try:
        run(progress, programs)
    except StopRequested:
        progress.line("HIMS has stopped.")
        return 0
    except (CannotStart, ImproperlyConfigured) as error:
        sys.stderr.write(f"\nHIMS stops: {error}\n")
    except OSError as error:
        sys.stderr.write(f"\nHIMS stops: {as_message(error, paths.data_dir())}\n")
    return 1


def run(progress: Progress, programs: Programs) -> None:
    """Starts everything, and runs until StopRequested; then stops what was started. Raises CannotStart if HIMS does not become
    ready."""
    with ExitStack() as stack:
        port = _check(progress, stack)
        with progress.step("Starting PostgreSQL and Redis"):
            servers = stack.enter_context(embedded.servers(say=progress.detail))
        sample = ", and filling the sandbox" if os.environ["HIMS_ENV"] == "sandbox" else ""
        with progress.step(f"Bringing the database up to date{sample} (the first time takes longer)"):
            _prepare()
        group = ProcessGroup(programs(port), progress.line)
        stack.callback(_stop, group, progress)
        with progress.step(f"Starting {', '.join(child.program.name for child in group.children)}"):
            _start(group, port)
        group.children[0].persists = True
        _welcome(progress, port)
        _watch(group, servers, progress)


def _check(progress: Progress, stack: ExitStack) -> int:
    name, port = checks.environment(), checks.port()
    progress.line(f"HIMS {name}, data in {paths.data_dir()}")
    with progress.step(f"Checking port {port} and the disk"):
        require_disk_space(paths.data_dir(), checks.ROOM)
        data = prepare_data_dir()
        stack.enter_context(checks.single_instance(data))
        checks.require_free_port(port)
    return port


def _prepare() -> None:
    """Prepares the database in a separate process that shares our output."""
    result = subprocess.run(
        [sys.executable, "-m", "hims.launch.prepare"],
        cwd=paths.PROJECT,
        stdin=subprocess.DEVNULL,
        check=False,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    if result.returncode:
        require_disk_space(paths.data_dir(), checks.ROOM_TO_GO_ON)
        raise CannotStart("The database could not be prepared: see the reason above.")


def _start(group: ProcessGroup, port: int) -> None:
    """Starts the web server first: three processes that load the project at once would delay the page that the user waits for."""
    group.children[0].start()
    _wait_until_ready(group, port)
    for child in group.children[1:]:
        child.start()


def _wait_until_ready(group: ProcessGroup, port: int) -> None:
    until = time.monotonic() + WEB_WITHIN
    while not health.is_ready(port):
        group.children[0].look(group.say)
        if time.monotonic() > until:
            raise failure(f"The web server was not ready within {WEB_WITHIN:.0f} s.", paths.log("web"))
        time.sleep(0.1)


def _watch(group: ProcessGroup, servers: embedded.Servers, progress: Progress) -> None:
    """Keeps everything running until a signal. A process that ends is started again, however often."""
    guard = DiskGuard(paths.data_dir(), progress.line)
    due, last_problem = 0.0, ""
    while True:
        guard.look()
        if time.monotonic() > due:
            last_problem = _renew(servers, progress, last_problem)
            due = time.monotonic() + SERVERS_LOOKED_AT_EVERY
        group.look()
        time.sleep(LOOK_EVERY)


def _renew(servers: embedded.Servers, progress: Progress, last_problem: str) -> str:
    """Starts killed servers again. It reports the problem once and returns it; the next attempt follows soon."""
    try:
        servers.renew()
    except CannotStart as error:
        if str(error) != last_problem:
            progress.line(f"{error}\nHIMS goes on trying.")
        return str(error)
    return ""


def _stop(group: ProcessGroup, progress: Progress) -> None:
    progress.line("Stopping: first web server, worker and beat, then PostgreSQL and Redis ...")
    group.stop(grace=GRACE)


def _welcome(progress: Progress, port: int) -> None:
    address = f"http://127.0.0.1:{port}"
    progress.line(f"\nHIMS is ready after {progress.seconds:.1f} s.")
    progress.line(f"   Staff         {address}/admin/")
    progress.line(f"   Integrators   {address}/developers/")
    progress.line(f"   API           {address}/v1/version")
    if os.environ["HIMS_ENV"] == "sandbox":
        progress.line(
            "   Sign in as    dr.smith, password Sandbox-2025!   (others: .venv/bin/python manage.py sandbox credentials)"
        )
    progress.line(f"   Logs          {paths.log('web').parent}")
    progress.line("   Stop with     Ctrl-C")


def _listen_for_stops() -> None:
    """Makes the first signal start the stop; later signals do not disturb it."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for one in stops:
            signal.signal(one, lambda *_: None)
        raise StopRequested

    # Signals that nohup or a shell's `&` makes us ignore stay ignored.
    stops = [one for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is not signal.SIG_IGN]
    for one in stops:
        signal.signal(one, stop)
    if "MAKELEVEL" in os.environ:  # a killed `make` takes the system with it
        die_with_parent(signal.SIGTERM, parent=os.getppid())()


if __name__ == "__main__":
    sys.exit(main())
