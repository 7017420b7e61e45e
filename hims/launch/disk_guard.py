"""Keeps the system readable while the disk of the data folder is full.

PostgreSQL panics when it finds no room for its write-ahead log, and then charts cannot be read either. The launcher therefore
keeps a reserve file. When the disk is almost full it renames the file to FULL, which makes the web server refuse writes
(`apps.common.disk`). Once there is no room at all, it shortens the file step by step, which gives room for the audit rows of
reads and for work in progress; a step waits a second, so that a program that fills the disk has failed by then and does not take
that room too. When there is space again the file becomes the reserve once more. One file with two names: renaming needs no room.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from apps.common.disk import FULL
from hims.launch.errors import mebibytes_free
from hims.launch.processes import Say

MEBIBYTE = 1024 * 1024
RESERVE = 64  # MB
STEP = 16  # MB; one segment of PostgreSQL's write-ahead log
LOW = 2 * STEP
EXHAUSTED = 4  # MB
STEP_SECONDS = 1.0


class DiskGuard:
    """Watches the free space of one data folder."""

    def __init__(self, data: Path, say: Say, *, free: Callable[[Path], int] = mebibytes_free) -> None:
        self.data, self.say, self.free = data, say, free
        self.reserve, self.full = data / "reserve", data / FULL
        self.exhausted_since = 0.0

    def look(self) -> None:
        """Stops writes, allows them again, or creates the reserve. Never raises, because the next call follows soon."""
        with suppress(OSError):
            free = self.free(self.data)
            if self.full.exists():
                if free + self._held() >= RESERVE + LOW:
                    self._allow_writes()
                else:
                    self._give_room(free)
            elif free < LOW:
                self._stop_writes(free)
            elif not self.reserve.exists() and free >= RESERVE + 2 * LOW:
                self._fill()

    def _stop_writes(self, free: int) -> None:
        if self.reserve.exists():
            self.reserve.rename(self.full)
        self.full.touch()
        self.say(f"The disk is almost full ({free} MB free for {self.data}): HIMS refuses writes until there is space again.")

    def _held(self) -> int:
        return self.full.stat().st_size // MEBIBYTE

    def _give_room(self, free: int) -> None:
        now = time.monotonic()
        if free >= EXHAUSTED:
            self.exhausted_since = 0.0
        elif not self.exhausted_since:
            self.exhausted_since = now
        elif now - self.exhausted_since >= STEP_SECONDS:
            os.truncate(self.full, max(0, self._held() - STEP) * MEBIBYTE)
            self.exhausted_since = now

    def _allow_writes(self) -> None:
        self.full.rename(self.reserve)
        self.say("There is space on the disk again: HIMS accepts writes.")
        self._fill()

    def _fill(self) -> None:
        with self.reserve.open("wb") as file:
            for _ in range(RESERVE):
                file.write(bytes(MEBIBYTE))
