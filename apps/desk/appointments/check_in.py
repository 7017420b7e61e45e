"""Checks a patient in: the page asks to confirm birth date, phone and insurance, and saves what the patient corrects."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission as Appointments
from apps.appointments.rules import LIFECYCLE, Status
from apps.common.text import isolated
from apps.desk.appointments import labels
from apps.desk.appointments.forms import EarlyForm
from apps.desk.kit.forms import Stale
from apps.desk.kit.site import can_open
from apps.patients import rules
from apps.patients import selectors as records
from apps.patients import services as patients
from apps.patients.chart import ages
from apps.patients.rights import Permission

_SHORTEST_PHONE, _LONGEST_PHONE = 3, 20  # digits
_NEWER = _("Another user has changed this to: %(value)s. Correct it, or press Done again to save yours.")


class CheckInForm(forms.Form):
    """Shows phone and insurance as they are recorded, to be corrected. A field that was not sent stays as it is.

    The page sends back what it showed too: only what the user changed is saved, and never over a newer value unseen.
    """

    phone = forms.CharField(
        label=_("Phone"),
        required=False,
        max_length=40,
        show_hidden_initial=True,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    insurance_provider = forms.CharField(label=_("Insurance"), required=False, max_length=100, show_hidden_initial=True)
    insurance_policy_number = forms.CharField(label=_("Policy number"), required=False, max_length=50, show_hidden_initial=True)

    def clean_phone(self) -> str:
        number: str = self.cleaned_data["phone"].strip()
        if number and not _SHORTEST_PHONE <= len(rules.digits(number)) <= _LONGEST_PHONE:
            raise forms.ValidationError(_("A telephone number has 3 to 20 digits."))
        return number

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        changes = self._changes(cleaned)
        self._show_newer_values(changes)
        return cleaned | {"changes": changes, "recorded": {name: self.initial[name] for name in changes}}

    def _changes(self, cleaned: Mapping[str, Any]) -> dict[str, str]:
        """Returns what the user changed."""
        names = [name for name in self.initial if name in cleaned and name in self.data and not self.fields[name].disabled]
        return {name: cleaned[name] for name in names if self.fields[name].has_changed(self._shown(name), cleaned[name])}

    def _shown(self, name: str) -> str:
        return str(self.data.get(self[name].html_initial_name, self.initial[name]))

    def _show_newer_values(self, changes: Mapping[str, str]) -> None:
        """Refuses a change of a value that another user has changed since the page showed it, and shows theirs: the user sees it
        now, so the next submit is intended."""
        newer = {name: self.initial[name] for name in changes if self.initial[name] not in (changes[name], self._shown(name))}
        self.data = {**self.data.dict(), **{self[name].html_initial_name: value for name, value in newer.items()}}  # type: ignore[attr-defined]  # a bound form has a QueryDict
        for name, value in newer.items():
            self.add_error(name, _NEWER % {"value": isolated(value) if value else gettext("(empty)")})


def form_for(request: HttpRequest, row: Appointment) -> CheckInForm:
    """Returns the form with the patient's values. It asks for a confirmation if the appointment is on another day."""
    recorded = {name: getattr(row.patient, name) for name in CheckInForm.base_fields}
    form = CheckInForm(request.POST if request.method == "POST" else None, initial=recorded)
    if not can_open(request.user, Permission.PATIENT_SEE_INSURANCE):
        del form.fields["insurance_provider"], form.fields["insurance_policy_number"]
    if not can_open(request.user, Permission.PATIENT_AMEND):
        for name in form.fields:
            form.fields[name].disabled = True
    if services.needs_early(row):
        form.fields["early"] = EarlyForm().fields["early"]
    return form


@transaction.atomic
def run(by: Actor, row: Appointment, answers: Mapping[str, Any]) -> Appointment:
    """Saves the corrections and checks the patient in, or does neither. Returns the appointment. Raises Stale."""
    if answers["changes"]:
        patient = records.get_for_update(by, row.patient_id)
        if any(getattr(patient, name) != value for name, value in answers["recorded"].items()):
            raise Stale
        patients.amend(by=by, patient_id=row.patient_id, changes=answers["changes"])
    return services.check_in(by=by, appointment_id=row.pk, early=answers.get("early", False))


def links(request: HttpRequest, row: Appointment) -> list[tuple[str, str]]:
    """Returns the link that checks the patient in today (words, address). The page leads back to this one. Runs no query."""
    if not (can_open(request.user, Appointments.APPOINTMENT_CHANGE) and may_change(request.user, row)):
        return []
    if Status.CHECKED_IN not in LIFECYCLE.allowed(row.status) or services.needs_early(row):
        return []
    page = reverse("admin:appointments_appointment_check_in", args=[row.pk])
    return [(gettext("Check in"), f"{page}?{urlencode({'next': request.get_full_path()})}")]


def may_change(user: Any, row: Appointment) -> bool:
    """Returns whether the user may change this doctor's schedule."""
    return bool(user.has_permission(Appointments.APPOINTMENT_ANY) or row.doctor_id == user.pk)


def context(row: Appointment) -> dict[str, Any]:
    """Returns what the user compares with what the patient says."""
    patient = row.patient
    return {"patient": patient, "born": ages.born_and_age(patient), "appointment": describe(row)}


def describe(row: Appointment) -> dict[str, str]:
    """Returns the time, the doctor and the type of an appointment in words."""
    return {
        "when": labels.moment(row.scheduled_time),
        "doctor": labels.doctor(row.doctor),
        "kind": labels.kind(row.appointment_type),
    }
