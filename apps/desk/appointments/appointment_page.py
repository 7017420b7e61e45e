"""What the page of an appointment shows next to its form: the facts, the nearest free times, and the history."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from apps.appointments import rules, selectors
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.common import clinic_times, clock
from apps.desk.appointments import labels, move
from apps.desk.appointments.check_in import may_change
from apps.desk.kit.links import openable
from apps.desk.kit.site import can_open


def context(request: HttpRequest, row: Appointment) -> dict[str, Any]:
    """Returns the values of the template. A user who may not read notes gets no reasons either."""
    sees_notes = can_open(request.user, Permission.APPOINTMENT_SEE_NOTES)
    may_move = can_open(request.user, Permission.APPOINTMENT_CHANGE) and may_change(request.user, row)
    is_movable = row.status in rules.MOVABLE and row.patient.is_active and not row.patient.deceased_at
    return {
        "when": labels.moment(row.scheduled_time),
        "subtitle": row.patient.title,
        "state": labels.state(row),
        "is_today": clinic_times.local(row.scheduled_time).date() == clock.today(),
        "facts": _linked(request, [fact for fact in _facts(row, sees_notes=sees_notes) if fact[1]]),
        "nearest": move.links(request, row) if may_move and is_movable else None,
        "history": [_event(change, sees_notes=sees_notes) for change in selectors.history(row)],
    }


def _linked(request: HttpRequest, facts: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Returns the facts without the addresses that the user may not open."""
    may_open = openable(request, [url for _, _, url in facts])
    return [(label, value, url if url in may_open else "") for label, value, url in facts]


def _facts(row: Appointment, *, sees_notes: bool) -> Iterator[tuple[str, str, str]]:
    """Yields what is recorded, as label, words and address; empty words for what is not recorded."""
    attending, room = row.attending, row.room
    yield gettext("Doctor"), labels.doctor(attending), reverse("admin:accounts_user_change", args=[attending.pk])
    yield gettext("Type"), f"{labels.kind(row.appointment_type)}, {row.duration_minutes} min", ""
    if room:
        yield gettext("Room"), str(room), reverse("admin:appointments_room_change", args=[room.pk])
    yield gettext("Token"), str(row.queue_number or ""), ""
    yield gettext("Checked in"), labels.moment(row.checked_in_at) if row.checked_in_at else "", ""
    yield gettext("Priority"), str(labels.TRIAGE[row.triage]) if row.status in rules.LIVE else "", ""
    if sees_notes:
        yield gettext("Reason for the priority"), row.triage_reason, ""
        yield gettext("Reason or note"), row.notes, ""
        yield gettext("Reason for double booking"), row.overbook_reason, ""
        yield gettext("Why cancelled"), row.cancellation_reason, ""
    yield gettext("Booked by"), row.booked_by.full_name if row.booked_by else "", ""


def _event(change: Any, *, sees_notes: bool) -> dict[str, Any]:
    shown = labels.STATES[Status(change.to_status)]
    return {
        "word": shown.word,
        "icon": shown.icon,
        "at": labels.moment(change.at),
        "by": change.by.full_name if change.by else gettext("the system"),
        "reason": change.reason if sees_notes else "",
    }
