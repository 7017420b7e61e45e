"""What patients registers in the floors below: which charts are closed to a caller who repeats a request."""

from collections.abc import Collection
from uuid import UUID

from apps.access.actor import Actor
from apps.patients import selectors
from apps.rest import replays


def is_closed(by: Actor, ids: Collection[UUID]) -> bool:
    """Returns whether one of these ids belongs to a patient whose chart the actor may not open."""
    return selectors.any_closed(by, ids)


replays.register_closed_check(is_closed)
