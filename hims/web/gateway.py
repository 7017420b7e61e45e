"""Routes a request: to the web thread, to the health thread, or first to the event loop, which waits for its body."""

import asyncio
import logging
import threading
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any

from apps.common.errors import HimsError
from hims.web.bodies import Bodies, is_expected
from hims.web.collector import WarmUp
from hims.web.translation import Application, respond

Arrived = tuple[Any, bytes, type[HimsError] | None]  # granian's request, the body, and the refusal if the body is not taken

log = logging.getLogger(__name__)

LIVE, READY = "/health/live", "/health/ready"


class Gateway:
    """The requests of one worker.

    One thread handles requests, because more threads made lists slower. `/health/ready` has its own thread, and `/health/live` is
    handled where requests arrive, so both respond while the web thread is busy. Bodies wait in the event loop.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        self.requests: SimpleQueue[Arrived] = SimpleQueue()
        self.probes: SimpleQueue[Arrived] = SimpleQueue()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Starts the threads. Called in the worker, because threads do not survive a fork."""
        self.loop = loop
        self.bodies = Bodies()
        for name, queue in (("web", self.requests), ("health", self.probes)):
            threading.Thread(target=self._answer_all, args=(queue,), name=name, daemon=True).start()

    def dispatch(self, watcher: Any) -> None:
        """Takes a request from the server and returns at once, because the next request waits for this thread."""
        try:
            scope = watcher.scope
            if is_expected(scope.headers):
                self.loop.call_soon_threadsafe(self.bodies.start, scope.headers, watcher.proto, partial(self._deliver, watcher))
            elif scope.path == LIVE:
                self._answer(watcher, b"", None)
            else:
                (self.probes if scope.path == READY else self.requests).put((watcher, b"", None))
        except Exception:
            log.exception("a request could not be taken")
            watcher.done()

    def _deliver(self, watcher: Any, body: bytes, refusal: type[HimsError] | None) -> None:
        self.requests.put((watcher, body, refusal))

    def _answer_all(self, queue: SimpleQueue[Arrived]) -> None:
        warm_up = WarmUp()
        while True:
            self._answer_next(*queue.get())  # in a separate call: a variable that refers to a request keeps its connection open
            warm_up.count()

    def _answer_next(self, watcher: Any, body: bytes, refusal: type[HimsError] | None) -> None:
        self._answer(watcher, body, refusal)
        if body:
            with suppress(RuntimeError):  # the loop is closed: this worker stops
                self.loop.call_soon_threadsafe(self.bodies.release, len(body))

    def _answer(self, watcher: Any, body: bytes, refusal: type[HimsError] | None) -> None:
        try:
            respond(self.application, watcher.scope, watcher.proto, body, refusal)
        except BaseException:
            log.exception("the application failed")
            watcher.done()  # 500, unless the reply has begun
