"""Appointments: searched by doctor, day and status; changed, confirmed, checked in and cancelled through the services."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.appointments import rules, selectors, services
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.appointments.scheduling.doctor_hours import UNCONFIRMED
from apps.common import clock
from apps.desk.appointments import labels
from apps.desk.appointments.booking import BookingAdmin, warn
from apps.desk.appointments.forms import CancelForm, EarlyForm, TriageForm
from apps.desk.appointments.series import series_panel
from apps.desk.consultations.panels import consultation_panel
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.patients import selectors as patients
from apps.patients.models import Patient
from apps.patients.rules import QUERY_MAX

_PLACE = ("scheduled_time", "duration_minutes", "doctor", "room", "overbook_reason")
_NOTIFY = "notify_patient"
_FIELDS = ("scheduled_time", "duration_minutes", "appointment_type", "doctor", "room", "notes", "overbook_reason", _NOTIFY)
_STATE = ("state", "token", "checked_in_at", "triage", "triage_reason", "cancellation_reason", "booked_by", "history")
_NOTED = {"notes", "overbook_reason", "triage", "triage_reason", "cancellation_reason", "history"}
_FINAL = (Status.COMPLETED, Status.CANCELLED)
_MISSED_AFTER = timedelta(minutes=15)  # before that the patient is only late


class DoctorFilter(admin.SimpleListFilter):
    """Filters by doctor."""

    title = "doctor"
    parameter_name = "doctor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        doctors = accounts.doctors(visible_to=cast("Actor", request.user)).select_related("user")
        return [(str(doctor.pk), labels.doctor(doctor.user)) for doctor in doctors]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        known = {value for value, _ in self.lookup_choices}
        if not self.value():
            return queryset
        return queryset.filter(doctor=UUID(self.value())) if self.value() in known else queryset.none()


class DayFilter(admin.SimpleListFilter):
    """Today, tomorrow, this week, or a day like 2025-01-06."""

    title = "day"
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("today", "Today"), ("tomorrow", "Tomorrow"), ("week", "This week")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        if not self.value():
            return queryset
        span = labels.days(str(self.value()))
        return queryset.filter(scheduled_time__gte=span.start, scheduled_time__lt=span.end) if span else queryset.none()


class StatusFilter(admin.SimpleListFilter):
    """Filters by a status, or by appointments that the patient has not confirmed."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(UNCONFIRMED, "not confirmed"), *((status.value, labels.status(status)) for status in Status)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        if self.value() == UNCONFIRMED:
            return queryset.filter(status__in=[Status.REQUESTED, Status.SCHEDULED])
        return queryset.filter(status=self.value()) if self.value() else queryset


class TypeFilter(admin.SimpleListFilter):
    """Filters by appointment type."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return labels.TYPES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        return queryset.filter(appointment_type=self.value()) if self.value() else queryset


def _may_change_to(to: Status) -> Any:
    """Offers the action if the states allow it and the user may change this schedule."""
    return lambda row, user: to in rules.LIFECYCLE.allowed(row.status) and may_change(user, row)


def may_change(user: Any, row: Appointment) -> bool:
    """Returns whether the user may change this doctor's schedule."""
    return bool(user.has_permission(Permission.APPOINTMENT_ANY) or row.doctor_id == user.pk)


def _show_token(request: HttpRequest, row: Appointment, answer: Appointment) -> HttpResponse:
    messages.success(request, f"Checked in. Token {answer.queue_number}.")
    return HttpResponseRedirect(reverse("admin:appointments_appointment_change", args=[row.pk]))


def _triage(by: Actor, row: Appointment, answers: Mapping[str, Any]) -> None:
    changes = {"triage": answers["triage"], "triage_reason": answers["triage_reason"].strip()}
    services.change(by=by, appointment_id=row.pk, changes=changes, notify_patient=False)


ROW_ACTIONS = (
    RowAction(
        name="confirm",
        label="Confirm",
        permission=Permission.APPOINTMENT_CHANGE,
        run=lambda by, row, _: services.confirm(by=by, appointment_id=row.pk),
        question="The patient said that they will come.",
        done="The appointment is confirmed.",
        available=_may_change_to(Status.CONFIRMED),
    ),
    RowAction(
        name="check-in",
        label="Check in",
        permission=Permission.APPOINTMENT_CHANGE,
        run=lambda by, row, answers: services.check_in(by=by, appointment_id=row.pk, early=answers.get("early", False)),
        question="The patient is here. Ask for name and date of birth, and compare them with the line above.",
        done="Checked in.",
        available=_may_change_to(Status.CHECKED_IN),
        result_page=_show_token,
    ),
    RowAction(
        name="undo-check-in",
        label="Undo the check-in",
        permission=Permission.APPOINTMENT_CHANGE,
        run=lambda by, row, _: services.undo_check_in(by=by, appointment_id=row.pk),
        question="The patient was checked in by mistake. The appointment returns to its previous status, and the token is void.",
        done="The check-in was undone.",
        available=lambda row, user: row.status == Status.CHECKED_IN and may_change(user, row),
    ),
    RowAction(
        name="triage",
        label="Urgent …",
        permission=Permission.APPOINTMENT_CHANGE,
        form=TriageForm,
        run=_triage,
        question="How soon should the patient be seen? Urgent patients go before the others in the waiting room.",
        done="The triage is recorded.",
        available=lambda row, user: row.status in rules.LIVE and may_change(user, row),
    ),
    RowAction(
        name="no-show",
        label="Did not come",
        permission=Permission.APPOINTMENT_CHANGE,
        run=lambda by, row, _: services.no_show(by=by, appointment_id=row.pk),
        question="The time has passed, and the patient did not come.",
        done="Recorded as a no-show.",
        available=lambda row, user: (
            _may_change_to(Status.NO_SHOW)(row, user) and clock.now() >= row.scheduled_time + _MISSED_AFTER
        ),
    ),
    RowAction(
        name="cancel",
        label="Cancel the appointment",
        permission=Permission.APPOINTMENT_CHANGE,
        form=CancelForm,
        run=lambda by, row, answers: services.cancel(
            by=by, appointment_id=row.pk, reason=answers["reason"].strip(), notify_patient=answers["notify_patient"]
        ),
        question="The appointment will not take place. Its time is free immediately. This cannot be undone.",
        done="The appointment is cancelled, and its time is free.",
        available=_may_change_to(Status.CANCELLED),
        destructive=True,
    ),
)


@admin.register(Appointment)
class AppointmentAdmin(BookingAdmin[Appointment]):
    """The list of appointments. Doctors change only those of their own schedule."""

    resource = "appointment"
    title = "Appointments"
    list_audit_action = "listed"
    needs = {
        "view": Permission.APPOINTMENT_VIEW,
        "add": Permission.APPOINTMENT_BOOK,
        "change": Permission.APPOINTMENT_CHANGE,
    }
    list_display = ("time", "who", "doctor_name", "kind", "state", "waits", "overbooked", "room")
    list_display_links = ("time",)
    list_filter = (DayFilter, DoctorFilter, StatusFilter, TypeFilter)
    list_select_related = ("patient", "doctor", "room")
    search_fields = ("patient__mrn",)
    search_help_text = "The patient: name in any order, MRN, telephone digits, date of birth"
    ordering = ("-scheduled_time", "-id")
    readonly_fields = ("state", "token", "history")
    row_actions = ROW_ACTIONS

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
            by_day = response.context_data["cl"].filter_specs[:1]
            response.context_data.update(
                chips=[(spec.title, list(spec.choices(response.context_data["cl"]))) for spec in by_day],
                kept={name: value for name, value in request.GET.items() if name not in ("day", "p")},
                day=request.GET.get("day", ""),
            )
        return response

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
        fields, state = ([name for name in names if sees_notes or name not in _NOTED] for names in (_FIELDS, _STATE))
        if self.has_change_permission(request, obj):
            may_overbook = can_open(request.user, Permission.APPOINTMENT_OVERBOOK)
            hidden = {"overbook_reason": not may_overbook, _NOTIFY: self._is_fixed(request, obj)}
            fields = [name for name in fields if not hidden.get(name)]
        else:
            fields.remove(_NOTIFY)
        return [("Appointment", {"fields": fields}), ("State", {"fields": state})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return (*_STATE, *(_PLACE if self._is_fixed(request, obj) else ()))

    def _is_fixed(self, request: HttpRequest, row: Appointment) -> bool:
        """Returns whether the appointment can't be moved. A form that was opened while it could still be moved is read whole."""
        return row.status not in rules.MOVABLE and "duration_minutes" not in request.POST

    def amend(self, request: HttpRequest, row: Appointment, changes: dict[str, Any]) -> None:
        by, notify = cast("Actor", request.user), bool(changes.pop(_NOTIFY, True))
        values = {f"{name}_id" if name in ("doctor", "room") else name: value for name, value in changes.items()}
        values |= {name: values[name].pk if values[name] else None for name in ("doctor_id", "room_id") if name in values}
        values |= {name: values[name].strip() for name in ("overbook_reason", "notes") if name in values}
        warn(request, services.change(by=by, appointment_id=row.pk, changes=values, notify_patient=notify))

    def page_context(self, request: HttpRequest, row: Appointment | None) -> dict[str, Any]:
        panels = [series_panel(request, row), consultation_panel(request, row)] if row else []
        weekly = {"weekly": f"{reverse('admin:appointments_series_add')}?patient={request.GET['patient']}"} if row is None else {}
        return super().page_context(request, row) | {"panels": [panel for panel in panels if panel]} | weekly

    def row_action_form(self, request: HttpRequest, row: Appointment, action: RowAction) -> forms.Form:
        """Adds a confirmation to a check-in on another day than the appointment's."""
        if action.name == "check-in" and services.needs_early(row):
            return EarlyForm(request.POST) if request.method == "POST" else EarlyForm()
        return super().row_action_form(request, row, action)

    def patient_of(self, row: Appointment) -> UUID:
        return row.patient_id

    @admin.display(description="time", ordering="scheduled_time")
    def time(self, row: Appointment) -> str:
        return labels.moment(row.scheduled_time)

    @admin.display(description="patient")
    def who(self, row: Appointment) -> str:
        url = reverse("admin:patients_patient_change", args=[row.patient_id])
        return format_html('<a href="{}">{}</a> {}', url, labels.patient(row.patient), row.patient.mrn)

    @admin.display(description="doctor")
    def doctor_name(self, row: Appointment) -> str:
        return labels.doctor(row.doctor)

    @admin.display(description="type")
    def kind(self, row: Appointment) -> str:
        return labels.status(row.appointment_type)

    @admin.display(description="status")
    def state(self, row: Appointment) -> str:
        return format_html('<span aria-hidden="true">{}</span> {}', labels.SIGNS[Status(row.status)], labels.status(row.status))

    @admin.display(description="waiting")
    def waits(self, row: Appointment) -> str:
        if row.status != Status.CHECKED_IN or row.checked_in_at is None:
            return ""
        return f"{int((clock.now() - row.checked_in_at).total_seconds() // 60)} min, token {row.queue_number}"

    @admin.display(description="overbooked")
    def overbooked(self, row: Appointment) -> str:
        return "overbooked" if row.overbook_seat else ""

    @admin.display(description="token")
    def token(self, row: Appointment) -> str:
        return str(row.queue_number or "–")

    @admin.display(description="history")
    def history(self, row: Appointment) -> str:
        lines = [
            (labels.moment(one.at), labels.status(one.to_status), one.by or "the system", f": {one.reason}" if one.reason else "")
            for one in selectors.history(row)
        ]
        return format_html('<ol class="hims-history">{}</ol>', format_html_join("", "<li>{} {} ({}){}</li>", lines))
