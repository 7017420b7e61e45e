"""The cells of the schedule as text, links and classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.appointments import rules
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.appointments.scheduling.day_grid import HALF_HOUR, Block, Column, Grid, GridEntry, Kind
from apps.common.text import isolated
from apps.consultations.queries.worklists import OngoingVisit
from apps.desk.appointments import labels
from apps.desk.appointments.labels import STATES, WITH_NURSE, State
from apps.desk.kit.site import can_open, site

_LATE_AFTER = 5  # minutes
_SPELLED = (Status.NO_SHOW, Status.CANCELLED, Status.REQUESTED)  # the block shows the word, not only the icon
LATE, READY = State(_("Late"), "clock", "warn"), State(_("Ready for the doctor"), "done", "ok")
_BLOCKS = {
    STATES[Status.REQUESTED]: "ask",
    STATES[Status.CHECKED_IN]: "here",
    STATES[Status.COMPLETED]: "past",
    STATES[Status.CANCELLED]: "past",
    STATES[Status.NO_SHOW]: "past",
    LATE: "late",
}
_CLOSED: Mapping[Kind, str | Promise] = {Kind.OFF: _("Away"), Kind.BREAK: _("Break"), Kind.CLOSED: _("Closed"), Kind.NONE: "–"}


@dataclass(frozen=True)
class Sheet:
    """What the cells of one page have in common. `moving` is the appointment for which the user chooses another time;
    `address` is the page's own."""

    request: HttpRequest
    now: datetime
    ongoing: Mapping[UUID, OngoingVisit]
    address: str
    appointment_type: str = ""
    moving: Appointment | None = None
    one_line: int = 3  # how many rows a block has that is high enough for one line of text only

    def move_url(self, row: Appointment) -> str:
        """Returns the page that asks before it moves the appointment; empty if this user can't move it."""
        if row.status not in rules.MOVABLE:
            return ""
        return row_actions(self.request, row).get("move", "")


def row_actions(request: HttpRequest, row: Appointment) -> dict[str, str]:
    """Returns the addresses of the actions on the appointment that the user may run now, by name. No query."""
    addresses = [one["url"] for one in cast("Any", site._registry[Appointment]).available_row_actions(request, row)]
    return {url.rstrip("/").rpartition("/")[2]: url for url in addresses}


def rows(grid: Grid, columns: list[Column], sheet: Sheet) -> list[dict[str, Any]]:
    """Returns the rows of the table. Each sixth has a label; many have no cells of their own."""
    cells: dict[int, list[dict[str, Any]]] = {}
    for lanes, column in zip(grid.columns, columns, strict=True):
        for block in lanes.blocks:
            cells.setdefault(block.line, []).append(_cell(block, column, sheet))
    return [
        {"label": grid.labels[line // HALF_HOUR] if line % HALF_HOUR == 0 else None, "cells": cells.get(line, [])}
        for line in range(grid.lines)
    ]


def _cell(block: Block, column: Column, sheet: Sheet) -> dict[str, Any]:
    cell: dict[str, Any] = {"rows": block.lines, "lanes": block.lanes}
    if block.kind is Kind.FREE:
        return cell | {"slot": _slot(block, column, sheet)}
    if block.entry is not None:
        return cell | {"appointment": _appointment(block, block.entry, sheet)}
    if block.kind is Kind.GAP:
        return cell
    return cell | {"closed": _closed(block, sheet), "is_short": block.lines < sheet.one_line}


def _closed(block: Block, sheet: Sheet) -> str:
    word = str(_CLOSED[block.kind])
    if block.away and block.away.reason and can_open(sheet.request.user, Permission.SCHEDULE_KEEP):
        return f"{word}: {isolated(block.away.reason)}"
    return word


def _slot(block: Block, column: Column, sheet: Sheet) -> dict[str, Any]:
    at = block.start
    assert at is not None  # a free block has a time
    instant, doctor = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), labels.doctor(column.doctor.user)
    time = labels.clock_time(at)
    if not can_open(sheet.request.user, Permission.APPOINTMENT_BOOK):
        return {"time": time, "label": gettext("free"), "url": ""}
    if sheet.moving is not None:
        label = gettext("Move to %(time)s %(doctor)s") % {"time": time, "doctor": doctor}
        query = urlencode({"to": instant, "doctor": column.doctor.pk, "next": sheet.address})
        url = f"{sheet.move_url(sheet.moving)}?{query}"
    else:
        label = gettext("Book %(time)s %(doctor)s") % {"time": time, "doctor": doctor}
        parameters = {"doctor": column.doctor.pk, "at": instant, "appointment_type": sheet.appointment_type}
        query = urlencode({name: value for name, value in parameters.items() if value})
        url = f"{reverse('admin:appointments_appointment_add')}?{query}"
    return {"time": time, "label": label, "url": url, "at": instant, "doctor": column.doctor.pk}


def _appointment(block: Block, entry: GridEntry, sheet: Sheet) -> dict[str, Any]:
    """Returns an appointment's text. For a closed chart, or one that the filter excludes, it says only that the time is taken."""
    row: Appointment | None = entry.appointment
    span = f"{labels.clock_time(entry.start)}–{labels.clock_time(entry.end)}"
    length = "short" if block.lines <= sheet.one_line else ""
    if row is None:
        return {"span": span, "url": "", "classes": f"past {length}".strip()}
    late = _late_minutes(row, sheet.now)
    state = LATE if late else state_of(row, sheet.ongoing)
    is_moving = sheet.moving is not None and sheet.moving.pk == row.pk
    return {
        "span": span,
        "url": reverse("admin:appointments_appointment_change", args=[row.pk]),
        "who": labels.patient(row.patient),
        "details": ", ".join(_details(row, block, sheet, late)),
        "icon": state.icon,
        "word": "" if late or row.status in _SPELLED else state.word,
        "classes": " ".join(filter(None, [_BLOCKS.get(state, ""), length, "moving" if is_moving else ""])),
        "is_moving": is_moving,
        "move_url": sheet.move_url(row),
        "choose_url": f"{sheet.address}&move={row.pk}",
    }


def state_of(row: Appointment, ongoing: Mapping[UUID, OngoingVisit]) -> State:
    """Returns the appointment's status as it is shown; in progress it says who has the patient."""
    if row.status != Status.IN_PROGRESS:
        return STATES[Status(row.status)]
    if row.ready_since:
        return READY
    visit = ongoing.get(row.pk)
    return WITH_NURSE if visit is not None and visit.is_with_nurse else STATES[Status.IN_PROGRESS]


def _late_minutes(row: Appointment, now: datetime) -> int:
    """Returns by how many minutes an expected patient is late; 0 within the first five, and on later days."""
    minutes = int((now - row.scheduled_time).total_seconds() // 60)
    is_expected = row.status in rules.BEFORE_CHECK_IN and labels.is_today(row.scheduled_time)
    return minutes if is_expected and minutes >= _LATE_AFTER else 0


def _details(row: Appointment, block: Block, sheet: Sheet, late: int) -> list[str]:
    """Returns what follows the time of an appointment, the important first."""
    details = []
    if late:
        details.append(gettext("%(minutes)s min late") % {"minutes": late})
    if row.status in _SPELLED:
        details.append(str(STATES[Status(row.status)].word))
    if block.away is not None and row.status in rules.MOVABLE:
        details.append(gettext("doctor away"))
    details.append(labels.kind(row.appointment_type))
    if row.status == Status.CHECKED_IN and row.checked_in_at:
        waited = int((sheet.now - row.checked_in_at).total_seconds() // 60)
        details.append(gettext("%(minutes)s min") % {"minutes": waited})
    if row.overbook_seat is not None:
        details.append(gettext("double booking"))
    if row.room:
        details.append(isolated(row.room.name))
    return details
