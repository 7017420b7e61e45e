"""The tabs of a patient's pages, as far as the user may open them, and the links above them: book, next step, queue."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from apps.access.actor import Actor
from apps.access.roles import CARE
from apps.appointments import selectors as appointments
from apps.appointments.models import Appointment
from apps.appointments.queue import board
from apps.appointments.rights import Permission as Appointments
from apps.common.text import isolated
from apps.consultations.rights import Permission as Consultations
from apps.desk.kit.site import can_open
from apps.desk.patients.next_step import next_step
from apps.patients import rights
from apps.patients.chart.entry_types import EntryType
from apps.patients.models import Patient
from apps.patients.rights import Permission

FROM = "from"  # the parameter that says where the user came from; the links of the tabs carry it on
QUEUE, HOME = "queue", "home"
SUMMARY, VISITS, RECORD, DETAILS, APPOINTMENTS = "summary", "visits", "record", "details", "appointments"
OPEN_SHOWN = 10  # appointments of the patient from today on


@dataclass(frozen=True)
class _Tab:
    name: str
    label: str | Promise
    may_open: Callable[[Any], bool]


def reads_summary(user: Any) -> bool:
    """Returns whether the user may open the summary: the roles that may read allergies, which no summary leaves out."""
    return can_open(user, Permission.CHART_VIEW) and rights.reads_chart(user, EntryType.ALLERGY)


def lands_on_summary(user: Any) -> bool:
    """Returns whether the summary is the first page of a patient for this user: for the roles of care."""
    return user.role in CARE and reads_summary(user)


_TABS = (
    _Tab(SUMMARY, gettext_lazy("Summary"), reads_summary),
    _Tab(VISITS, gettext_lazy("Visits"), lambda user: can_open(user, Consultations.CONSULTATION_VIEW)),
    _Tab(RECORD, pgettext_lazy("of a patient", "Record"), lambda user: can_open(user, Permission.CHART_VIEW)),
    _Tab(DETAILS, gettext_lazy("Details"), lambda user: can_open(user, Permission.PATIENT_VIEW)),
    _Tab(APPOINTMENTS, gettext_lazy("Appointments"), lambda user: can_open(user, Appointments.APPOINTMENT_VIEW)),
)
_DESK_FIRST = (DETAILS, APPOINTMENTS, SUMMARY, VISITS, RECORD)


def may_open(user: Any, name: str) -> bool:
    """Returns whether the user may open this tab."""
    return next(tab for tab in _TABS if tab.name == name).may_open(user)


def label(name: str) -> str:
    """Returns what the tab is called."""
    return str(next(tab for tab in _TABS if tab.name == name).label)


def address(user: Any, patient_id: UUID, name: str) -> str:
    """Returns the address of a tab. The first tab of the user's role is the patient's page itself."""
    if name == RECORD:
        return f"{reverse('admin:patients_chartentry_changelist')}?patient={patient_id}"
    first = SUMMARY if lands_on_summary(user) else DETAILS
    return reverse(f"admin:patients_patient_{'change' if name == first else name}", args=[patient_id])


def origin(request: HttpRequest) -> str:
    """Returns where the user came from: `queue`, `home`, or empty."""
    came = request.GET.get(FROM, "")
    return came if came in (QUEUE, HOME) else ""


def context(request: HttpRequest, patient: Patient, current: str) -> dict[str, Any]:
    """Returns the values for the head of a patient's page: the tabs, the next step, and the ways on. At most five queries."""
    user: Any = request.user
    shown = [tab for tab in _TABS if tab.may_open(user)]
    if not lands_on_summary(user):
        shown.sort(key=lambda tab: _DESK_FIRST.index(tab.name))
    open_appointments = _open_appointments(request, patient)
    return {
        "tabs": [
            {"label": tab.label, "url": carried(request, address(user, patient.pk, tab.name)), "is_current": tab.name == current}
            for tab in shown
        ],
        "tab": current,
        "open_appointments": open_appointments,
        "next_step": next_step(request, patient, open_appointments),
        "book_url": _book_url(user, patient),
        "back": _back(request),
        "next_patient": _next_patient(request, patient),
    }


def carried(request: HttpRequest, url: str) -> str:
    """Returns the address with the parameter that says where the user came from."""
    came = origin(request)
    return f"{url}{'&' if '?' in url else '?'}{FROM}={came}" if came else url


def _open_appointments(request: HttpRequest, patient: Patient) -> list[Appointment]:
    if not can_open(request.user, Appointments.APPOINTMENT_VIEW):
        return []
    return appointments.open_of_patient(visible_to=cast("Actor", request.user), patient_id=patient.pk, count=OPEN_SHOWN)


def _book_url(user: Any, patient: Patient) -> str:
    if not can_open(user, Appointments.APPOINTMENT_BOOK) or not patient.is_active or patient.deceased_at:
        return ""
    return f"{reverse('admin:appointments_appointment_add')}?patient={patient.pk}"


def _back(request: HttpRequest) -> dict[str, str] | None:
    if origin(request) == QUEUE and can_open(request.user, Appointments.QUEUE_VIEW):
        return {"label": gettext("Queue"), "url": reverse("admin:queue")}
    return {"label": gettext("Home"), "url": reverse("admin:index")} if origin(request) else None


def _next_patient(request: HttpRequest, patient: Patient) -> dict[str, str] | None:
    """Returns the link to the patient who waits behind this one, for users who came from the queue or their home page."""
    if not origin(request) or not can_open(request.user, Appointments.QUEUE_VIEW):
        return None
    row = board.next_waiting(cast("Actor", request.user), after=patient.pk)
    if row is None:
        return None
    url = reverse("admin:patients_patient_change", args=[row.patient_id])
    return {"url": carried(request, url), "name": isolated(row.patient.filed_name)}
