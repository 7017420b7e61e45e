"""Ports of the accounts app: what higher apps answer about a user. They register when they load.

ports.register_booked_counter(selectors.still_booked_with)
"""

from collections.abc import Callable
from uuid import UUID

from apps.access.actor import Actor

BookedCounter = Callable[[Actor, UUID], int]

_booked: list[BookedCounter] = []


def register_booked_counter(counter: BookedCounter) -> None:
    """Registers a function that counts the doctor's booked appointments that the actor may see, from now on."""
    _booked.append(counter)


def booked(by: Actor, doctor_id: UUID) -> int:
    """Returns how many appointments are booked with the doctor from now on, of those that the actor may see."""
    return sum(counter(by, doctor_id) for counter in _booked)
