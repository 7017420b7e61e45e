"""Moves an appointment: a free time from the list, then a page with the old and the new time that asks whether to tell the
patient."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.access.roles import Role
from apps.accounts.models import User
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.scheduling import free_times
from apps.appointments.services import BookingResult, SlotTaken
from apps.common import clinic_times
from apps.common.text import isolated
from apps.desk.appointments import labels, moments
from apps.desk.kit.forms import Stale
from apps.desk.kit.row_actions import next_page
from apps.desk.kit.site import can_open
from apps.patients.rights import Permission
from apps.rest import sample_ids

NEW, OLD, DOCTOR = "to", "old", "doctor"


class MovedMeanwhile(Stale):
    reason = "stale"
    message = "Another user moved this appointment while you were looking at it. Check the times, then choose again."


class MoveForm(forms.Form):
    """The new time, the time that the user saw as the present one, the new doctor (empty: the same), and whether to tell the
    patient."""

    to = forms.CharField(label=_("New time"), widget=forms.HiddenInput, error_messages={"required": _("Choose a time.")})
    old = forms.CharField(required=False, widget=forms.HiddenInput)
    doctor = forms.ModelChoiceField(queryset=User.objects.none(), required=False, widget=forms.HiddenInput)
    notify_patient = forms.BooleanField(label=_("Tell the patient"), required=False, initial=True)

    taken: SlotTaken | None = None  # set by `run` if the new time is not free

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("Any", self.fields[DOCTOR]).queryset = User.objects.filter(role=Role.DOCTOR)

    def new_doctor(self, row: Appointment) -> User:
        """Returns the doctor of the new time."""
        chosen_id = sample_ids.resolve(str(self[DOCTOR].value() or ""))
        chosen = cast("Any", self.fields[DOCTOR]).queryset.filter(pk=chosen_id).first() if chosen_id else None
        return chosen or row.doctor

    def clean_to(self) -> datetime:
        moment = moments.instant(self.cleaned_data["to"])
        if moment is None:
            raise forms.ValidationError(_("Choose a time."))
        return moment

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        return cleaned | {"form": self}


def form_for(request: HttpRequest, row: Appointment) -> MoveForm:
    """Returns the form. The address names the new time as `to`, and another doctor as `doctor`; without a time the page offers
    free times."""
    if request.method == "POST":
        return MoveForm(request.POST)
    given = {NEW: request.GET.get(NEW, ""), DOCTOR: request.GET.get(DOCTOR, "")}
    return MoveForm(initial=given | {OLD: row.scheduled_time.isoformat()})


def run(by: Actor, row: Appointment, answers: Mapping[str, Any]) -> BookingResult:
    """Moves the appointment. Raises what the service raises, and MovedMeanwhile."""
    if answers[OLD] and moments.instant(answers[OLD]) != row.scheduled_time:
        raise MovedMeanwhile
    changes = {"scheduled_time": answers[NEW]} | ({"doctor_id": answers[DOCTOR].pk} if answers[DOCTOR] else {})
    try:
        return services.change(by=by, appointment_id=row.pk, changes=changes, notify_patient=answers["notify_patient"])
    except SlotTaken as refusal:
        answers["form"].taken = refusal
        raise


def show_result(request: HttpRequest, row: Appointment, result: BookingResult) -> HttpResponse:
    """Says the new time in words that the user can read aloud, and returns to the page that the user came from."""
    moved = result.appointment
    words = {"time": labels.spoken(moved.scheduled_time), "doctor": labels.doctor(moved.doctor)}
    messages.success(request, gettext("Moved: %(time)s with %(doctor)s.") % words)
    for warning in result.warnings:
        messages.warning(request, warning.message)
    here = reverse("admin:appointments_appointment_change", args=[row.pk])
    return HttpResponseRedirect(next_page(request) or here)


def context(request: HttpRequest, row: Appointment, form: MoveForm) -> dict[str, Any]:
    """Returns the old and the new time, and other free times if no time is chosen or the chosen one is taken."""
    new = None if form.taken else moments.instant(str(form[NEW].value() or ""))
    values: dict[str, Any] = {
        "old_time": labels.moment(row.scheduled_time),
        "new_time": labels.moment(new) if new else "",
        "doctor": labels.doctor(row.doctor),
        "new_doctor": labels.doctor(new_doctor) if (new_doctor := form.new_doctor(row)).pk != row.doctor_id else "",
        "schedule_url": _on_the_schedule(row),
        "patient_name": isolated(row.patient.full_name),
        "email": row.patient.email if can_open(request.user, Permission.PATIENT_VIEW) else "",
        "phone": row.patient.phone,
        "choose_url": reverse("admin:appointments_appointment_move", args=[row.pk]),
    }
    if form.taken:
        instead = [one["scheduled_time"] for one in form.taken.details["alternatives"]]
        return values | {"times": [(at.isoformat(), labels.short_moment(at)) for at in instead]}
    return values | ({} if new else {"times": [(at.isoformat(), labels.short_moment(at)) for at in _nearest(request, row)]})


def links(request: HttpRequest, row: Appointment) -> list[tuple[str, str]]:
    """Returns the free times nearest to the appointment (words, address of the page that asks)."""
    page = reverse("admin:appointments_appointment_move", args=[row.pk])
    back = {"next": next_page(request)} if next_page(request) else {}
    return [(labels.short_moment(at), f"{page}?{urlencode({NEW: at.isoformat()} | back)}") for at in _nearest(request, row)]


def _on_the_schedule(row: Appointment) -> str:
    """Returns the schedule of the appointment's day, on which the user can choose a free time."""
    day = clinic_times.local(row.scheduled_time).date()
    return f"{reverse('admin:schedule')}?{urlencode({'date': day, 'move': row.pk, DOCTOR: ''})}"


def _nearest(request: HttpRequest, row: Appointment) -> list[datetime]:
    by: Any = request.user
    return [one.span.start for one in free_times.nearest(by, row)]
