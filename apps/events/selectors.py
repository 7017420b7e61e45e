"""Finds the events that wait for a worker, and the deliveries that failed."""

from datetime import datetime

from apps.events import sql
from apps.events.models import Delivery


def oldest_waiting() -> datetime | None:
    """Returns when the oldest event happened whose delivery no worker has started; None if there is none.

    A delivery that failed and waits for its next attempt does not count: workers are working on it.
    """
    return sql.oldest_waiting()


def count_failed() -> int:
    """Returns how many deliveries failed as often as their policy allows and wait for an administrator."""
    return Delivery.objects.filter(status=Delivery.Status.DEAD_LETTERED).count()
