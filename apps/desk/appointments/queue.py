"""The queue as a page: the patients who are here, in order, since when, and the user's next step with each. A script refreshes
it; without the script it is a plain list.

The script requests the same address with `part` and gets only the table. Such a request is not an action of the user, so it does
not extend the session. The audit log has a row for each request by a user, and for a script's request that shows other patients
than before.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext
from django.views import View

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.appointments import services
from apps.appointments.queue import board
from apps.appointments.queue.board import QueueBoard
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.audit import services as audit
from apps.common.errors import Forbidden, HimsError, NotFound
from apps.consultations.queries import worklists
from apps.consultations.rights import Permission as Consultations
from apps.desk.appointments import labels, queue_rows
from apps.desk.appointments.forms import TriageForm
from apps.desk.appointments.queue_rows import PLACES, Line
from apps.desk.consultations.walk_ins import in_the_queue
from apps.desk.kit.site import can_open

NEED = Permission.QUEUE_VIEW
MOST = 200  # rows on the page; a sentence gives the number of the others


class RowForm(TriageForm):
    """Sets how soon a patient in the queue should be seen."""

    visit = forms.UUIDField(widget=forms.HiddenInput)


class QueueView(View):
    """The page, and the priority form in its rows."""

    site: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        by = self._permitted_actor(request)
        is_part = "part" in request.GET
        vars(request)["is_unattended"] = is_part
        doctors = _doctors(by)
        doctor = doctors.get(request.GET.get("doctor", ""), {"id": None})["id"]
        state = request.GET["state"] if request.GET.get("state") in PLACES else ""
        queue = board.current(by=by, limit=MOST, doctor_id=doctor)
        started = [row.pk for row in _rows(queue) if row.status == Status.IN_PROGRESS]
        every = queue_rows.lines(queue, worklists.ongoing_visits(started))
        walk_ins = in_the_queue(request, doctor)
        tag = _tag(by, queue, walk_ins)
        if not (is_part and constant_time_compare(request.GET.get("seen", ""), tag)):
            query = {name: str(value) for name, value in (("doctor", doctor), ("state", state)) if value}
            audit.record(by=by, action="queue.listed", door="admin", query=query, shown=len(every) + len(walk_ins))
        context = {
            "rows": [queue_rows.text_of(request, line, queue.at) for line in every if _is_shown(line, state, by)],
            "chips": _chips(every, doctors, doctor, state),
            "walk_ins": walk_ins,
            "numbers": queue.summary,
            "beyond": queue.total.rows - len(queue.entries),
            "at": labels.clock_time(queue.at),
            "tag": tag,
            "here": _address(doctor, state),
            "triages": labels.TRIAGE.items(),
            "amber": settings.HIMS_QUEUE_AMBER_MINUTES,
            "red": settings.HIMS_QUEUE_RED_MINUTES,
            "is_part": is_part,
            "sees_notes": can_open(request.user, Permission.APPOINTMENT_SEE_NOTES),
        }
        if is_part:
            return TemplateResponse(request, "desk/appointments/queue_part.html", context)
        page = {**self.site.each_context(request), "title": gettext("Queue"), "main": _main_step(request)}
        return TemplateResponse(request, "desk/appointments/queue.html", page | context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Records the triage and shows the queue again."""
        by, form = self._permitted_actor(request), RowForm(request.POST)
        if not by.has_permission(Permission.APPOINTMENT_CHANGE):
            raise PermissionDenied
        if not form.is_valid():
            messages.error(
                request,
                gettext(
                    "The priority was not saved: choose one of the offered values, and enter a reason of at most 400 characters."
                ),
            )
        else:
            cleaned = form.cleaned_data
            changes = {"triage": cleaned["triage"], "triage_reason": cleaned["triage_reason"].strip()}
            try:
                services.change(by=by, appointment_id=cleaned["visit"], changes=changes, notify_patient=False)
            except (Forbidden, NotFound):
                raise
            except HimsError as refusal:
                messages.error(request, refusal.message)
            else:
                messages.success(request, gettext("The priority is saved."))
        return HttpResponseRedirect(request.get_full_path())

    def _permitted_actor(self, request: HttpRequest) -> Actor:
        if not can_open(request.user, NEED):
            raise PermissionDenied
        return cast("Actor", request.user)


def _doctors(by: Actor) -> dict[str, dict[str, Any]]:
    """Returns the doctors whose queue the user may choose (id, name, number of patients), by the id as text; doctors see only
    their own queue and choose none."""
    if not by.has_permission(Permission.APPOINTMENT_ANY):
        return {}
    counts = board.count_by_doctor(by)
    doctors = accounts.doctors(visible_to=by).select_related("user").order_by("user__last_name", "user__first_name")
    return {str(one.pk): {"id": one.pk, "label": labels.doctor(one.user), "count": counts.get(one.pk, 0)} for one in doctors}


def _rows(queue: QueueBoard) -> list[Any]:
    return [*(entry.appointment for entry in queue.entries), *queue.others]


def _is_shown(line: Line, state: str, by: Actor) -> bool:
    """Returns whether a row is in the chosen state. An alert stays in sight of clinical users, whatever they chose."""
    has_alert = line.row.alert_since is not None and by.has_permission(Permission.APPOINTMENT_SEE_NOTES)
    return has_alert or state in ("", line.place)


def _address(doctor: UUID | None, state: str) -> str:
    query = urlencode({name: value for name, value in (("doctor", doctor), ("state", state)) if value})
    return f"{reverse('admin:queue')}?{query}" if query else reverse("admin:queue")


def _chips(every: Iterable[Line], doctors: dict[str, dict[str, Any]], doctor: UUID | None, state: str) -> list[dict[str, Any]]:
    """Returns the links that choose a state or a doctor, with the numbers of patients. Those without patients are left out."""
    counts = Counter(line.place for line in every)
    chips = [{"label": gettext("All"), "url": _address(None, ""), "is_current": not doctor and not state, "count": None}]
    for place, shown in PLACES.items():
        if counts[place] or place == state:
            chips.append(
                {"label": shown.word, "url": _address(doctor, place), "is_current": place == state, "count": counts[place]}
            )
    for one in doctors.values():
        if one["count"] or one["id"] == doctor:
            chips.append(one | {"url": _address(one["id"], ""), "is_current": one["id"] == doctor})
    return chips


def _main_step(request: HttpRequest) -> dict[str, str]:
    """Returns the page's main button: for those who see patients the next one, for the front desk the patients to come."""
    if can_open(request.user, Consultations.CONSULTATION_START):
        is_nurse = can_open(request.user, Consultations.CONSULTATION_ANY)
        return {"call": gettext("Call in the next patient") if is_nurse else gettext("Start next visit")}
    if can_open(request.user, Permission.APPOINTMENT_CHANGE):
        return {"arrive": f"{reverse('admin:appointments_appointment_changelist')}?day=today"}
    return {}


def _tag(by: Actor, queue: QueueBoard, walk_ins: list[dict[str, Any]]) -> str:
    """Returns a tag that identifies the user, the hour and the patients shown. The audit log has a row for it already."""
    people = [row.patient_id for row in _rows(queue)] + [line["patient_id"] for line in walk_ins]
    shown = ",".join(sorted(map(str, people)))
    return salted_hmac("apps.appointments.queue", f"{by.id} {queue.at:%Y-%m-%dT%H} {shown}", algorithm="sha256").hexdigest()
