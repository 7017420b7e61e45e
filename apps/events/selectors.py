"""Finds the events that wait for a worker."""

from datetime import datetime

from apps.events import sql


def oldest_waiting() -> datetime | None:
    """Returns when the oldest event happened whose delivery no worker has started; None if there is none.

    A delivery that failed and waits for its next attempt does not count: workers are working on it.
    """
    return sql.oldest_waiting()
