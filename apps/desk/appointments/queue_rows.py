"""The rows of the queue page as text, links and the next step of each role."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from apps.appointments.models import Appointment
from apps.appointments.queue import estimates
from apps.appointments.queue.board import QueueBoard, QueueEntry
from apps.appointments.rights import Permission
from apps.appointments.rules import LIFECYCLE, Status
from apps.common.text import isolated
from apps.consultations.queries.worklists import OngoingVisit
from apps.consultations.rights import Permission as Consultations
from apps.consultations.steps.definitions import Step
from apps.desk.appointments import labels, schedule_cells, waits
from apps.desk.appointments.waits import Wait
from apps.desk.kit.site import can_open
from apps.patients.chart import ages
from apps.patients.rights import Permission as Patients

WAITING, NURSE, READY, DOCTOR = "waiting", "nurse", "ready", "doctor"  # the places of patients, as in the page's address
PLACES = {
    WAITING: labels.STATES[Status.CHECKED_IN],
    NURSE: labels.WITH_NURSE,
    READY: schedule_cells.READY,
    DOCTOR: labels.STATES[Status.IN_PROGRESS],
}


@dataclass(frozen=True)
class Line:
    """A patient on the page. `entry` is their place in the queue; without one the patient is in progress."""

    row: Appointment
    entry: QueueEntry | None
    place: str
    visit: OngoingVisit | None


def lines(board: QueueBoard, ongoing: Mapping[UUID, OngoingVisit]) -> list[Line]:
    """Returns all patients of the board: those whose doctor is called for, those with the doctor, with a nurse, then the waiting
    ones in order."""
    called = [entry for entry in board.entries if entry.appointment.status == Status.IN_PROGRESS]
    waiting = [entry for entry in board.entries if entry.appointment.status != Status.IN_PROGRESS]
    others = [Line(row, None, _place(row, ongoing), ongoing.get(row.pk)) for row in board.others]
    return [
        *(Line(one.appointment, one, _place(one.appointment, ongoing), ongoing.get(one.appointment.pk)) for one in called),
        *sorted(others, key=lambda line: line.place != DOCTOR),
        *(Line(one.appointment, one, WAITING, None) for one in waiting),
    ]


def _place(row: Appointment, ongoing: Mapping[UUID, OngoingVisit]) -> str:
    if row.ready_since:
        return READY
    visit = ongoing.get(row.pk)
    return NURSE if visit is not None and visit.is_with_nurse else DOCTOR


def text_of(request: HttpRequest, line: Line, now: datetime) -> dict[str, Any]:
    """Returns a row for the template."""
    row, patient = line.row, labels.patient(line.row.patient)
    is_left_over = line.entry is not None and line.entry.left_over
    left_over = labels.moment(row.checked_in_at) if is_left_over and row.checked_in_at else ""
    sees_notes = can_open(request.user, Permission.APPOINTMENT_SEE_NOTES)
    sees_patient = can_open(request.user, Patients.PATIENT_VIEW)
    return {
        "id": row.pk,
        "number": line.entry.position if line.entry else "–",
        "token": row.queue_number or "–",
        "url": reverse("admin:appointments_appointment_change", args=[row.pk]),
        "time": labels.moment(row.scheduled_time) if is_left_over else labels.clock_time(row.scheduled_time),
        "patient_url": f"{reverse('admin:patients_patient_change', args=[row.patient_id])}?from=queue" if sees_patient else "",
        "patient": patient,
        "age": ages.age_on_page(row.patient),
        "mrn": row.patient.mrn,
        "kind": labels.kind(row.appointment_type),
        "reason": _reason(request, row),
        "doctor": labels.doctor(row.attending),
        "room": isolated(row.room.name) if row.room else "",
        "state": PLACES[line.place],
        "triage": row.triage,
        "triage_word": labels.TRIAGE[row.triage],  # what the page says when it changes
        "triage_tag": waits.triage_tag(row),
        "triage_reason": row.triage_reason if sees_notes else "",
        "alert": labels.clock_time(row.alert_since) if row.alert_since and sees_notes else "",
        "ready": labels.clock_time(row.ready_since) if row.ready_since else "",
        "left_over": left_over,
        "wait": None if is_left_over else _wait(line, now),
        "expected": "" if is_left_over else _expected(line),
        "step": None if is_left_over else _next_step(request, line),
        "may_triage": line.place == WAITING and can_open(request.user, Permission.APPOINTMENT_CHANGE),
        "more": _more(request, row),
    }


def _reason(request: HttpRequest, row: Appointment) -> str:
    """Returns why the patient comes, for clinical users; the front desk reads it on the appointment's own page."""
    return waits.short_reason(row) if can_open(request.user, Consultations.CONSULTATION_SEE_NOTES) else ""


def _wait(line: Line, now: datetime) -> Wait:
    """Returns the wait since check-in. Only that of a waiting patient can be long."""
    minutes = line.entry.waiting_minutes if line.entry else estimates.whole_minutes(now - (line.row.checked_in_at or now))
    return waits.wait(minutes, may_be_long=line.place == WAITING)


def _expected(line: Line) -> str:
    """Returns when the doctor is expected to see the patient."""
    if line.place != WAITING:
        return gettext("Now") if line.place == DOCTOR else ""
    starts = line.entry.estimated_start if line.entry else None
    return labels.clock_time(starts) if starts else gettext("No time left today")


def _next_step(request: HttpRequest, line: Line) -> dict[str, Any] | None:
    """Returns the user's next step with the patient: a button that starts the visit (`start`), or a link to it (`url`)."""
    user: Any = request.user
    is_nurse, is_own = can_open(user, Consultations.CONSULTATION_ANY), line.row.attending.pk == user.pk
    if not can_open(user, Consultations.CONSULTATION_START) or not (is_nurse or is_own):
        return None
    if line.place == WAITING:
        may_start = LIFECYCLE.may_follow(line.row.status, Status.IN_PROGRESS)
        return {"label": gettext("Call in") if is_nurse else gettext("Start"), "start": line.row.pk} if may_start else None
    if line.visit is None or is_nurse != (line.place == NURSE):
        return None
    page = "admin:consultations_consultation_"
    url = reverse(f"{page}change", args=[line.visit.consultation_id])
    if is_nurse:
        url = reverse(f"{page}step", args=[line.visit.consultation_id, int(Step.VITALS)])
    return {"label": gettext("Start") if line.place == READY else gettext("Go on"), "url": url}


def _more(request: HttpRequest, row: Appointment) -> list[tuple[str, str, str]]:
    """Returns the other actions on the appointment (icon, words, address)."""
    offered = schedule_cells.row_actions(request, row)
    links = [("calendar", gettext("Open the appointment"), reverse("admin:appointments_appointment_change", args=[row.pk]))]
    texts = (("void", gettext("Undo check-in"), "undo-check-in"), ("leave", gettext("Left without being seen"), "no-show"))
    return [*links, *((icon, words, offered[name]) for icon, words, name in texts if name in offered)]
