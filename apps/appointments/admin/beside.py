"""What the diary shows on other pages: the next visits on the patient's, the work that waits on the start page."""

from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.appointments import waiting_room
from apps.appointments.admin import words
from apps.appointments.models import Appointment
from apps.appointments.rules import LIVE, Status
from apps.common import clock
from apps.patients.admin.patients import Beside
from apps.patients.models import Patient
from apps.rest.admin_site import holds

_SHOWN = 3


def visits_of(request: HttpRequest, patient: Patient) -> Beside | None:
    """The patient's next visits, and where one books another."""
    if not holds(request.user, Permission.APPOINTMENT_VIEW):
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
    may = holds(request.user, Permission.APPOINTMENT_BOOK) and patient.is_active and not patient.deceased_at
    wait = f"{reverse('admin:appointments_waitlistentry_add')}?patient={patient.pk}"
    waits = (("Put on the waitlist", wait),) if may and holds(request.user, Permission.WAITLIST_KEEP) else ()
    return Beside("Next visits", lines, "None is booked.", (("Book a visit", book), *waits) if may else ())


def unconfirmed_today(user: Any) -> str:
    """How many of today's visits nobody has confirmed."""
    today = Appointment.objects.visible_to(user).filter(status__in=[Status.REQUESTED, Status.SCHEDULED])
    return _count(today)


def in_the_waiting_room(user: Any) -> str:
    """How many sit there now."""
    return str(waiting_room.how_many(user) or "none")


def _count(rows: Any) -> str:
    span = words.today()
    return str(rows.filter(scheduled_time__gte=span.start, scheduled_time__lt=span.end).count() or "none")


def _line(row: Appointment) -> str:
    told = f"{words.moment(row.scheduled_time)}, {words.doctor(row.doctor)}, {words.status(row.appointment_type)}"
    return f"{told}: {words.status(row.status)}"
