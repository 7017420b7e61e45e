"""Booking in the admin: first the patient, then a free time by radio button or a typed time; after a conflict, alternatives."""

from datetime import date, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.appointments import rules, selectors, services
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.scheduling import availability, free_times
from apps.appointments.services import BookingResult, NewAppointment
from apps.common import clock
from apps.common.errors import Conflict, NotFound
from apps.common.models import M
from apps.common.text import isolated
from apps.desk.appointments import labels, moments
from apps.desk.appointments.forms import LOOK, SLOT, AppointmentForm, BookForm, NewAppointmentForm
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.site import can_open
from apps.patients import selectors as patients
from apps.patients.chart import banner
from apps.patients.models import Patient
from apps.patients.rights import Permission as PatientPermission
from apps.patients.rules import QUERY_MAX
from apps.rest import sample_ids

_MAX_RESULTS = 20
_MAX_SLOTS = 6
_REACH, _WEEK = timedelta(days=30), timedelta(days=7)
_FURTHEST = timedelta(days=rules.FURTHEST_DAYS)
_FIELDS = ("appointment_type", "doctor", SLOT, "scheduled_time", "duration_minutes", "room", "notes", "overbook_reason")


class SeriesFull(Conflict):
    message = "All appointments of this series are booked."


class BookingAdmin(HimsModelAdmin[M]):
    """The part of a page that books an appointment for one patient."""

    booking_title = _("Book an appointment")
    form_classes: tuple[Any, Any] = (BookForm, AppointmentForm)  # for a new row, for an existing row

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """`?patient=` is the patient; without it, the page searches for one. `doctor`, `at` and `appointment_type` fill the
        form."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not request.GET.get("patient"):
            return self._choose(request)
        patient = self.booked_for(request)
        title = {"title": self.booking_title, "subtitle": patient.title}
        response = super().add_view(request, form_url, title | (extra_context or {}))
        self.record_form_access(request, response, patient.pk)
        return response

    def booked_for(self, request: HttpRequest) -> Patient:
        """Returns the patient that the address names. Raises NotFound."""
        if not hasattr(request, "booked_for"):
            patient_id = sample_ids.resolve(request.GET.get("patient", ""))
            if patient_id is None:
                raise NotFound("There is no such patient.")
            request.about_patient = patient_id  # type: ignore[attr-defined]  # the page carries it on the request
            request.booked_for = patients.patient(cast("Actor", request.user), patient_id)  # type: ignore[attr-defined]  # the page carries it on the request
        patient: Patient = cast("Any", request).booked_for
        return patient

    def requested_patient_id(self, request: HttpRequest) -> UUID:
        """Returns the patient's id as the address has it, because services refuse to write to a merged record. Raises
        NotFound."""
        self.booked_for(request)
        patient_id: UUID = cast("Any", request).about_patient
        return patient_id

    def page_context(self, request: HttpRequest, row: Appointment | None) -> dict[str, Any]:
        patient = row.patient if row is not None else self.booked_for(request)
        may_read_chart = can_open(request.user, PatientPermission.CHART_VIEW)
        return {"banner": banner.of(patient, request.user), "may_read_chart": may_read_chart}  # type: ignore[arg-type]  # only staff get here

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Returns the values that the link passed; a doctor books in their own schedule unless another is chosen."""
        query = request.GET
        own = None if can_open(request.user, Permission.APPOINTMENT_ANY) else cast("Any", request.user).pk
        initial = {"doctor": query.get("doctor") or own, "appointment_type": query.get("appointment_type", "consultation")}
        at = moments.instant(query.get("at", ""))
        return initial | ({"scheduled_time": at} if at else {}) | {SLOT: ""}

    def booking_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Returns the form's fields. Only users who may overbook are asked for the reason."""
        may = can_open(request.user, Permission.APPOINTMENT_OVERBOOK)
        return tuple(name for name in _FIELDS if may or name != "overbook_reason")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Removes fields that are hidden or read-only, so that a submit does not clear values that the user does not see."""
        form = super().get_form(request, obj, change, **(kwargs | {"form": self.form_classes[change]}))
        shown = set(flatten_fieldsets(self.get_fieldsets(request, obj))) - set(self.get_readonly_fields(request, obj))
        for name in set(form.base_fields) - {"version", *shown}:
            del form.base_fields[name]
        return form

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        form = context["adminform"].form
        if isinstance(form, BookForm):
            if isinstance(form, NewAppointmentForm):
                context |= self._offer_times(request, form)
            else:
                form.offer(self._free(request, form))
            if LOOK in request.POST:  # the user only looked for free times: missing values are no mistake yet
                form._errors = ErrorDict()  # type: ignore[attr-defined]  # a private attribute that the stubs leave out
                context["errors"] = []
        return super().render_change_form(request, context, *args, **kwargs)

    def add(self, request: HttpRequest, form: Any) -> Appointment:
        cleaned = form.cleaned_data
        new = NewAppointment(
            patient_id=self.requested_patient_id(request),
            doctor_id=cleaned["doctor"].pk,
            appointment_type=cleaned["appointment_type"],
            scheduled_time=cleaned["scheduled_time"],
            duration_minutes=cleaned["duration_minutes"],
            room_id=cleaned["room"].pk if cleaned["room"] else None,
            notes=cleaned["notes"],
            overbook_reason=cleaned.get("overbook_reason", "").strip(),
            series_id=self._series(request),
        )
        booked = services.book(by=cast("Actor", request.user), new=new)
        warn(request, booked)
        return booked.appointment

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Shows the booking in a sentence that the user can read aloud. Returns to the schedule if the user came from there, else
        to the appointment."""
        words = {
            "patient": isolated(obj.patient.full_name),
            "time": labels.spoken(obj.scheduled_time),
            "doctor": labels.doctor(obj.doctor),
        }
        messages.success(request, gettext("Booked: %(patient)s, %(time)s with %(doctor)s.") % words)
        if obj.series_id:
            return HttpResponseRedirect(reverse("admin:appointments_series_change", args=[obj.series_id]))
        if "at" in request.GET:
            day = timezone.localtime(obj.scheduled_time, availability.clinic_zone()).date()
            return HttpResponseRedirect(f"{reverse('admin:schedule')}?date={day}")
        return HttpResponseRedirect(reverse("admin:appointments_appointment_change", args=[obj.pk]))

    def _series(self, request: HttpRequest) -> UUID | None:
        """Returns the series in which the appointment replaces one that could not be booked, if the address names it.

        Raises NotFound for a series of another patient, SeriesFull.
        """
        if "series" not in request.GET:
            return None
        series_id = sample_ids.resolve(request.GET["series"])
        rows = selectors.of_series(cast("Actor", request.user), series_id) if series_id else []
        if not rows or rows[0].patient_id != self.booked_for(request).pk:
            raise NotFound("There is no such series.")
        if rows[0].series and len(rows) >= rows[0].series.occurrences:
            raise SeriesFull
        return series_id

    def _choose(self, request: HttpRequest) -> TemplateResponse:
        """Shows the patient search; the parameters of the address stay."""
        by, text = cast("Actor", request.user), request.GET.get("q", "").strip()[:QUERY_MAX]
        matches = list(patients.search_within(patients.patients(visible_to=by), text, by)[:_MAX_RESULTS]) if text else []
        kept = {name: value for name, value in request.GET.items() if name != "q"}
        if text:
            self.record_access(request, "searched", query={"q": text}, shown=len(matches))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": self.booking_title,
            "text": text,
            "found": [(patient, "?" + urlencode(kept | {"patient": patient.pk})) for patient in matches],
            "kept": kept,
            "query": urlencode({"q": text}),
            "may_register": can_open(request.user, PatientPermission.PATIENT_REGISTER),
        }
        return TemplateResponse(request, "admin/appointments/appointment/choose_patient.html", context)

    def _offer_times(self, request: HttpRequest, form: NewAppointmentForm) -> dict[str, Any]:
        """Offers the first free times from the day that the user looks at. Returns that day and its neighbours in a week."""
        day = max(_shown_from(request, form), clock.today())
        wanted = free_times.Wanted(
            patient_id=self.booked_for(request).pk,
            doctor_id=sample_ids.resolve(str(form["doctor"].value() or "")),
            appointment_type=str(form["appointment_type"].value() or ""),
        )
        start = rules.instant(day, datetime.min.time(), availability.clinic_zone())
        form.offer_times(free_times.first(cast("Actor", request.user), wanted, start=start))
        earlier = max(day - _WEEK, clock.today())
        return {"shown_from": day, "earlier": earlier if earlier < day else None, "later": day + _WEEK}

    def _free(self, request: HttpRequest, form: BookForm) -> list[rules.TimeSpan]:
        """Returns the first free times of the doctor in the form, from the day in the form on."""
        doctor_id = sample_ids.resolve(str(form["doctor"].value() or ""))
        if doctor_id is None:
            return []
        start = max(_day_in(form) or clock.now(), clock.now())
        kind = str(form["appointment_type"].value() or "")
        try:
            free = selectors.free_slots(
                cast("Actor", request.user), doctor_id, start=start, end=start + _REACH, appointment_type=kind
            )
        except NotFound:
            return []
        return free[:_MAX_SLOTS]


def warn(request: HttpRequest, booked: BookingResult) -> None:
    """Shows the warnings about the time."""
    for warning in booked.warnings:
        messages.warning(request, warning.message)


def _shown_from(request: HttpRequest, form: BookForm) -> date:
    """Returns the day from which free times are shown: the one that a button named, else the day in the form, else today."""
    for text in (request.POST.get(LOOK, ""), request.POST.get("from", "")):
        try:
            return min(date.fromisoformat(text), clock.today() + _FURTHEST)
        except ValueError:
            continue
    in_form = _day_in(form)
    return timezone.localtime(in_form, availability.clinic_zone()).date() if in_form else clock.today()


def _day_in(form: BookForm) -> datetime | None:
    """Returns the start of the day that the form contains, or its initial day."""
    value = form["scheduled_time"].value()
    typed = value[0] if isinstance(value, list) else value
    try:
        at = datetime.fromisoformat(typed) if isinstance(typed, str) and typed else typed
    except ValueError:
        return None
    if not isinstance(at, datetime) or moments.is_slip(at):
        return None
    return rules.instant(
        at.astimezone(availability.clinic_zone()).date() if at.tzinfo else at.date(),
        datetime.min.time(),
        availability.clinic_zone(),
    )
