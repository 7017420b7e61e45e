"""The pages of patients: search as in the API; registration, changes and deactivation through the same services."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from apps.access import permissions
from apps.desk.appointments import panels as appointments
from apps.desk.consultations import panels as consultations
from apps.desk.kit.base import ActiveFilter
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.desk.patients import tabs
from apps.desk.patients.duplicates import NOT_SAME
from apps.desk.patients.forms import PatientForm
from apps.desk.patients.merges import MERGE, MergeMixin, warn_of_visits
from apps.desk.patients.registration import RegistrationMixin
from apps.desk.patients.restricted import RESTRICT, RestrictionMixin
from apps.desk.patients.workspace import WorkspaceMixin
from apps.patients import rights, services
from apps.patients.chart import ages
from apps.patients.chart.entry_types import EntryType
from apps.patients.models import AllergyStatus, Patient
from apps.patients.rights import Permission
from apps.patients.services import Registration

_PERSON = ("mrn", "first_name", "middle_name", "last_name", "date_of_birth", "time_of_birth", "gender", "language", "deceased_at")
_INSURANCE = ("insurance_provider", "insurance_policy_number", "insurance_group_number")
# The fields of the page, and the permission that each requires.
_GROUPS: tuple[tuple[str, tuple[str, ...], permissions.Permission], ...] = (
    ("Person", _PERSON, Permission.PATIENT_VIEW),
    ("Contact", ("phone", "email"), Permission.PATIENT_VIEW),
    ("Address", ("street", "city", "state", "zip", "country"), Permission.PATIENT_SEE_ADDRESS),
    (
        "Emergency contact",
        ("emergency_name", "emergency_relationship", "emergency_phone"),
        Permission.PATIENT_SEE_EMERGENCY_CONTACT,
    ),
    ("Insurance", _INSURANCE, Permission.PATIENT_SEE_INSURANCE),
)
_DETAILS = {"time_of_birth", "gender", "language", "deceased_at", "email"}  # need PATIENT_SEE_DETAILS
_RECORD = ("active", "created_at", "updated_at")


def _split(names: tuple[str, ...], **instead: tuple[str, ...]) -> Iterator[str]:
    """Returns the names, some of them replaced by others."""
    for name in names:
        yield from instead.get(name, (name,))


def _deactivated(request: HttpRequest, row: Patient, answer: Patient) -> HttpResponse:
    messages.success(request, "The patient is now inactive.")
    warn_of_visits(request, answer)
    return HttpResponseRedirect(reverse("admin:patients_patient_change", args=[row.pk]))


@admin.register(Patient)
class PatientAdmin(WorkspaceMixin, RestrictionMixin, MergeMixin, RegistrationMixin):
    """The list of patients. Users who may change only the insurance see all other fields read-only."""

    resource = "patient"
    needs = {"view": Permission.PATIENT_VIEW, "add": Permission.PATIENT_REGISTER, "change": Permission.PATIENT_AMEND_INSURANCE}
    form = PatientForm
    list_display = ("name", "born", "gender", "mrn", "phone", "active")
    list_filter = (ActiveFilter,)
    search_fields = ("mrn",)
    search_help_text = "Name in any order, MRN, telephone digits, date of birth"
    ordering = ("-seq",)
    row_actions = (
        RowAction(
            name="no-known-allergies",
            label="No known allergies",
            permission=Permission.CHART_WRITE,
            run=lambda by, row, _: services.record_no_known_allergies(by=by, patient_id=row.pk),
            question="You asked, and there are none. This is added to the chart under your name.",
            done="No known allergies: recorded.",
            available=lambda row, user: (
                row.allergy_status == AllergyStatus.NOT_ASKED and rights.writes_chart(user, EntryType.ALLERGY)
            ),
        ),
        RowAction(
            name="deactivate",
            label="Deactivate",
            permission=Permission.PATIENT_DEACTIVATE,
            run=lambda by, row, _: services.deactivate(by=by, patient_id=row.pk),
            question="The patient is removed from the active list. The record stays and can be reactivated.",
            done="The patient is now inactive.",
            result_page=_deactivated,
            available=lambda row, _: row.is_active,
            destructive=True,
        ),
        RowAction(
            name="reactivate",
            label="Reactivate",
            permission=Permission.PATIENT_DEACTIVATE,
            run=lambda by, row, _: services.reactivate(by=by, patient_id=row.pk),
            question="The patient returns to the active list.",
            done="The patient is active again.",
            available=lambda row, _: not row.is_active,
        ),
        NOT_SAME,
        MERGE,
        RESTRICT,
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        withheld = set() if can_open(request.user, Permission.PATIENT_SEE_DETAILS) else _DETAILS
        person = tuple(name for name in _PERSON if name not in withheld)
        groups = [
            (title, {"fields": tuple(name for name in columns if name not in withheld)})
            for title, columns, need in _GROUPS
            if can_open(request.user, need)
        ]
        if obj is None:
            groups[0] = ("Person", {"fields": tuple(_split(_PERSON, date_of_birth=("date_of_birth", "age")))})
            return groups
        if not can_open(request.user, Permission.PATIENT_AMEND):
            groups[0] = ("Person", {"fields": tuple(_split(person, date_of_birth=("birth",)))})
        return [*groups, ("Record", {"fields": _RECORD})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        if can_open(request.user, Permission.PATIENT_AMEND):
            return ("mrn", *_RECORD)
        return (*(name for _, columns, _ in _GROUPS for name in columns if name not in _INSURANCE), "birth", *_RECORD)

    def add(self, request: HttpRequest, form: PatientForm) -> Patient:
        known = {field.name for field in fields(Registration)}
        answers = {name: value for name, value in form.cleaned_data.items() if name in known}
        return self.register(request, Registration(**answers))

    def amend(self, request: HttpRequest, row: Patient, changes: dict[str, Any]) -> None:
        amended = services.amend(by=request.user, patient_id=row.pk, changes=changes)  # type: ignore[arg-type]  # only staff get here
        self.warn_of_matches(request, amended, changes)
        if changes.get("deceased_at"):
            warn_of_visits(request, amended)

    def patient_of(self, row: Patient) -> UUID:
        return row.pk

    def page_context(self, request: HttpRequest, row: Patient | None) -> dict[str, Any]:
        if row is None:
            return {}
        panels = [appointments.next_appointments(request, row), consultations.walk_in_panel(request, row)]
        return {**self.workspace(request, row, tabs.DETAILS), "is_tab": True, "panels": [panel for panel in panels if panel]}

    @admin.display(description="patient")
    def name(self, row: Patient) -> str:
        return format_html("<bdi>{}</bdi>", row.filed_name)

    @admin.display(description="date of birth")
    def birth(self, row: Patient) -> str:
        return row.born

    @admin.display(description="born")
    def born(self, row: Patient) -> str:
        return ages.born_and_age(row)
