"""granian with our gateway, and workers that are replaced at once.

Workers are forked from a process that has loaded Django, so a new one serves within a fraction of a second. The names with an
underscore are granian's own; requirements.txt pins its version, and test_live.py fails if they change.
"""

import asyncio
import multiprocessing
import time
from functools import partial
from typing import Any

from granian._granian import CallbackScheduler
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import mp

from hims.web.gateway import Gateway
from hims.web.translation import Application

HEADER_MILLISECONDS = 10_000  # for the headers of a request; also how long a connection may stay idle between two
BACKLOG = 1024
RELOAD_OVERLAP = 1.0  # seconds in which, at SIGHUP, a new worker and the one it replaces both answer
SHORT_LIFE = 5.0  # seconds; a worker that dies younger is replaced more slowly each time
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds


class Scheduler(CallbackScheduler):
    """The object that granian calls for each request, in the thread that it shares with Python."""

    def __init__(self, loop: asyncio.AbstractEventLoop, gateway: Gateway, *_task_functions: Any) -> None:
        super().__init__()
        gateway.start(loop)
        self._schedule_fn = gateway.dispatch


class Server(mp.MPServer):
    """Replaces each worker that dies, however many die and however often."""

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        pause = FIRST_PAUSE
        while not self.interrupt_signal:
            self.main_loop_interrupt.wait()
            self.main_loop_interrupt.clear()  # before the look at who died: a death during the look wakes the next wait
            while self.interrupt_children and not self.interrupt_signal:
                number = self.interrupt_children.pop(0)
                if time.monotonic() - self.wrks[number].birth < SHORT_LIFE:
                    time.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                else:
                    pause = FIRST_PAUSE
                self._respawn_workers([number], spawn_target, target_loader)
            if self.reload_signal:
                self._reload(spawn_target, target_loader)  # type: ignore[no-untyped-call]  # granian's own


def serve(application: Application, *, host: str, port: int, workers: int, stop_within: int) -> None:
    """Serves the WSGI application until a signal. `stop_within` is the number of seconds that requests have to end at a stop."""
    multiprocessing.set_start_method("fork", force=True)
    gateway = Gateway(application)
    mp._new_cbscheduler = partial(_scheduler, gateway)  # type: ignore[attr-defined]  # granian's own, not exported
    server = Server(
        "hims.web:gateway",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        workers=workers,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        respawn_interval=RELOAD_OVERLAP,
        workers_kill_timeout=stop_within,
    )
    server.serve(target_loader=lambda: gateway.dispatch, wrap_loader=False)


def _scheduler(gateway: Gateway, loop: asyncio.AbstractEventLoop, _callback: Any, impl_asyncio: bool = False) -> Scheduler:  # noqa: ARG001
    functions = (partial(enter, loop) for enter in (asyncio.tasks._enter_task, asyncio.tasks._leave_task))
    return Scheduler(loop, gateway, None, *functions)
