"""Finds the events that wait for a worker, and the deliveries that wait or failed."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from apps.events import sql
from apps.events.models import Delivery


@dataclass(frozen=True)
class DeliveryCounts:
    """How many deliveries wait for their first attempt, wait for another one, and failed for good."""

    waiting: int
    retrying: int
    failed: int


def oldest_waiting() -> datetime | None:
    """Returns when the oldest event happened whose delivery no worker has started; None if there is none.

    A delivery that failed and waits for its next attempt does not count: workers are working on it.
    """
    return sql.oldest_waiting()


def count_failed() -> int:
    """Returns how many deliveries failed as often as their policy allows and wait for an administrator."""
    return Delivery.objects.filter(status=Delivery.Status.DEAD_LETTERED).count()


def failed(number: int) -> list[Delivery]:
    """Returns the latest of these deliveries, each with its event."""
    rows = Delivery.objects.filter(status=Delivery.Status.DEAD_LETTERED).select_related("event")
    return list(rows.order_by("-id")[:number])


def delivery_counts() -> DeliveryCounts:
    """Returns the numbers of the deliveries that are not done."""
    pending, failed_ = Q(status=Delivery.Status.PENDING), Q(status=Delivery.Status.DEAD_LETTERED)
    return DeliveryCounts(
        **Delivery.objects.filter(pending | failed_).aggregate(
            waiting=Count("pk", filter=pending & Q(attempts=0)),
            retrying=Count("pk", filter=pending & Q(attempts__gt=0)),
            failed=Count("pk", filter=failed_),
        )
    )
