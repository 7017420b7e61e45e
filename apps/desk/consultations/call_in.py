"""Calls a patient in with one click: starts the visit and opens its first step, for a nurse the vital signs.

The page takes only forms. Without an appointment it calls the next patient of the queue. `since` is then the time of the page
with the button: a second click on it leads to the visit that the first one started.
"""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views import View

from apps.access.actor import Actor
from apps.appointments import selectors as appointments
from apps.appointments.models import Appointment
from apps.appointments.queue import board
from apps.appointments.rules import Status
from apps.common.errors import Conflict, Forbidden, HimsError, NotFound
from apps.consultations import services
from apps.consultations.models import Consultation
from apps.consultations.queries import worklists
from apps.consultations.rights import Permission
from apps.consultations.services import AlreadyStarted, NewConsultation
from apps.consultations.steps.definitions import Step
from apps.desk.consultations import visit_rail
from apps.desk.kit.navigation import HOME
from apps.desk.kit.site import can_open

NEED = Permission.CONSULTATION_START
_TRIES = 3  # patients: colleagues may call the first ones at the same moment


class CallInView(View):
    """Starts the visit of an appointment, or of the next waiting patient."""

    site: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        """Returns to the home page: after signing in again, a browser asks for the address of the form."""
        if not can_open(request.user, NEED):
            raise PermissionDenied
        return HttpResponseRedirect(reverse(HOME))

    def post(self, request: HttpRequest) -> HttpResponse:
        if not can_open(request.user, NEED):
            raise PermissionDenied
        by = cast("Actor", request.user)
        try:
            named = request.POST.get("appointment")
            address = _start_next(request, by) if named is None else _start_named(by, named)
        except (Forbidden, NotFound):
            raise
        except HimsError as refusal:
            messages.error(request, refusal.message)
            address = ""
        else:
            if not address:
                messages.info(request, gettext("No patients are waiting."))
        return HttpResponseRedirect(address or reverse(HOME))


def _start_named(by: Actor, appointment_id: str) -> str:
    """Starts the visit of this appointment, and returns the address of its page. Raises NotFound for one that is not shown."""
    try:
        return _start(by, appointments.appointment(by, UUID(appointment_id)))
    except ValueError as error:
        raise NotFound("There is no such appointment.") from error
    except AlreadyStarted as refusal:
        return _go_on(refusal.details["consultation_id"])


def _start_next(request: HttpRequest, by: Actor) -> str:
    """Starts the visit of the next patient; for a doctor opens first the visits that nurses handed over. Returns the address of
    the page, empty if no patient waits."""
    entries = [entry for entry in board.current(by=by).entries if not entry.left_over]
    if address := _started(request, by):  # read after the queue: a visit that is not in it yet is seen here
        return address
    is_nurse = by.has_permission(Permission.CONSULTATION_ANY)  # starts visits for the doctors
    marked = [] if is_nurse else [entry.appointment for entry in entries if entry.appointment.status == Status.IN_PROGRESS]
    begun = worklists.live_of_appointments(visible_to=by, appointment_ids=[row.pk for row in marked])
    if ready := next((begun[row.pk] for row in marked if row.pk in begun), None):
        return visit_rail.step_url(ready, Step(ready.current_step))
    waiting = [entry.appointment for entry in entries if entry.appointment.status == Status.CHECKED_IN]
    for number, row in enumerate(waiting[:_TRIES], 1):
        try:
            return _start(by, row)
        except Conflict:
            if address := _started(request, by):
                return address
            if number == len(waiting[:_TRIES]):
                raise
    return ""


def _started(request: HttpRequest, by: Actor) -> str:
    """Returns the address of the visit that the user has started since the page with the button was shown; empty without one."""
    try:
        since = datetime.fromisoformat(request.POST.get("since", ""))
    except ValueError:
        return ""
    visit = worklists.last_begun(by=by, since=since) if since.tzinfo else None
    if visit is None:
        return ""
    messages.info(request, gettext("You have already started this visit. Open the page again to call in the next patient."))
    return _go_on(visit.pk)


def _go_on(visit_id: UUID) -> str:
    return reverse("admin:consultations_consultation_go_on", args=[visit_id])


def _start(by: Actor, row: Appointment) -> str:
    new = NewConsultation(patient_id=row.patient_id, appointment_id=row.pk)
    visit: Consultation = services.start(by=by, new=new).row
    is_doctor = can_open(by, Permission.CONSULTATION_STEP_ANY)
    return visit_rail.step_url(visit, Step(visit.current_step) if is_doctor else Step.VITALS)
