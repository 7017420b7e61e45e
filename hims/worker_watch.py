"""Ends a worker that takes no task although tasks wait; its parent (`make run`, Docker) starts another.

After an outage of Redis, Celery's worker may stay connected, answer a ping, and take no task any more (celery/celery#8091,
#10205, #10302: reported since version 5.0). The watch asks Redis, on a connection of its own, whether tasks wait in the worker's
queues, and counts the tasks that the worker accepts. It does not end a worker that is busy with a task, unless that takes so long
that it hangs; Celery's own time limit may leave the worker without a process (celery/celery#4789). The outbox stores what the
lost tasks had to do, and the sweep picks it up.
"""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

import redis
from celery.bootsteps import StartStopStep
from celery.worker import state
from django.conf import settings

log = logging.getLogger(__name__)

EVERY = 2.0  # seconds between two checks
PATIENCE = 15.0  # seconds in which tasks wait and none is taken
LONGEST = 300.0  # seconds of a task while others wait; after them Redis hands it out again anyway (`visibility_timeout`)
EXIT_CODE = 70  # EX_SOFTWARE


class Standstill:
    """Decides from a series of checks whether the worker is stuck. Times are seconds of any monotonic clock."""

    def __init__(self, patience: float | None = None, longest: float | None = None) -> None:
        self._patience = PATIENCE if patience is None else patience
        self._longest = LONGEST if longest is None else longest
        self._since: float | None = None  # tasks wait and none was taken
        self._idle_since: float | None = None  # and none was run
        self._taken = -1

    def seen(self, *, at: float, waiting: bool, taken: int, busy: bool) -> bool:
        """Records whether tasks wait, how many the worker has taken in all, and whether it runs one. Returns True if it is
        stuck."""
        if not waiting or taken != self._taken:
            self._since, self._idle_since, self._taken = None, None, taken
            return False
        self._since = at if self._since is None else self._since
        if busy:
            self._idle_since = None
            return at - self._since >= self._longest
        self._idle_since = at if self._idle_since is None else self._idle_since
        return at - self._idle_since >= self._patience


class Watch(StartStopStep):
    """The step that starts the watch in a worker's main process, once its pool exists."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._over = threading.Event()

    def start(self, parent: Any) -> None:
        threading.Thread(target=self._watch, args=(parent,), name="worker-watch", daemon=True).start()

    def stop(self, parent: Any) -> None:
        self._over.set()

    terminate = stop

    def _watch(self, worker: Any) -> None:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        standstill = Standstill()
        while not self._over.wait(EVERY):
            try:
                waiting = any(client.llen(queue) for queue in list(worker.app.amqp.queues.consume_from))
            except redis.RedisError:
                waiting = False  # if Redis cannot be asked, it does not hand out tasks either
            taken, busy = state.all_total_count[0], bool(state.active_requests)
            if standstill.seen(at=time.monotonic(), waiting=waiting, taken=taken, busy=busy):
                why = "its task hangs" if busy else "it does not progress"
                log.critical("Tasks are waiting and this worker takes none, because %s: it exits and is restarted.", why)
                _end(worker)


def _end(worker: Any) -> None:
    """Ends the process at once: a stuck worker cannot be relied on to stop in order, and a task that hangs must be given up
    anyway."""
    for child in getattr(getattr(worker.pool, "_pool", None), "_pool", None) or ():
        with suppress(OSError):
            os.kill(child.pid, signal.SIGKILL)
    os._exit(EXIT_CODE)
