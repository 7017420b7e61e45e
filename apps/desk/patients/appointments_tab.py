"""The appointments of a patient: those to come, and the earlier ones."""

from typing import Any, cast

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.urls import reverse

from apps.access.actor import Actor
from apps.appointments import selectors
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.common import clinic_times
from apps.desk.appointments import labels
from apps.desk.kit.site import can_open
from apps.desk.patients import tabs
from apps.patients.models import Patient

PAGE = 25


def content(request: HttpRequest, patient: Patient) -> dict[str, Any]:
    """Returns a page of appointments, the latest first. Two queries."""
    rows = selectors.of_patient(visible_to=cast("Actor", request.user), patient_id=patient.pk)
    page = Paginator(rows, PAGE).get_page(request.GET.get("p"))
    here = tabs.carried(request, tabs.address(request.user, patient.pk, tabs.APPOINTMENTS))
    may_wait = can_open(request.user, Permission.WAITLIST_KEEP) and patient.is_active and not patient.deceased_at
    waitlist = f"{reverse('admin:appointments_waitlistentry_add')}?patient={patient.pk}"
    return {
        "page": page,
        "rows": [_line(row) for row in page.object_list],
        "here": here,
        "separator": "&" if "?" in here else "?",
        "waitlist_url": waitlist if may_wait else "",
    }


def _line(row: Appointment) -> dict[str, Any]:
    state = labels.state(row)
    return {
        "url": reverse("admin:appointments_appointment_change", args=[row.pk]),
        "when": clinic_times.moment(row.scheduled_time),
        "doctor": labels.doctor(row.doctor),
        "kind": labels.kind(row.appointment_type),
        "room": row.room.name if row.room else "",
        "minutes": row.duration_minutes,
        "status": state.word,
        "icon": state.icon,
        "tone": state.tag,
    }
