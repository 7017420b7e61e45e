"""How a home page writes a patient, a wait, a state and the actions of a row."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.appointments.models import Appointment
from apps.appointments.queue import estimates
from apps.appointments.rights import Permission as Appointments
from apps.common import clock
from apps.common.text import filed_name
from apps.desk.appointments import labels, waits
from apps.desk.appointments.labels import State
from apps.desk.kit.navigation import HOME
from apps.desk.kit.site import can_open, site
from apps.patients.chart import ages
from apps.patients.models import Patient
from apps.patients.rights import Permission as Patients

READY = State(_("Ready for you"), "done", "ok")
ON_HOLD = State(_("On hold"), "pause")
ALERT = State(_("Alert: vital signs"), "warning", "bad")


def waited_since(at: datetime) -> int:
    """Returns the whole minutes since the instant."""
    return estimates.whole_minutes(clock.now() - at)


def patient(request: HttpRequest, row: Patient) -> dict[str, str]:
    """Returns the patient's name, age and page; the page only for users who may open it."""
    page = f"{reverse('admin:patients_patient_change', args=[row.pk])}?from=home"
    url = page if can_open(request.user, Patients.PATIENT_VIEW) else ""
    return {"name": filed_name(row.last_name, row.first_name), "age": ages.age_on_page(row), "url": url}


def reason(request: HttpRequest, row: Appointment) -> str:
    """Returns why the patient comes, for users who may read it; else, and without a reason, the type of the appointment."""
    if row.notes.strip() and can_open(request.user, Appointments.APPOINTMENT_SEE_NOTES):
        return waits.short_reason(row)
    return kind(row)


def kind(row: Appointment) -> str:
    """Returns the type of the appointment as words."""
    return labels.kind(row.appointment_type)


def actions(request: HttpRequest, row: Appointment) -> dict[str, dict[str, Any]]:
    """Returns the actions on the appointment that the user may run now (label, url), by name. Each leads back to the home."""
    back = urlencode({"next": reverse(HOME)})
    return {
        action["name"]: action | {"url": f"{action['url']}?{back}"}
        for action in site._registry[Appointment].available_row_actions(request, row)  # type: ignore[attr-defined]  # of our own page
    }


def more(request: HttpRequest, row: Appointment, offered: dict[str, dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Returns the menu of a row: those of the actions with these names, and the appointment's own page."""
    lines = [offered[name] for name in names if name in offered]
    if not can_open(request.user, Appointments.APPOINTMENT_VIEW):
        return lines
    page = reverse("admin:appointments_appointment_change", args=[row.pk])
    return [*lines, {"label": gettext("Open the appointment"), "url": page}]


def minutes_late(minutes: int) -> str:
    """Returns how late a patient is, in hours from two hours on."""
    if minutes < 120:
        return gettext("%(minutes)s min late") % {"minutes": minutes}
    hours = minutes // 60
    return ngettext("%(hours)s hour late", "%(hours)s hours late", hours) % {"hours": hours}
