"""One at a time: a command that another run of itself must not cross."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_ATTEMPTS = 50  # tenths of a second


class AlreadyRunning(Exception):
    """Another run has the lock."""


@contextmanager
def advisory_lock(key: int, message: str) -> Iterator[None]:
    """Hold the lock of this number. A killed run's lock goes with its connection, which the server may notice a moment later.

    Raises AlreadyRunning, which says `refusal`.
    """
    with connection.cursor() as cursor:
        for _ in range(_ATTEMPTS):
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
            if cursor.fetchone()[0]:
                break
            time.sleep(0.1)
        else:
            raise AlreadyRunning(message)
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
