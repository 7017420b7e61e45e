"""Many at the same instant: what a race is tested with."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def run_concurrently(count: int, act: Callable[[int], T]) -> list[T]:
    """What `act` answered to so many threads that called it together, each with a connection of its own."""
    ready = Barrier(count)

    def one(number: int) -> T:
        try:
            ready.wait(10)
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
