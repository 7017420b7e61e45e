"""Rooms: added, renamed, closed and opened again."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.appointments import services
from apps.appointments.models import Room
from apps.appointments.rights import Permission
from apps.desk.kit.base import ActiveFilter, HimsModelAdmin
from apps.desk.kit.row_actions import RowAction


@admin.register(Room)
class RoomAdmin(HimsModelAdmin[Room]):
    """Users who book see the rooms; administrators change them."""

    resource = "room"
    title = _("Rooms")
    add_label = _("Add a room")
    list_audit_action = "listed"
    needs = {"view": Permission.ROOM_VIEW, "add": Permission.ROOM_KEEP, "change": Permission.ROOM_KEEP}
    list_display = ("name", "location", "active")
    list_filter = (ActiveFilter,)
    ordering = ("location", "name", "id")
    fields = ("name", "location")
    row_actions = (
        RowAction(
            name="close",
            label="Close the room",
            permission=Permission.ROOM_KEEP,
            run=lambda by, row, _: services.close_room(by=by, room_id=row.pk),
            question="No new appointments can be booked into it. Booked appointments stay.",
            done="The room is closed.",
            available=lambda row, _: row.is_active,
            destructive=True,
        ),
        RowAction(
            name="reopen",
            label="Open the room again",
            permission=Permission.ROOM_KEEP,
            run=lambda by, row, _: services.reopen_room(by=by, room_id=row.pk),
            question="Appointments can be booked into it again.",
            done="The room is open again.",
            available=lambda row, _: not row.is_active,
        ),
    )

    def add(self, request: HttpRequest, form: Any) -> Room:
        cleaned = form.cleaned_data
        return services.add_room(by=request.user, name=cleaned["name"], location=cleaned["location"])  # type: ignore[arg-type]  # only staff get here

    def amend(self, request: HttpRequest, row: Room, changes: dict[str, Any]) -> None:
        services.rename_room(by=request.user, room_id=row.pk, **changes)  # type: ignore[arg-type]  # only staff get here
