"""Periodic tasks of appointments."""

from collections.abc import Callable

from celery import shared_task

from apps.access.actor import SYSTEM
from apps.appointments import services
from apps.appointments.queries.prepared import ROW_COUNTER

_BATCHES = 5  # the number of batches of each kind in one run


@shared_task
def compact_row_counter() -> int:
    """Sums up the rows of the row counter, so that reading it stays fast."""
    return ROW_COUNTER.compact()


@shared_task
def keep_waitlist() -> int:
    """Settles the waitlist's offers and entries that have expired, and offers the times that are still free. Returns how many
    were settled.

    Works in batches, each in its own transaction. Several workers may run it at once. The next run continues.
    """
    settled = sum(_in_batches(act) for act in (services.expire_offers, services.close_taken_offers, services.expire_entries))
    services.offer_all_freed_slots(by=SYSTEM)
    return settled


def _in_batches(service: Callable[..., int]) -> int:
    settled = 0
    for _ in range(_BATCHES):
        count = service(by=SYSTEM)
        settled += count
        if not count:
            break
    return settled
