"""How many appointments of a patient are booked. Higher apps register how they count them when they load.

booked_appointments.register_booked_counter(selectors.count_upcoming)
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

BookedCounter = Callable[[UUID, datetime], int]

_booked: list[BookedCounter] = []


def register_booked_counter(counter: BookedCounter) -> None:
    """Registers a function that counts the booked appointments of a patient from an instant on."""
    _booked.append(counter)


def booked(patient_id: UUID, since: datetime) -> int:
    """Returns how many appointments of the patient are booked from the instant on, as the higher apps count them."""
    return sum(counter(patient_id, since) for counter in _booked)
