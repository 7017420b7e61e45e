"""Advisory locks on files: the kernel releases them when their process dies, in whatever way."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Lock:
    """A process's view of a lock file. Shared locks exclude an exclusive one, and the reverse."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def shared(self) -> None:
        fcntl.flock(self.fd, fcntl.LOCK_SH)

    def exclusive(self) -> None:
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self, *, seconds: float = 0) -> bool:
        """Returns whether the lock is ours now; tries for so many seconds."""
        until = time.monotonic() + seconds
        while not (got := self._try(fcntl.LOCK_EX)) and time.monotonic() < until:
            time.sleep(0.02)
        return got

    def release(self) -> None:
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def close(self) -> None:
        with suppress(OSError):
            os.close(self.fd)

    def note(self, text: str) -> None:
        """Writes a note for a process that finds the lock taken."""
        with suppress(OSError):  # a full disk
            os.ftruncate(self.fd, 0)
            os.pwrite(self.fd, text.encode(), 0)

    def noted(self) -> str:
        return os.pread(self.fd, 100, 0).decode()

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Keeps the lock exclusively during a block."""
    lock = Lock(path)
    try:
        lock.exclusive()
        yield
    finally:
        lock.close()


def is_free(path: Path) -> bool:
    """Returns whether the lock is free at this moment."""
    lock = Lock(path)
    try:
        return lock.try_exclusive()
    finally:
        lock.close()
