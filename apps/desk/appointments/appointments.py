"""Appointments: searched by doctor, day and status; changed, confirmed, checked in and cancelled through the services."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.appointments import rules, selectors, services
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.appointments.scheduling.doctor_hours import UNCONFIRMED
from apps.common import clock
from apps.desk.accounts.doctor_choices import doctor_choices
from apps.desk.appointments import appointment_page, check_in, labels, move
from apps.desk.appointments.actions import ROW_ACTIONS
from apps.desk.appointments.booking import BookingAdmin, warn
from apps.desk.appointments.check_in import may_change
from apps.desk.appointments.forms import AppointmentForm, NewAppointmentForm
from apps.desk.appointments.series import series_panel
from apps.desk.consultations.panels import consultation_panel
from apps.desk.kit.pages import page_links
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.patients import selectors as patients
from apps.patients.models import Patient
from apps.patients.rules import QUERY_MAX

_PLACE = ("scheduled_time", "duration_minutes", "doctor", "room", "overbook_reason")
_NOTIFY = "notify_patient"
_FIELDS = ("scheduled_time", "duration_minutes", "appointment_type", "doctor", "room", "notes", "overbook_reason", _NOTIFY)
_NOTED = {"notes", "overbook_reason"}
_FINAL = (Status.COMPLETED, Status.CANCELLED)


class DoctorFilter(admin.SimpleListFilter):
    """Filters by doctor."""

    title = _("doctor")
    parameter_name = "doctor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offers also those who left and have appointments that are still to be moved."""
        by = cast("Actor", request.user)
        former = selectors.former_doctors(by)
        return [*doctor_choices(by), *((str(doctor.pk), labels.doctor_and_leave(doctor)) for doctor in former)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        known = {value for value, _ in self.lookup_choices}
        if not self.value():
            return queryset
        return queryset.filter(doctor=UUID(self.value())) if self.value() in known else queryset.none()


class DayFilter(admin.SimpleListFilter):
    """Today, tomorrow, this week, or a day like 2025-01-06."""

    title = _("day")
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("today", gettext("Today")), ("tomorrow", gettext("Tomorrow")), ("week", gettext("This week"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        if not self.value():
            return queryset
        span = labels.days(str(self.value()))
        return queryset.filter(scheduled_time__gte=span.start, scheduled_time__lt=span.end) if span else queryset.none()


class StatusFilter(admin.SimpleListFilter):
    """Filters by a status, or by appointments that the patient has not confirmed."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(UNCONFIRMED, gettext("Not confirmed")), *((status.value, labels.state_word(status)) for status in Status)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        if self.value() == UNCONFIRMED:
            return queryset.filter(status__in=[Status.REQUESTED, Status.SCHEDULED])
        return queryset.filter(status=self.value()) if self.value() else queryset


class TypeFilter(admin.SimpleListFilter):
    """Filters by appointment type."""

    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, str(words)) for kind, words in labels.TYPES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        return queryset.filter(appointment_type=self.value()) if self.value() else queryset


@admin.register(Appointment)
class AppointmentAdmin(BookingAdmin[Appointment]):
    """The list of appointments. Doctors change only those of their own schedule."""

    resource = "appointment"
    title = _("Appointments")
    list_audit_action = "listed"
    needs = {
        "view": Permission.APPOINTMENT_VIEW,
        "add": Permission.APPOINTMENT_BOOK,
        "change": Permission.APPOINTMENT_CHANGE,
    }
    list_display = ("time",)
    list_filter = (DayFilter, DoctorFilter, StatusFilter, TypeFilter)
    list_select_related = ("patient", "doctor", "room")
    search_fields = ("patient__mrn",)
    search_help_text = _("The patient: name in any order, MRN, telephone digits, date of birth")
    ordering = ("-scheduled_time", "-id")
    row_actions = ROW_ACTIONS
    form_classes = (NewAppointmentForm, AppointmentForm)
    add_form_template = "admin/appointments/appointment/book.html"
    change_form_template = "admin/appointments/appointment/page.html"

    def row_name(self, row: Appointment) -> str:
        return f"{labels.kind(row.appointment_type)}, {labels.moment(row.scheduled_time)}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appointment]:
        return super().get_queryset(request).select_related("patient", "doctor", "room", "booked_by")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Orders a day from morning to evening, and other lists by the latest first."""
        return ("scheduled_time", "id") if request.GET.get("day") else ("-scheduled_time", "-id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Appointment], search_term: str
    ) -> tuple[QuerySet[Appointment], bool]:
        text, by = search_term.strip()[:QUERY_MAX], cast("Actor", request.user)
        if not text:
            return queryset, False
        matches = patients.search_within(Patient.objects.visible_to(by), text, by).order_by()
        return queryset.filter(patient__in=matches.values("pk")), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data:
            cl = response.context_data["cl"]
            by_day, *others = cl.filter_specs
            response.context_data.update(
                days=list(by_day.choices(cl)),
                filters=others,
                day=request.GET.get("day", "") if labels.is_day(request.GET.get("day", "")) else "",
                rows=[self._row(request, row) for row in cl.result_list],
                page_links=page_links(cl),
            )
        return response

    def _row(self, request: HttpRequest, row: Appointment) -> dict[str, Any]:
        """Returns an appointment as the list shows it."""
        return {
            "url": reverse("admin:appointments_appointment_change", args=[row.pk]),
            "time": labels.moment(row.scheduled_time),
            "patient_url": reverse("admin:patients_patient_change", args=[row.patient_id]),
            "patient": row.patient.filed_name,
            "mrn": row.patient.mrn,
            "doctor": labels.doctor(row.doctor),
            "kind": labels.kind(row.appointment_type),
            "is_overbooked": row.overbook_seat is not None,
            "state": labels.state_tag(row),
            "waits": _waits(row),
            "room": row.room.name if row.room else "",
            "links": check_in.links(request, row),
        }

    # The page of an appointment

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Shows an ended appointment read-only. If it ended while the form was open, the service refuses the change with a
        message."""
        may = super().has_change_permission(request, obj)
        if obj is None or not may:
            return may
        return may_change(request.user, obj) and (request.method == "POST" or obj.status not in _FINAL)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": self.booking_fields(request)})]
        sees_notes = can_open(request.user, Permission.APPOINTMENT_SEE_NOTES)
        fields = [name for name in _FIELDS if sees_notes or name not in _NOTED]
        if self.has_change_permission(request, obj):
            may_overbook = can_open(request.user, Permission.APPOINTMENT_OVERBOOK)
            hidden = {"overbook_reason": not may_overbook, _NOTIFY: self._is_fixed(request, obj)}
            fields = [name for name in fields if not hidden.get(name)]
        else:
            fields.remove(_NOTIFY)
        return [(None, {"fields": fields})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return _PLACE if obj is not None and self._is_fixed(request, obj) else ()

    def _is_fixed(self, request: HttpRequest, row: Appointment) -> bool:
        """Returns whether the appointment can't be moved. A form that was opened while it could still be moved is read whole."""
        return row.status not in rules.MOVABLE and "duration_minutes" not in request.POST

    def amend(self, request: HttpRequest, row: Appointment, changes: dict[str, Any]) -> None:
        by, notify = cast("Actor", request.user), bool(changes.pop(_NOTIFY, True))
        values = {f"{name}_id" if name in ("doctor", "room") else name: value for name, value in changes.items()}
        values |= {name: values[name].pk if values[name] else None for name in ("doctor_id", "room_id") if name in values}
        values |= {name: values[name].strip() for name in ("overbook_reason", "notes") if name in values}
        warn(request, services.change(by=by, appointment_id=row.pk, changes=values, notify_patient=notify))

    def response_change(self, request: HttpRequest, obj: Appointment) -> HttpResponse:
        """Returns to the appointment's page."""
        messages.success(request, gettext("Saved: %(appointment)s.") % {"appointment": self.row_name(obj)})
        return HttpResponseRedirect(reverse("admin:appointments_appointment_change", args=[obj.pk]))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        if context["original"] is not None:
            context["title"] = labels.moment(context["original"].scheduled_time)
        return super().render_change_form(request, context, *args, **kwargs)

    def page_context(self, request: HttpRequest, row: Appointment | None) -> dict[str, Any]:
        context = super().page_context(request, row)
        if row is None:
            return context | {"weekly": f"{reverse('admin:appointments_series_add')}?patient={request.GET['patient']}"}
        panels = [series_panel(request, row), consultation_panel(request, row)]
        return context | {"panels": [panel for panel in panels if panel]} | appointment_page.context(request, row)

    def row_action_form(self, request: HttpRequest, row: Appointment, action: RowAction) -> forms.Form:
        if action.name == "check-in":
            return check_in.form_for(request, row)
        return move.form_for(request, row) if action.name == "move" else super().row_action_form(request, row, action)

    def row_action_context(self, request: HttpRequest, row: Appointment, action: RowAction, form: forms.Form) -> dict[str, Any]:
        if action.name == "move":
            return move.context(request, row, cast("move.MoveForm", form))
        return check_in.context(row)

    def patient_of(self, row: Appointment) -> UUID:
        return row.patient_id

    @admin.display(description=_("time"), ordering="scheduled_time")
    def time(self, row: Appointment) -> str:
        return labels.moment(row.scheduled_time)


def _waits(row: Appointment) -> str:
    if row.status != Status.CHECKED_IN or row.checked_in_at is None:
        return ""
    waited = int((clock.now() - row.checked_in_at).total_seconds() // 60)
    return gettext("%(minutes)s min, token %(number)s") % {"minutes": waited, "number": row.queue_number}
