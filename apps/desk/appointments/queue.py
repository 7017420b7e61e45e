"""The queue as a page: the waiting patients in order, since when, and their estimated wait. A script refreshes it; without the
script it is a plain list.

The script requests the same address with `part` and gets only the table. Such a request is not an action of the user, so it does
not extend the session. The audit log has a row for each request by a user, and for a script's request that shows other patients
than before.
"""

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
from django.views import View

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.models.appointments import Triage
from apps.appointments.queue import board, estimates
from apps.appointments.queue.board import QueueBoard, QueueEntry
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.audit import services as audit
from apps.common.errors import Forbidden, HimsError, NotFound
from apps.desk.appointments import labels
from apps.desk.appointments.forms import TriageForm
from apps.desk.consultations.panels import start_link
from apps.desk.consultations.walk_ins import in_the_queue
from apps.desk.kit.site import can_open

NEED = Permission.QUEUE_VIEW
MOST = 200  # rows on the page; a sentence gives the number of the others
_TRIAGE_SIGNS = {Triage.EMERGENCY: "‼", Triage.URGENT: "!", Triage.ROUTINE: ""}
_BANDS = {"amber": "long wait", "red": "very long wait", "": ""}


class DoctorForm(forms.Form):
    """Chooses the doctor of the queue. An invalid value is ignored."""

    doctor = forms.ChoiceField(required=False)

    def __init__(self, data: Any, by: Actor) -> None:
        super().__init__(data, auto_id="queue_%s")
        doctors = accounts.doctors(visible_to=by).select_related("user").order_by("user__last_name", "user__first_name")
        named = [(str(doctor.pk), labels.doctor(doctor.user)) for doctor in doctors]
        cast("forms.ChoiceField", self.fields["doctor"]).choices = [("", "All"), *named]


class RowForm(TriageForm):
    """Sets how soon a patient in the queue should be seen."""

    visit = forms.UUIDField(widget=forms.HiddenInput)


class QueueView(View):
    """The page, and the triage form in its rows."""

    site: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        by = self._permitted_actor(request)
        is_part = "part" in request.GET
        vars(request)["is_unattended"] = is_part
        form = DoctorForm(request.GET, by) if by.has_permission(Permission.APPOINTMENT_ANY) else None
        doctor = form.cleaned_data.get("doctor") if form and form.is_valid() else None
        doctor_id = UUID(doctor) if doctor else None
        queue = board.current(by=by, limit=MOST, doctor_id=doctor_id)
        walk_ins = in_the_queue(request, doctor_id)
        tag = _tag(by, queue, walk_ins)
        if not (is_part and constant_time_compare(request.GET.get("seen", ""), tag)):
            query = {"doctor": doctor} if doctor else {}
            audit.record(by=by, action="queue.listed", door="admin", query=query, shown=len(queue.entries) + len(walk_ins))
        here = f"{reverse('admin:queue')}?{urlencode({'doctor': doctor})}" if doctor else reverse("admin:queue")
        context = {
            "rows": [self._row(request, entry) for entry in queue.entries],
            "walk_ins": walk_ins,
            "numbers": queue.summary,
            "beyond": queue.total.rows - len(queue.entries),
            "at": labels.clock_time(queue.at),
            "tag": tag,
            "here": here,
            "triages": Triage.choices,
            "amber": settings.HIMS_QUEUE_AMBER_MINUTES,
            "red": settings.HIMS_QUEUE_RED_MINUTES,
        }
        if is_part:
            return TemplateResponse(request, "admin/appointments/queue_part.html", context)
        page = {**self.site.each_context(request), "title": "Queue", "form": form and DoctorForm({"doctor": doctor}, by)}
        return TemplateResponse(request, "admin/appointments/queue.html", page | context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Records the triage and shows the queue again."""
        by, form = self._permitted_actor(request), RowForm(request.POST)
        if not by.has_permission(Permission.APPOINTMENT_CHANGE):
            raise PermissionDenied
        if not form.is_valid():
            messages.error(
                request,
                "The triage was not saved: choose one of the offered values, and enter a reason of at most 400 characters.",
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
                messages.success(request, "The triage is recorded.")
        return HttpResponseRedirect(request.get_full_path())

    def _permitted_actor(self, request: HttpRequest) -> Actor:
        if not can_open(request.user, NEED):
            raise PermissionDenied
        return cast("Actor", request.user)

    def _row_links(self, request: HttpRequest, entry: QueueEntry) -> list[tuple[str, str]]:
        """Returns the link that starts a waiting patient's visit; none for patients of an earlier day."""
        start = None if entry.left_over else start_link(request, entry.appointment)
        return [start] if start else []

    def _row(self, request: HttpRequest, entry: QueueEntry) -> dict[str, Any]:
        row, patient = entry.appointment, labels.patient(entry.appointment.patient)
        band = estimates.band(entry.waiting_minutes, settings.HIMS_QUEUE_AMBER_MINUTES, settings.HIMS_QUEUE_RED_MINUTES)
        starts, is_begun = entry.estimated_start, row.status == Status.IN_PROGRESS
        sees_notes = can_open(request.user, Permission.APPOINTMENT_SEE_NOTES)
        return {
            "id": row.pk,
            "position": entry.position,
            "token": row.queue_number or "–",
            "visit_url": reverse("admin:appointments_appointment_change", args=[row.pk]),
            "time": labels.moment(row.scheduled_time) if entry.left_over else labels.clock_time(row.scheduled_time),
            "patient_url": reverse("admin:patients_patient_change", args=[row.patient_id]),
            "patient": patient,
            "mrn": row.patient.mrn,
            "doctor": labels.doctor(row.attending),
            "room": row.room.name if row.room else "",
            "kind": labels.status(row.appointment_type),
            "status": labels.status(row.status),
            "sign": labels.SIGNS[Status(row.status)],
            "triage": row.triage,
            "triage_sign": _TRIAGE_SIGNS[Triage(row.triage)],
            "triage_reason": row.triage_reason if sees_notes else "",
            "came": labels.moment(row.checked_in_at) if entry.left_over and row.checked_in_at else "",
            "minutes": entry.waiting_minutes,
            "band": "" if entry.left_over or is_begun else band,
            "band_told": "" if entry.left_over or is_begun else _BANDS[band],
            "left_over": entry.left_over,
            "alert": labels.clock_time(row.alert_since) if row.alert_since and sees_notes else "",
            "ready": labels.clock_time(row.ready_since) if row.ready_since else "",
            "is_begun": is_begun,
            "still": entry.estimated_wait_minutes,
            "starts": labels.clock_time(starts) if starts else "",
            "may_triage": not is_begun and can_open(request.user, Permission.APPOINTMENT_CHANGE),
            "row_links": [*self._row_links(request, entry), *_undo(request, row)],
        }


def _undo(request: HttpRequest, row: Appointment) -> list[tuple[str, str]]:
    """Returns the link that undoes a check-in (words, address)."""
    if row.status != Status.CHECKED_IN or not can_open(request.user, Permission.APPOINTMENT_CHANGE):
        return []
    return [("Undo check-in", reverse("admin:appointments_appointment_undo_check_in", args=[row.pk]))]


def _tag(by: Actor, queue: QueueBoard, walk_ins: list[dict[str, Any]]) -> str:
    """Returns a tag that identifies the user, the hour and the patients shown. The audit log has a row for it already."""
    people = [entry.appointment.patient_id for entry in queue.entries] + [line["patient_id"] for line in walk_ins]
    shown = ",".join(sorted(map(str, people)))
    return salted_hmac("apps.appointments.queue", f"{by.id} {queue.at:%Y-%m-%dT%H} {shown}", algorithm="sha256").hexdigest()
