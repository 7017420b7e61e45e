"""The panel of the next appointments on a patient's page."""

from typing import cast

from django.http import HttpRequest
from django.urls import reverse

from apps.access.actor import Actor
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.rules import LIVE, Status
from apps.common import clock
from apps.desk.appointments import labels
from apps.desk.kit.panel import Panel
from apps.desk.kit.site import can_open
from apps.patients.models import Patient

_SHOWN = 3


def next_appointments(request: HttpRequest, patient: Patient) -> Panel | None:
    """Returns the patient's next appointments, with a link to book another."""
    if not can_open(request.user, Permission.APPOINTMENT_VIEW):
        return None
    by = cast("Actor", request.user)
    rows = Appointment.objects.visible_to(by).filter(
        patient=patient, ends_at__gte=clock.now(), status__in=[*LIVE, Status.REQUESTED]
    )
    lines = tuple(
        (reverse("admin:appointments_appointment_change", args=[row.pk]), _line(row))
        for row in rows.select_related("doctor").order_by("scheduled_time", "id")[:_SHOWN]
    )
    book = f"{reverse('admin:appointments_appointment_add')}?patient={patient.pk}"
    may = can_open(request.user, Permission.APPOINTMENT_BOOK) and patient.is_active and not patient.deceased_at
    wait = f"{reverse('admin:appointments_waitlistentry_add')}?patient={patient.pk}"
    waitlist_link = (("Put on the waiting list", wait),) if may and can_open(request.user, Permission.WAITLIST_KEEP) else ()
    return Panel("Next appointments", lines, "None is booked.", (("Book an appointment", book), *waitlist_link) if may else ())


def _line(row: Appointment) -> str:
    label = f"{labels.moment(row.scheduled_time)}, {labels.doctor(row.doctor)}, {labels.kind(row.appointment_type)}"
    return f"{label}: {labels.state(row).word}"
