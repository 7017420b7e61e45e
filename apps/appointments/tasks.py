"""Upkeep of the diary."""

from collections.abc import Callable

from celery import shared_task

from apps.access.actor import SYSTEM
from apps.appointments import services, tally

_PORTIONS = 5  # of each kind in one run


@shared_task
def fold_tally() -> int:
    """Add the rows of the tally together, so that reading it stays cheap."""
    return tally.fold()


@shared_task
def keep_waitlist() -> int:
    """Settle the offers and entries of the waitlist whose time is over, and offer what is still free. Answers how many were
    settled.

    In portions, each its own transaction; any number of workers may run at once. What is left waits for the next run.
    """
    settled = sum(_portions(act) for act in (services.expire_offers, services.lose_taken, services.expire_waits))
    services.pass_on_all(by=SYSTEM)
    return settled


def _portions(act: Callable[..., int]) -> int:
    settled = 0
    for _ in range(_PORTIONS):
        found = act(by=SYSTEM)
        settled += found
        if not found:
            break
    return settled
