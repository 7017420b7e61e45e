"""The home of the doctors: the patients of the day, alerts to acknowledge and notes to finish."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.appointments.models import Appointment
from apps.appointments.queue import day, estimates
from apps.appointments.queue.doctors_now import rooms_today
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.common import clinic_times, clock
from apps.common.text import filed_name
from apps.consultations.queries import worklists
from apps.consultations.rights import Permission as Consultations
from apps.consultations.rules import Status as VisitStatus
from apps.consultations.steps.definitions import Step
from apps.desk.appointments import labels, waits
from apps.desk.appointments.labels import State
from apps.desk.consultations import visit_rail
from apps.desk.home import rows
from apps.desk.home.base import Home, record_listing
from apps.desk.kit.site import can_open

NOTES = ALERTS = 5  # lines in the lists of the aside
_ENDED = (Status.COMPLETED, Status.NO_SHOW)
_LIST = "admin:consultations_consultation_changelist"


class DoctorHome(Home):
    """My day."""

    template = "desk/home/doctor.html"
    heading = _("My day")

    def content(self, request: HttpRequest) -> dict[str, Any]:
        by, user_id = cast("Actor", request.user), cast("Any", request.user).pk
        since = day.span_of(clock.today()).start
        today = day.of_doctor(by, user_id)
        coming = [row for row in today if row.status not in _ENDED]
        visits = worklists.live_of_appointments(visible_to=by, appointment_ids=[row.pk for row in coming])
        walk_ins = worklists.walk_ins_today(visible_to=by, doctor_id=user_id, since=since)
        lines = [*(_appointment(request, row, visits) for row in coming), *(_walk_in(request, visit) for visit in walk_ins)]
        alerts, notes = _alerts(by, user_id), _notes(by, user_id)
        record_listing(request, "doctor", len(lines) + len(alerts[:ALERTS]) + len(notes["notes"]))
        starts = can_open(request.user, Consultations.CONSULTATION_START)
        return {
            "rows": sorted(lines, key=lambda line: line["order"]),
            "facts": _facts(user_id, today),
            "ended": _ended(today),
            "ended_url": f"{reverse('admin:appointments_appointment_changelist')}?day=today&doctor={user_id}",
            "alerts": alerts[:ALERTS],
            "alerts_url": f"{reverse(_LIST)}?status=alert&doctor=mine",
            "more_alerts": len(alerts) > ALERTS,
            "schedule_url": f"{reverse('admin:schedule')}?view=week" if can_open(request.user, Permission.QUEUE_VIEW) else "",
            "may_start": starts and any(line["is_next"] for line in lines),
            **notes,
        }


def _appointment(request: HttpRequest, row: Appointment, visits: Mapping[UUID, Any]) -> dict[str, Any]:
    visit = visits.get(row.pk)
    can_start = row.status == Status.CHECKED_IN and can_open(request.user, Consultations.CONSULTATION_START)
    tag = _place(visit) if visit else labels.STATES[Status(row.status)]
    is_mine = visit is not None and tag is labels.STATES[Status.IN_PROGRESS]
    came = row.checked_in_at if row.status in (Status.CHECKED_IN, Status.IN_PROGRESS) else None
    urgency = estimates.TRIAGE_ORDER.index(row.triage) if came else len(estimates.TRIAGE_ORDER)
    return {
        "order": (not is_mine, urgency, row.scheduled_time, str(row.pk)),
        "time": _time(row.scheduled_time),
        "patient": rows.patient(request, row.patient),
        "reason": rows.reason(request, row),
        "triage": waits.triage_tag(row),
        "tag": tag,
        "alert": rows.ALERT if visit and visit.alert_since else None,
        "wait": waits.wait(rows.waited_since(came)) if came and not is_mine else None,
        "start": row.pk if can_start else None,
        "go_on": visit_rail.step_url(visit, Step(visit.current_step)) if visit else "",
        "go_on_words": _go_on(tag),
        "is_mine": is_mine,
        "is_next": can_start or tag is rows.READY,
    }


def _walk_in(request: HttpRequest, visit: Any) -> dict[str, Any]:
    """Returns the row of a patient without an appointment."""
    tag = _place(visit)
    is_mine = tag is labels.STATES[Status.IN_PROGRESS]
    return {
        "order": (not is_mine, len(estimates.TRIAGE_ORDER) - 1, visit.started_at, str(visit.pk)),
        "time": labels.clock_time(visit.started_at),
        "patient": rows.patient(request, visit.patient),
        "reason": gettext("Without an appointment"),
        "tag": tag,
        "alert": rows.ALERT if visit.alert_since else None,
        "go_on": visit_rail.step_url(visit, Step(visit.current_step)),
        "go_on_words": _go_on(tag),
        "is_mine": is_mine,
        "is_next": tag is rows.READY,
    }


def _place(visit: Any) -> State:
    """Returns where the patient of a visit in progress is."""
    if visit.status == VisitStatus.ON_HOLD:
        return rows.ON_HOLD
    if visit.ready_at:
        return rows.READY
    return labels.WITH_NURSE if visit.is_with_nurse else labels.STATES[Status.IN_PROGRESS]


def _go_on(tag: State) -> str:
    """Returns the words of the button that opens a visit in progress."""
    words = {rows.READY: gettext("Start"), labels.STATES[Status.IN_PROGRESS]: gettext("Go on")}
    return words.get(tag, gettext("Open"))


def _time(at: datetime) -> str:
    """Returns the time, with its day if the patient came for an appointment of another day."""
    is_today = clinic_times.local(at).date() == clock.today()
    return clinic_times.clock_time(at) if is_today else clinic_times.moment(at)


def _facts(user_id: UUID, today: list[Appointment]) -> list[str]:
    """Returns the doctor's room, and how many appointments are booked and how many patients were seen."""
    room = rooms_today([user_id]).get(user_id) or next((row.room.name for row in today if row.room), "")
    seen = sum(row.status == Status.COMPLETED for row in today)
    numbers = gettext("%(booked)s booked, %(seen)s seen") % {"booked": len(today), "seen": seen}
    return [*([room] if room else []), numbers]


def _ended(today: list[Appointment]) -> str:
    """Returns the line about the patients who are no longer in the list; empty without any."""
    seen = sum(row.status == Status.COMPLETED for row in today)
    missed = sum(row.status == Status.NO_SHOW for row in today)
    if not seen and not missed:
        return ""
    words = ngettext("%(seen)s patient seen", "%(seen)s patients seen", seen) % {"seen": seen}
    absent = gettext("%(missed)s did not come") % {"missed": missed}
    return f"{words}, {absent}" if missed else words


def _alerts(by: Actor, user_id: UUID) -> list[dict[str, str]]:
    """Returns the visits with an alert that no doctor has acknowledged; one more than the page shows."""
    visits = worklists.with_open_alerts(visible_to=by, doctor_id=user_id).select_related("patient")[: ALERTS + 1]
    return [
        {
            "name": filed_name(visit.patient.last_name, visit.patient.first_name),
            "url": visit_rail.step_url(visit, Step.VITALS),
            "since": labels.short_moment(visit.alert_since),
        }
        for visit in visits
    ]


def _notes(by: Actor, user_id: UUID) -> dict[str, Any]:
    """Returns the visits whose note the doctor has not signed within a day, and how many there are."""
    to_finish = worklists.to_finish(visible_to=by, doctor_id=user_id)
    number = to_finish.order_by().count()
    shown = [
        {
            "name": filed_name(visit.patient.last_name, visit.patient.first_name),
            "url": reverse("admin:consultations_consultation_change", args=[visit.pk]),
            "since": gettext("Since %(day)s") % {"day": clinic_times.day(visit.started_at)},
        }
        for visit in to_finish.select_related("patient")[:NOTES]
    ]
    return {"notes": shown, "all_notes": number, "notes_url": f"{reverse(_LIST)}?status=unsigned&doctor=mine"}
