"""Ports of the accounts app: what higher apps answer about a user. They register when they load.

ports.register_booked_counter(selectors.still_booked_with)
"""

from collections.abc import Callable
from uuid import UUID

from apps.access.actor import Actor

Counter = Callable[[Actor, UUID], int]

_counters: list[Counter] = []


def register_booked_counter(counter: Counter) -> None:
    """Registers a function that counts the doctor's booked appointments that the actor may see, from now on."""
    _counters.append(counter)


def count(by: Actor, doctor_id: UUID) -> int:
    """Returns how many appointments are booked with the doctor from now on, of those that the actor may see."""
    return sum(counter(by, doctor_id) for counter in _counters)
