"""Where a visit is started from: the patient's page and the appointment's."""

from django.http import HttpRequest
from django.urls import reverse

from apps.access.permissions import Permission
from apps.appointments.models import Appointment
from apps.appointments.rules import Status, may_follow
from apps.consultations.models import Consultation
from apps.patients.admin.patients import Beside
from apps.patients.models import Patient
from apps.rest.admin_site import holds

_TITLE = "Consultation"


def walk_in(request: HttpRequest, patient: Patient) -> Beside | None:
    """On the patient's page: a visit of somebody who walked in."""
    if not holds(request.user, Permission.CONSULTATION_START) or not patient.is_active or patient.deceased_at:
        return None
    return Beside(_TITLE, (), "", (("Start a visit", _start("patient", patient)),))


def of_appointment(request: HttpRequest, appointment: Appointment) -> Beside | None:
    """On the appointment's page: its visit that goes on, or where it is started."""
    if holds(request.user, Permission.CONSULTATION_VIEW):
        live = Consultation.objects.live().filter(appointment=appointment).values_list("pk", flat=True).first()
        if live:
            return Beside(
                _TITLE, ((reverse("admin:consultations_consultation_change", args=[live]), "The visit that goes on"),), ""
            )
    start = start_of(request, appointment)
    return Beside(_TITLE, (), "", (start,)) if start else None


def start_of(request: HttpRequest, appointment: Appointment) -> tuple[str, str] | None:
    """Where this person starts the visit (words, address), if he may. Asks no database."""
    mine = holds(request.user, Permission.CONSULTATION_ANY) or appointment.doctor_id == request.user.pk
    if not (holds(request.user, Permission.CONSULTATION_START) and mine and may_follow(appointment.status, Status.IN_PROGRESS)):
        return None
    return "Start the visit", _start("appointment", appointment)


def _start(what: str, row: Patient | Appointment) -> str:
    return f"{reverse('admin:consultations_consultation_add')}?{what}={row.pk}"
