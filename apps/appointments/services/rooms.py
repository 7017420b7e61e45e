"""Adds, renames, closes and reopens rooms. A room with appointments is never deleted."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.access.actor import Actor
from apps.appointments.events import RoomAdded, RoomChanged
from apps.appointments.models import Room
from apps.common import text
from apps.common.errors import Conflict, Invalid, NotFound
from apps.events.services import emit


class RoomExists(Conflict):
    message = "This site already has a room with this name. Reopen it if it is closed."


@transaction.atomic
def add_room(*, by: Actor, name: str, location: str = "") -> Room:
    """Adds a room for appointments. Raises Invalid, RoomExists."""
    try:
        with transaction.atomic():
            row = Room.objects.create(**_named(name=name, location=location))
    except IntegrityError as clash:
        raise RoomExists from clash
    emit(RoomAdded(room_id=row.pk), by=by)
    return row


@transaction.atomic
def rename_room(*, by: Actor, room_id: UUID, **names: str) -> Room:
    """Changes `name` or `location`; a name that is not passed stays the same. Raises NotFound, Invalid, RoomExists."""
    return _changed(by, _lock_room(by, room_id), **_named(**names))


@transaction.atomic
def close_room(*, by: Actor, room_id: UUID) -> Room:
    """Closes the room for new appointments; booked ones stay. Raises NotFound."""
    return _changed(by, _lock_room(by, room_id), is_active=False)


@transaction.atomic
def reopen_room(*, by: Actor, room_id: UUID) -> Room:
    """Opens the room again. Raises NotFound."""
    return _changed(by, _lock_room(by, room_id), is_active=True)


def _lock_room(by: Actor, room_id: UUID) -> Room:
    row = Room.objects.visible_to(by).select_for_update().filter(pk=room_id).first()
    if row is None:
        raise NotFound("There is no such room.")
    return row


def _named(**names: str) -> dict[str, str]:
    trimmed = {field: text.checked_line(value, field=field) for field, value in names.items()}
    if trimmed.get("name") == "":
        raise Invalid(field="name", issue="Enter the room's name.")
    return trimmed


def _changed(by: Actor, row: Room, **values: Any) -> Room:
    try:
        with transaction.atomic():
            changed = row.amend(**values)
    except IntegrityError as clash:
        raise RoomExists from clash
    if changed:
        emit(RoomChanged(room_id=row.pk, changes=tuple(changed)), by=by)
    return row
