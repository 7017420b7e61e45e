"""Runs actions at the same instant, to test races."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from django.db import connection

from apps.common.errors import HimsError

T = TypeVar("T")


def run_concurrently(count: int, act: Callable[[int], T]) -> list[T]:
    """Calls `act` with 0 to count - 1 at once, each call in a thread with its own connection. Returns the results in order."""
    ready = Barrier(count)

    def one(number: int) -> T:
        try:
            ready.wait(10)
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def race(*actions: Callable[[], Any], refusal: type[HimsError] = HimsError) -> list[Any]:
    """Runs the actions at once. Returns for each its result, or the refusal it raised. Any other error is raised here."""

    def run(number: int) -> Any:
        try:
            return actions[number]()
        except refusal as refused:
            return refused

    return run_concurrently(len(actions), run)
