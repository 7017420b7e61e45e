"""The one button that leads a patient through the day: check in, call in, vital signs, ready for the doctor, start, sign.

It leads to the page that does the step, which asks first. A step is offered only to a user who may take it now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext

from apps.access.actor import Actor
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission as Appointments
from apps.appointments.rules import BEFORE_CHECK_IN, Status
from apps.common import clinic_times, clock
from apps.consultations import rules, selectors
from apps.consultations.models import Consultation
from apps.consultations.rights import Permission
from apps.consultations.steps.definitions import Step
from apps.desk.consultations import page_context, visit_rail
from apps.desk.consultations.panels import start_link
from apps.desk.kit.site import can_open
from apps.patients.models import Patient

_VISIT = "admin:consultations_consultation_"
_FEW = 5  # visits of one patient that have not ended


@dataclass(frozen=True)
class NextStep:
    """A link with its words and its icon. `is_due`: the day's next step, and the main button of the page."""

    label: str | Promise
    url: str
    icon: str = "right"
    is_due: bool = True


def next_step(request: HttpRequest, patient: Patient, open_appointments: Sequence[Appointment]) -> NextStep | None:
    """Returns what this user does next for the patient; None if that is nothing, or another user's turn. At most four queries."""
    if patient.deceased_at or not patient.is_active:
        return None
    if can_open(request.user, Permission.CONSULTATION_SEE_NOTES):
        rows = selectors.of_patient(visible_to=cast("Actor", request.user), patient_id=patient.pk).live()  # type: ignore[attr-defined]  # of our queryset
        live = list(rows[:_FEW])
        if mine := next((row for row in live if page_context.may_act(request.user, row)), None):
            return _in_visit(request, mine)
        if live:
            return None
    today = [row for row in open_appointments if clinic_times.local(row.scheduled_time).date() == clock.today()]
    steps = (_before_visit(request, row) for row in sorted(today, key=lambda row: row.status != Status.CHECKED_IN))
    return next((step for step in steps if step), None) or _walk_in(request, patient)


def _walk_in(request: HttpRequest, patient: Patient) -> NextStep | None:
    """Returns the link that starts a visit without an appointment."""
    if not can_open(request.user, Permission.CONSULTATION_START):
        return None
    url = f"{reverse(f'{_VISIT}add')}?patient={patient.pk}"
    return NextStep(gettext("Start a visit"), url, "plus", is_due=False)


def _before_visit(request: HttpRequest, row: Appointment) -> NextStep | None:
    """Returns the step for an appointment of today whose visit has not begun."""
    user: Any = request.user
    may_change = can_open(user, Appointments.APPOINTMENT_ANY) or row.doctor_id == user.pk
    check_in = None
    if row.status in BEFORE_CHECK_IN and can_open(user, Appointments.APPOINTMENT_CHANGE) and may_change:
        url = reverse("admin:appointments_appointment_check_in", args=[row.pk])
        check_in = NextStep(gettext("Check in"), url, "arrive")
    start = start_link(request, row)
    if start and (check_in is None or row.doctor_id == user.pk):
        label = gettext("Start the visit") if row.doctor_id == user.pk else gettext("Call in")
        return NextStep(label, start[1], "pulse")
    return check_in


def _in_visit(request: HttpRequest, row: Consultation) -> NextStep:
    user, at = request.user, [row.pk]
    here = NextStep(gettext("Open visit"), reverse(f"{_VISIT}change", args=at))
    if row.status == rules.Status.ON_HOLD:
        return NextStep(gettext("Resume the visit"), reverse(f"{_VISIT}resume", args=at))
    visit = selectors.details(row)
    if can_open(user, Permission.CONSULTATION_SIGN) and not visit.progress.missing:
        return NextStep(gettext("Complete and sign"), reverse(f"{_VISIT}complete", args=at), "done")
    if can_open(user, Permission.CONSULTATION_READY) and not row.ready_at and row.doctor_id != user.pk:
        if Step.VITALS not in visit.saves:
            return NextStep(gettext("Take vital signs"), visit_rail.step_url(row, Step.VITALS), "pulse")
        return NextStep(gettext("Ready for the doctor"), reverse(f"{_VISIT}ready", args=at), "done")
    return here
