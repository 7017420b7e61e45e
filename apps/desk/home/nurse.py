"""The home of the nurses: the patients to call in, and those with a nurse."""

from collections.abc import Iterator
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.appointments.queue import board, day, estimates
from apps.appointments.queue.board import QueueBoard, QueueEntry
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.common import clock
from apps.common.text import filed_name
from apps.consultations.queries import worklists
from apps.consultations.rights import Permission as Consultations
from apps.consultations.steps.definitions import Step
from apps.desk.appointments import labels, waits
from apps.desk.consultations import visit_rail
from apps.desk.home import rows
from apps.desk.home.base import Home, Tile, record_listing
from apps.desk.kit.site import can_open


class NurseHome(Home):
    """The patients who were checked in, urgent ones first, then by wait."""

    template = "desk/home/nurse.html"
    heading = _("Rooming")

    def content(self, request: HttpRequest) -> dict[str, Any]:
        by = cast("Actor", request.user)
        queue = board.current(by=by)
        waiting = [one for one in queue.entries if one.appointment.status == Status.CHECKED_IN and not one.left_over]
        begun = worklists.with_nurses(visible_to=by, since=day.span_of(clock.today()).start)
        lines = [*(_waiting(request, one) for one in waiting), *(_begun(request, one) for one in begun)]
        record_listing(request, "nurse", len(lines))
        to_call = ngettext("%(number)s to call in", "%(number)s to call in", len(waiting)) % {"number": len(waiting)}
        return {
            "tiles": _tiles(by, queue, waiting, begun),
            "rows": sorted(lines, key=lambda line: line["rank"]),
            "to_call": to_call,
            "may_call": bool(waiting) and can_open(request.user, Consultations.CONSULTATION_START),
            "amber": settings.HIMS_QUEUE_AMBER_MINUTES,
            "red": settings.HIMS_QUEUE_RED_MINUTES,
        }


def _tiles(by: Actor, queue: QueueBoard, waiting: list[QueueEntry], begun: list[Any]) -> Iterator[Tile]:
    numbers, url = queue.summary, reverse("admin:queue")
    average = numbers.average_wait_minutes_today
    note = gettext("Average wait today %(minutes)s min") % {"minutes": round(average)} if average is not None else ""
    yield Tile(gettext("To call in"), len(waiting), url, note)
    if waiting:
        first = max(waiting, key=lambda one: one.waiting_minutes)
        patient, doctor = first.appointment.patient, labels.doctor(first.appointment.doctor)
        note = f"{filed_name(patient.last_name, patient.first_name)}, {doctor}"
        is_alarm = first.waiting_minutes >= settings.HIMS_QUEUE_RED_MINUTES
        yield Tile(gettext("Longest wait"), first.waiting_minutes, url, note, gettext("min"), is_alarm)
    urgent = numbers.emergency + numbers.urgent
    note = gettext("Emergency: %(number)s") % {"number": numbers.emergency} if numbers.emergency else ""
    yield Tile(gettext("Urgent"), urgent, url, note, is_alarm=urgent > 0)
    yield Tile(gettext("With a nurse"), len(begun), url, _longest_with_nurse(begun))
    alerts = worklists.with_open_alerts(visible_to=by).count()
    if alerts:
        listed = reverse("admin:consultations_consultation_changelist") + "?status=alert"
        yield Tile(gettext("Alerts not acknowledged"), alerts, listed, gettext("A doctor must see them"), is_alarm=True)


def _longest_with_nurse(begun: list[Any]) -> str:
    if not begun:
        return ""
    patient, minutes = begun[0].patient, rows.waited_since(begun[0].started_at)
    waited = gettext("%(minutes)s min") % {"minutes": minutes}
    return f"{filed_name(patient.last_name, patient.first_name)}, {waited}"


def _waiting(request: HttpRequest, entry: QueueEntry) -> dict[str, Any]:
    row = entry.appointment
    assert row.checked_in_at is not None  # the queue has it
    offered = rows.actions(request, row)
    return {
        "rank": estimates.rank(row.triage, row.checked_in_at, row.pk),
        "number": row.queue_number,
        "patient": rows.patient(request, row.patient),
        "reason": rows.reason(request, row),
        "doctor": labels.doctor(row.attending),
        "room": row.room.name if row.room else "",
        "tag": labels.STATES[Status.CHECKED_IN],
        "triage": waits.triage_tag(row),
        "wait": waits.wait(entry.waiting_minutes),
        "call_in": row.pk if can_open(request.user, Consultations.CONSULTATION_START) else None,
        "more": rows.more(request, row, offered, "triage", "undo-check-in", "no-show"),
    }


def _begun(request: HttpRequest, visit: Any) -> dict[str, Any]:
    """Returns the row of a patient with a nurse."""
    user: Any = request.user
    row = visit.appointment if can_open(user, Permission.APPOINTMENT_VIEW) else None
    came = row.checked_in_at if row and row.checked_in_at else visit.started_at
    offered = rows.actions(request, row) if row else {}
    return {
        "rank": estimates.rank(row.triage if row else "routine", came, visit.pk),
        "number": row.queue_number if row else None,
        "patient": rows.patient(request, visit.patient),
        "reason": rows.reason(request, row) if row else gettext("Without an appointment"),
        "doctor": labels.doctor(visit.doctor),
        "room": row.room.name if row and row.room else "",
        "tag": labels.WITH_NURSE,
        "triage": waits.triage_tag(row) if row else None,
        "alert": rows.ALERT if visit.alert_since else None,
        "wait": waits.wait(rows.waited_since(came)) if row else None,
        "go_on": visit_rail.step_url(visit, Step.VITALS),
        "more": rows.more(request, row, offered, "triage") if row else [],
        "is_mine": visit.entered_by_id == user.pk,
    }
