"""Upkeep of the diary."""

from collections.abc import Callable

from celery import shared_task

from apps.access.actor import SYSTEM
from apps.appointments import services
from apps.appointments.queries.prepared import ROW_COUNTER

_BATCHES = 5  # of each kind in one run


@shared_task
def compact_row_counter() -> int:
    """Add the rows of the row counter up, so that reading it stays cheap."""
    return ROW_COUNTER.compact()


@shared_task
def keep_waitlist() -> int:
    """Settle the offers and entries of the waitlist whose time is over, and offer what is still free. Answers how many were
    settled.

    In portions, each its own transaction; any number of workers may run at once. What is left waits for the next run.
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
