"""Starts a consultation: from an appointment, or for a walk-in patient."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.appointments import selectors as appointment_selectors
from apps.appointments import services as appointments
from apps.appointments.models import Appointment
from apps.common.errors import Forbidden, HimsError, NotFound
from apps.consultations import selectors, services
from apps.consultations.models import Consultation
from apps.consultations.rights import Permission
from apps.consultations.rules import Workflow
from apps.consultations.services import NewConsultation
from apps.desk.appointments.forms import EarlyForm
from apps.desk.consultations import labels, page_context
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.forms import show_refusal
from apps.desk.kit.site import can_open
from apps.patients import selectors as patients
from apps.patients.chart import banner
from apps.patients.models import Patient
from apps.patients.rights import Permission as PatientPermission
from apps.patients.rules import QUERY_MAX
from apps.rest import sample_ids

_MAX_RESULTS = 20


class StartForm(forms.Form):
    """Asks for the kind of visit, and for the doctor if that is neither the appointment's nor the user."""

    workflow_type = forms.ChoiceField(
        label=gettext_lazy("Kind of visit"),
        choices=[(kind.value, name) for kind, name in labels.KINDS.items()],
        initial=Workflow.ADAPTIVE.value,
        required=False,  # a button in a list starts a guided visit with one click
        help_text=gettext_lazy(
            "A guided visit asks for what it needs. A standard visit has all sections. A quick visit is complaint and plan."
        ),
    )

    def __init__(self, doctors: list[tuple[str, str]], data: Any = None, *, asks_early: bool = False) -> None:
        super().__init__(data)
        if asks_early:
            self.fields["early"] = EarlyForm().fields["early"]
        if doctors:
            self.fields["doctor_id"] = forms.ChoiceField(label="Doctor", choices=doctors)


class StartPages(HimsModelAdmin[Consultation]):
    """The part of the consultation pages that starts one."""

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """`?appointment=` or `?patient=` names the patient; without either, the page searches for one."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        by = cast("Actor", request.user)
        appointment = _appointment(request, by)
        patient = _patient(request, by, appointment)
        if patient is None:
            return self._choose(request, by)
        asks_early = appointment is not None and appointments.needs_early(appointment)
        data = request.POST if request.method == "POST" else None
        form = StartForm(_doctors(by, appointment), data, asks_early=asks_early)
        if request.method == "POST" and form.is_valid():
            try:
                consultation_id = self._start(by, request.about_patient, appointment, form)  # type: ignore[attr-defined]  # the page carries it on the request
            except Forbidden:
                raise
            except HimsError as refusal:
                if existing_id := refusal.details.get("consultation_id"):
                    messages.info(request, refusal.message)
                    return HttpResponseRedirect(reverse("admin:consultations_consultation_go_on", args=[existing_id]))
                show_refusal(form, refusal)
            else:
                return HttpResponseRedirect(reverse("admin:consultations_consultation_go_on", args=[consultation_id]))
        self.record_access(request, "asked_for", patient_id=patient.pk)
        return self._ask_how(request, by, patient, appointment, form)

    def _start(self, by: Actor, patient_id: UUID, appointment: Appointment | None, form: StartForm) -> UUID:
        answers = form.cleaned_data
        new = NewConsultation(
            patient_id=patient_id,
            appointment_id=appointment.pk if appointment else None,
            workflow_type=answers["workflow_type"] or Workflow.ADAPTIVE.value,
            doctor_id=UUID(answers["doctor_id"]) if answers.get("doctor_id") else None,
            early=answers.get("early", False),
        )
        return services.start(by=by, new=new).row.pk

    def _ask_how(
        self, request: HttpRequest, by: Actor, patient: Patient, appointment: Appointment | None, form: StartForm
    ) -> TemplateResponse:
        about_appointment = (
            f"For the appointment with {appointment.doctor}." if appointment else "For a walk-in patient, without an appointment."
        )
        context = {
            **self.admin_site.each_context(request),
            "banner": banner.of(patient, by),
            "may_read_chart": can_open(request.user, PatientPermission.CHART_VIEW),
            "opts": self.opts,
            "title": "Start a visit",
            "original": patient,
            "row_action": {
                "label": "Start the visit",
                "question": f"{about_appointment} The patient is checked in if that has not happened yet.",
            },
            "open_visits": page_context.links(selectors.live_of_patient(by, patient.pk)),
            "form": form,
            "errors": form.errors,
            "back": reverse("admin:patients_patient_change", args=[patient.pk]),
        }
        return TemplateResponse(request, "desk/visit/start.html", context)

    def _choose(self, request: HttpRequest, by: Actor) -> TemplateResponse:
        """Shows the patient search."""
        text = request.GET.get("q", "").strip()[:QUERY_MAX]
        matches = list(patients.search_within(patients.patients(visible_to=by), text, by)[:_MAX_RESULTS]) if text else []
        self.record_access(request, "searched", query={"q": text}, shown=len(matches))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Start a visit: choose the patient",
            "text": text,
            "found": matches,
        }
        return TemplateResponse(request, "admin/consultations/consultation/choose_patient.html", context)


def _appointment(request: HttpRequest, by: Actor) -> Appointment | None:
    if not request.GET.get("appointment"):
        return None
    try:
        return appointment_selectors.appointment(by, UUID(request.GET["appointment"]))
    except ValueError as error:
        raise NotFound("There is no such appointment.") from error


def _patient(request: HttpRequest, by: Actor, appointment: Appointment | None) -> Patient | None:
    """Returns the patient that the address names. Raises NotFound."""
    if appointment is None and not request.GET.get("patient"):
        return None
    patient_id = appointment.patient_id if appointment else sample_ids.resolve(request.GET["patient"])
    if patient_id is None:
        raise NotFound("There is no such patient.")
    request.about_patient = patient_id  # type: ignore[attr-defined]  # the page carries it on the request
    return patients.patient(by, patient_id)


def _doctors(by: Actor, appointment: Appointment | None) -> list[tuple[str, str]]:
    """Returns the doctors to choose from; empty if the doctor is determined already."""
    if appointment or not by.has_permission(Permission.CONSULTATION_ANY):
        return []
    return [(str(doctor.pk), str(doctor.user)) for doctor in accounts.doctors(visible_to=by)]
