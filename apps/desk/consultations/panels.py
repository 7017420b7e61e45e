"""Links that start a consultation: on the patient's page and the appointment's."""

from django.http import HttpRequest
from django.urls import reverse

from apps.appointments.models import Appointment
from apps.appointments.rules import LIFECYCLE, Status
from apps.consultations.models import Consultation
from apps.consultations.rights import Permission
from apps.desk.kit.panel import Panel
from apps.desk.kit.site import can_open
from apps.patients.models import Patient

_TITLE = "Visit"


def walk_in_panel(request: HttpRequest, patient: Patient) -> Panel | None:
    """Returns the panel on a patient's page that starts a consultation for a walk-in."""
    if not can_open(request.user, Permission.CONSULTATION_START) or not patient.is_active or patient.deceased_at:
        return None
    return Panel(_TITLE, (), "", (("Start a visit", _start("patient", patient)),))


def consultation_panel(request: HttpRequest, appointment: Appointment) -> Panel | None:
    """Returns the panel on an appointment's page: its current consultation, or the link that starts one."""
    if can_open(request.user, Permission.CONSULTATION_VIEW):
        ongoing_id = Consultation.objects.live().filter(appointment=appointment).values_list("pk", flat=True).first()
        if ongoing_id:
            return Panel(_TITLE, ((reverse("admin:consultations_consultation_change", args=[ongoing_id]), "Current visit"),), "")
    start = start_link(request, appointment)
    return Panel(_TITLE, (), "", (start,)) if start else None


def start_link(request: HttpRequest, appointment: Appointment) -> tuple[str, str] | None:
    """Returns the link that starts the consultation (words, address), if this user may start it. Runs no query."""
    is_own = can_open(request.user, Permission.CONSULTATION_ANY) or appointment.doctor_id == request.user.pk
    startable = LIFECYCLE.may_follow(appointment.status, Status.IN_PROGRESS)
    if not (can_open(request.user, Permission.CONSULTATION_START) and is_own and startable):
        return None
    return "Start the visit", _start("appointment", appointment)


def _start(what: str, row: Patient | Appointment) -> str:
    return f"{reverse('admin:consultations_consultation_add')}?{what}={row.pk}"
