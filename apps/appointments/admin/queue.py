"""The queue as a page: who waits, in order, since when and for how long still. A script keeps it fresh; without one it is a list.

The script asks for the same address with `part`, and gets the table alone. That is no act of a person: it does not keep the
session alive. The trail has a row of each look by a person, and of the script's where it shows other people than before.
"""

from collections.abc import Callable
from typing import Any, ClassVar, cast
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
from apps.access.permissions import Permission
from apps.accounts import selectors as accounts
from apps.appointments import services, waiting_room, waits
from apps.appointments.admin import words
from apps.appointments.admin.forms import TriageForm
from apps.appointments.models import Appointment
from apps.appointments.models.visits import Triage
from apps.appointments.rules import Status
from apps.appointments.waiting_room import Place, WaitingRoom
from apps.audit import services as audit
from apps.common.errors import Forbidden, HimsError, NotFound
from apps.rest.admin_site import holds

NEED = Permission.QUEUE_VIEW
MOST = 200  # rows on the page; the rest is told in words
_TRIAGE_SIGNS = {Triage.EMERGENCY: "‼", Triage.URGENT: "!", Triage.ROUTINE: ""}
_BANDS = {"amber": "long wait", "red": "very long wait", "": ""}


class AskForm(forms.Form):
    """Whose queue. What makes no sense is shown as if it had not been asked for."""

    doctor = forms.ChoiceField(required=False)

    def __init__(self, data: Any, by: Actor) -> None:
        super().__init__(data, auto_id="queue_%s")
        doctors = accounts.doctors(visible_to=by).select_related("user").order_by("user__last_name", "user__first_name")
        named = [(str(doctor.pk), words.doctor(doctor.user)) for doctor in doctors]
        cast("forms.ChoiceField", self.fields["doctor"]).choices = [("", "All"), *named]


class RowForm(TriageForm):
    """How soon somebody in the queue should be seen."""

    visit = forms.UUIDField(widget=forms.HiddenInput)


class QueueView(View):
    """The page, and the form in its rows."""

    site: Any = None
    ways: ClassVar[tuple[Callable[[HttpRequest, Appointment], tuple[str, str] | None], ...]] = ()
    # plug: what higher apps offer to do with somebody who waits (words, address). Asks no database: there are many rows.
    walk_ins: ClassVar[tuple[Callable[[HttpRequest, UUID | None], list[dict[str, Any]]], ...]] = ()
    # plug: patients without an appointment who call their doctor, of one doctor or of all; a line each, see the template

    def get(self, request: HttpRequest) -> HttpResponse:
        by = self._whoever_may(request)
        is_part = "part" in request.GET
        vars(request)["is_unattended"] = is_part
        form = AskForm(request.GET, by) if by.may(Permission.APPOINTMENT_ANY) else None
        doctor = form.cleaned_data.get("doctor") if form and form.is_valid() else None
        doctor_id = UUID(doctor) if doctor else None
        room = waiting_room.look(by=by, limit=MOST, doctor_id=doctor_id)
        walk_ins = [line for tell in self.walk_ins for line in tell(request, doctor_id)]
        tag = _tag(by, room, walk_ins)
        if not (is_part and constant_time_compare(request.GET.get("seen", ""), tag)):
            query = {"doctor": doctor} if doctor else {}
            audit.note(by=by, action="queue.listed", door="admin", query=query, shown=len(room.places) + len(walk_ins))
        here = f"{reverse('admin:queue')}?{urlencode({'doctor': doctor})}" if doctor else reverse("admin:queue")
        context = {
            "rows": [self._row(request, place) for place in room.places],
            "walk_ins": walk_ins,
            "numbers": room.summary,
            "beyond": room.total.rows - len(room.places),
            "at": words.clock_time(room.at),
            "tag": tag,
            "here": here,
            "triages": Triage.choices,
            "amber": settings.HIMS_QUEUE_AMBER_MINUTES,
            "red": settings.HIMS_QUEUE_RED_MINUTES,
        }
        if is_part:
            return TemplateResponse(request, "admin/appointments/queue_part.html", context)
        page = {**self.site.each_context(request), "title": "Queue", "form": form and AskForm({"doctor": doctor}, by)}
        return TemplateResponse(request, "admin/appointments/queue.html", page | context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Triage somebody, and look again."""
        by, form = self._whoever_may(request), RowForm(request.POST)
        if not form.is_valid():
            messages.error(
                request, "The triage was not taken: choose one of those offered, and a reason of at most 400 characters."
            )
        else:
            said = form.cleaned_data
            changes = {"triage": said["triage"], "triage_reason": said["triage_reason"].strip()}
            try:
                services.change(by=by, appointment_id=said["visit"], changes=changes, notify_patient=False)
            except (Forbidden, NotFound):
                raise
            except HimsError as refusal:
                messages.error(request, refusal.message)
            else:
                messages.success(request, "The triage is on record.")
        return HttpResponseRedirect(request.get_full_path())

    def _whoever_may(self, request: HttpRequest) -> Actor:
        if not holds(request.user, NEED):
            raise PermissionDenied
        return cast("Actor", request.user)

    def _ways(self, request: HttpRequest, place: Place) -> list[tuple[str, str]]:
        """What higher apps offer to do with whoever waits; nothing with those of an earlier day."""
        if place.left_over:
            return []
        return [way for tell in self.ways if (way := tell(request, place.visit)) is not None]

    def _row(self, request: HttpRequest, place: Place) -> dict[str, Any]:
        row, told = place.visit, words.patient(place.visit.patient)
        band = waits.band(place.waiting_minutes, settings.HIMS_QUEUE_AMBER_MINUTES, settings.HIMS_QUEUE_RED_MINUTES)
        starts, is_begun = place.estimated_start, row.status == Status.IN_PROGRESS
        return {
            "id": row.pk,
            "position": place.position,
            "token": row.queue_number or "–",
            "visit_url": reverse("admin:appointments_appointment_change", args=[row.pk]),
            "time": words.moment(row.scheduled_time) if place.left_over else words.clock_time(row.scheduled_time),
            "patient_url": reverse("admin:patients_patient_change", args=[row.patient_id]),
            "patient": told,
            "mrn": row.patient.mrn,
            "doctor": words.doctor(row.attending),
            "room": row.room.name if row.room else "",
            "kind": words.status(row.appointment_type),
            "status": words.status(row.status),
            "sign": words.SIGNS[Status(row.status)],
            "triage": row.triage,
            "triage_sign": _TRIAGE_SIGNS[Triage(row.triage)],
            "triage_reason": row.triage_reason,
            "came": words.moment(row.checked_in_at) if place.left_over and row.checked_in_at else "",
            "minutes": place.waiting_minutes,
            "band": "" if place.left_over or is_begun else band,
            "band_told": "" if place.left_over or is_begun else _BANDS[band],
            "left_over": place.left_over,
            "alert": words.clock_time(row.alert_since) if row.alert_since else "",
            "ready": words.clock_time(row.ready_since) if row.ready_since else "",
            "is_begun": is_begun,
            "still": place.estimated_wait_minutes,
            "starts": words.clock_time(starts) if starts else "",
            "may_triage": not is_begun and holds(request.user, Permission.APPOINTMENT_CHANGE),
            "ways": [*self._ways(request, place), *_undo(request, row)],
        }


def _undo(request: HttpRequest, row: Appointment) -> list[tuple[str, str]]:
    """Where a check-in is taken back (words, address)."""
    if row.status != Status.CHECKED_IN or not holds(request.user, Permission.APPOINTMENT_CHANGE):
        return []
    return [("Undo check-in", reverse("admin:appointments_appointment_undo_check_in", args=[row.pk]))]


def _tag(by: Actor, room: WaitingRoom, walk_ins: list[dict[str, Any]]) -> str:
    """Stands for: this person was shown these people within this hour, and that is on record."""
    people = [place.visit.patient_id for place in room.places] + [line["patient_id"] for line in walk_ins]
    shown = ",".join(sorted(map(str, people)))
    return salted_hmac("apps.appointments.queue", f"{by.id} {room.at:%Y-%m-%dT%H} {shown}", algorithm="sha256").hexdigest()
