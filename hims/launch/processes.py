"""Child processes that are started, watched, restarted and stopped together, and that die with their parent."""

# ruff: noqa: S603 (every command here is our own, none comes from a request)

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hims.launch.errors import failure

FIRST_PAUSE = 0.2  # seconds between a death and the restart; doubled with each further death
STEADY = 5.0  # seconds after which a process counts as able to run: its later deaths are no reason to give up
REPORTED = 3  # deaths in a row that are reported one by one
LARGEST_LOG = 10 * 1024**2
PR_SET_PDEATHSIG = 1  # linux/prctl.h

Say = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """What to run, and how often it may die at its start (`deaths` within `window` seconds) before that counts as a failure.

    A program that has run for STEADY seconds, or is not `essential`, is started again however often it dies, at most
    `longest_pause` seconds later.
    """

    name: str
    command: Sequence[str]
    log: str
    stop_signal: int = signal.SIGTERM
    uid: int | None = None
    gid: int | None = None
    env: dict[str, str] | None = None
    deaths: int = 5
    window: float = 60.0
    essential: bool = True
    longest_pause: float = 5.0


def die_with_parent(stop_signal: int, *, parent: int | None = None) -> Callable[[], None]:
    """Returns a preexec_fn for Popen: the kernel sends the signal when the parent dies, even by kill -9. Linux only."""
    parent = os.getpid() if parent is None else parent
    libc = ctypes.CDLL(None) if sys.platform.startswith("linux") else None

    def ask() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != parent:  # died between the fork and the line above
            os._exit(1)

    return ask


def fresh_log(path: Path) -> Path:
    """Returns the log to append to; a large one is renamed first."""
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    return path


@dataclass
class Child:
    """One program and its current process."""

    program: Program
    keep_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    died_at: list[float] = field(default_factory=list)
    started_at: float = 0.0
    due: float = 0.0
    persists: bool = False  # it has shown that it can run

    def start(self) -> None:
        program = self.program
        self.started_at = time.monotonic()
        owner: dict[str, object] = {} if program.uid is None else {"user": program.uid, "group": program.gid, "extra_groups": []}
        with fresh_log(Path(program.log)).open("ab") as log:
            self.process = subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=program.env,
                start_new_session=True,  # Ctrl-C in the terminal reaches the parent alone, which stops children in order
                pass_fds=self.keep_fds,
                preexec_fn=die_with_parent(program.stop_signal),  # noqa: PLW1509 (only the child can ask for this)
                **owner,  # type: ignore[call-overload]  # the arguments of the owner are those of Popen
            )

    def look(self, say: Say) -> None:
        """Notices a death, and restarts after a pause. Raises CannotStart if it dies too often at its start."""
        now = time.monotonic()
        if self.process is None:
            if now > self.due:
                self._start_again(say)
        elif self.process.poll() is not None:
            self._died(say)
        elif now > self.started_at + STEADY:
            self.persists = True

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.program.stop_signal)

    def wait(self, seconds: float) -> None:
        """Waits for the end, then kills the child and the processes it started."""
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(seconds, 0))
        self._kill_group()
        self.process.wait()
        self.process = None

    def _died(self, say: Say) -> None:
        assert self.process is not None
        code, now = self.process.returncode, time.monotonic()
        self._kill_group()  # workers of a dead web server would go on answering on its port
        self.process = None
        self.died_at = [*(at for at in self.died_at if at > now - self.program.window), now]
        if self._gives_up():
            times = f"ended {len(self.died_at)} times within {self.program.window:.0f} seconds"
            raise failure(f"{self.program.name} {times}, the last time {ending(code)}.", Path(self.program.log))
        self._wait(say, f"{self.program.name} ended ({ending(code)}) and is started again; its log: {self.program.log}")

    def _gives_up(self) -> bool:
        return self.program.essential and not self.persists and len(self.died_at) >= self.program.deaths

    def _wait(self, say: Say, why: str) -> None:
        """Schedules a restart, later after each failure; reports it only the first times."""
        failures = len(self.died_at)
        pause = min(FIRST_PAUSE * 2 ** min(failures - 1, 10), self.program.longest_pause)
        self.due = time.monotonic() + pause
        if failures <= REPORTED:
            say(why)
        elif failures == REPORTED + 1:
            say(f"{self.program.name} keeps ending. It is started again and again, every {self.program.longest_pause:.0f} s.")

    def _start_again(self, say: Say) -> None:
        """Starts the child again. A full disk or a full process table may refuse that."""
        try:
            self.start()
        except OSError as error:
            self.died_at.append(time.monotonic())
            if self._gives_up():
                raise
            self._wait(say, f"{self.program.name} could not be started ({error}); it is tried again")

    def _kill_group(self) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


class ProcessGroup:
    """The children of one parent."""

    def __init__(self, programs: Sequence[Program], say: Say, *, keep_fds: tuple[int, ...] = ()) -> None:
        self.children = [Child(program, keep_fds) for program in programs]
        self.say = say

    def start(self) -> None:
        for child in self.children:
            child.start()

    def look(self) -> None:
        """Checks the children once and restarts the dead ones. Raises CannotStart if one dies too often."""
        for child in self.children:
            child.look(self.say)

    def stop(self, *, grace: float) -> None:
        """Asks all children to stop, and kills those still running after the grace period."""
        for child in self.children:
            child.ask_to_stop()
        until = time.monotonic() + grace
        for child in self.children:
            child.wait(until - time.monotonic())


def ending(code: int) -> str:
    """Returns a return code as text."""
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
