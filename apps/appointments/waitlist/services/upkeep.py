"""The periodic work on the waitlist: settles what has expired, and offers the times that are still free."""

from collections.abc import Callable

from apps.access.actor import Actor
from apps.appointments.waitlist.services.entries import expire_entries
from apps.appointments.waitlist.services.offers import close_taken_offers, expire_offers, offer_all_freed_slots

_BATCHES = 5  # the number of batches of each kind in one run


def keep_waitlist(*, by: Actor) -> int:
    """Settles the waitlist's offers and entries that have expired, and offers the times that are still free. Returns how many
    were settled.

    Works in batches, each in its own transaction. Several workers may run it at once. The next run continues.
    """
    settled = sum(_in_batches(service, by) for service in (expire_offers, close_taken_offers, expire_entries))
    offer_all_freed_slots(by=by)
    return settled


def _in_batches(service: Callable[..., int], by: Actor) -> int:
    settled = 0
    for _ in range(_BATCHES):
        count = service(by=by)
        settled += count
        if not count:
            break
    return settled
