"""The audit log, for administrators to read. Nothing in it can be changed."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.audit import selectors
from apps.audit.models import AuditEvent
from apps.audit.rights import Permission
from apps.audit.verification import verifier
from apps.audit.verification.verifier import Flaw
from apps.common.errors import HimsError
from apps.desk.audit import actions, people, rows
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.forms import show_refusal
from apps.desk.kit.pages import page_links
from apps.desk.kit.role_names import ROLE_NAMES
from apps.desk.kit.site import can_open
from apps.patients.rules import QUERY_MAX
from apps.rest.filters import TimeRangeFormField

_FLAW_TEXTS = {
    Flaw.CHANGED: _("The entry, or its seal, differs from what was sealed."),
    Flaw.REMOVED: _("The entry is missing, or its time was changed; its seal exists."),
    Flaw.SEAL_REMOVED: _("A place of the chain is empty: its seal was removed."),
    Flaw.SEAL_ADDED: _("There is a seal after the end of the chain."),
    Flaw.HEAD: _("The record of the chain’s end was changed or removed, or the end was cut off."),
    Flaw.ANCHOR: _("A daily anchor was changed."),
    Flaw.INSERTED: _("The entry was inserted into a time that had been sealed."),
    Flaw.LOST: _("The chain is empty, or ends before the last anchor in the anchor file."),
    Flaw.REPLACED: _("The anchor file knows another chain: this one was recreated."),
}


class RoleFilter(admin.SimpleListFilter):
    """By the role of the user at the time of the action."""

    title = _("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            *((role.value, word) for role, word in ROLE_NAMES.items()),
            ("system", _("The system")),
            ("-", _("Not signed in")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        if not self.value():
            return queryset
        return queryset.filter(role="" if self.value() == "-" else self.value())


def _search(hint: Any) -> forms.Widget:
    return forms.TextInput(attrs={"type": "search", "placeholder": hint, "autocomplete": "off", "spellcheck": "false"})


class AuditLogFilterForm(forms.Form):
    """The filters of the audit log."""

    who = forms.CharField(required=False, max_length=150, label=_("Person"), widget=_search(_("Name")))
    patient = forms.CharField(required=False, max_length=QUERY_MAX, label=_("Patient"), widget=_search(_("Name or MRN")))
    action = forms.CharField(required=False, max_length=80, label=_("What"), widget=_search(_("Like “signed”")))
    date_from = forms.CharField(required=False, label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    date_to = forms.CharField(required=False, label=_("To"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean_date_from(self) -> Any:
        return TimeRangeFormField().clean(self.cleaned_data["date_from"] or None)

    def clean_date_to(self) -> Any:
        return TimeRangeFormField().clean(self.cleaned_data["date_to"] or None)

    def condition(self, by: Actor) -> Q:
        """Returns the condition for the rows that fit. `by` is the reader: only patients that they may know of are found by name.
        Only for a form that is valid."""
        filters = self.cleaned_data
        condition = Q()
        if filters["who"]:
            condition &= Q(user_id__in=people.users_named(filters["who"]))
        if filters["patient"]:
            patient_ids = people.patients_named(filters["patient"], by)
            condition &= Q(patient_id__in=patient_ids)
            if not patient_ids:
                self.add_error("patient", _("No patient that you may see has this name or MRN."))
        if filters["action"]:
            condition &= _action_condition(filters["action"].strip())
        if filters["date_from"]:
            condition &= Q(at__gte=filters["date_from"].start)
        if filters["date_to"]:
            condition &= Q(at__lt=filters["date_to"].end)
        return condition


class AuditLogFilters(admin.ListFilter):
    """Person, patient, action and period: the form above the list."""

    title = _("Filter")

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.expected_parameters():
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]
        self.form = AuditLogFilterForm(self.used_parameters, auto_id="filter_%s")

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [*AuditLogFilterForm.base_fields]

    def choices(self, changelist: Any) -> Any:
        """Returns no links: the page shows the form."""
        return ()

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(self.form.condition(cast("Actor", request.user))) if self.form.is_valid() else queryset.none()


class VerifyForm(forms.Form):
    """How far back."""

    since = forms.CharField(
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        label=_("From"),
        help_text=_("Leave blank to check what the worker has not checked yet."),
    )

    def clean_since(self) -> Any:
        return TimeRangeFormField().clean(self.cleaned_data["since"] or None)


@admin.register(AuditEvent)
class AuditEventAdmin(HimsModelAdmin[AuditEvent]):
    """Who did what, when, from where."""

    resource = "trail"
    title = _("Who looked at records")
    needs = {"view": Permission.AUDIT_VIEW}
    change_list_template = "admin/audit/auditevent/change_list.html"
    list_filter = (AuditLogFilters, "outcome", RoleFilter)
    list_parameters = tuple(AuditLogFilterForm.base_fields)
    search_fields = ("action",)  # for the links in messages (`?q=` and an id); the page has filters instead of the box
    ordering = ("-at", "-id")
    fields = ("when", "person", "role_words", "record", "what", "result", "reason", "came_from", "request_id", "further")
    readonly_fields = ("when", "person", "role_words", "record", "what", "result", "reason", "came_from", "further")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        return (queryset.filter(_search_condition(search_term.strip())) if search_term.strip() else queryset), False

    def get_urls(self) -> list[URLPattern]:
        return [
            path("verify/", self.admin_site.admin_view(self.verify_view), name="audit_auditevent_verify"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data:
            cl = response.context_data["cl"]
            people.name(cl.result_list, cast("Actor", request.user))
            response.context_data |= {
                "form": next(spec.form for spec in cl.filter_specs if isinstance(spec, AuditLogFilters)),
                "role_filter": next(spec for spec in cl.filter_specs if isinstance(spec, RoleFilter)),
                "chips": rows.chips(request),
                "kept": {name: request.GET[name] for name in ("outcome__exact", "q") if name in request.GET},
                "rows": [rows.text_of(row) for row in cl.result_list],
                "page_links": page_links(cl),
                "verify_url": reverse("admin:audit_auditevent_verify"),
                "glass_url": rows.glass_url(request),
                "progress": selectors.verification_progress(),
            }
        return response

    def page_context(self, request: HttpRequest, row: AuditEvent | None) -> dict[str, Any]:
        people.name([row] if row is not None else [], cast("Actor", request.user))
        if row is None:
            return super().page_context(request, row)
        vars(row)["sees_searches"] = can_open(request.user, Permission.AUDIT_SEE_SEARCHES)
        title = actions.words(row.action)
        return super().page_context(request, row) | {"title": title, "row_title": title, "subtitle": None}

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        """Ask how far back, recompute the chain, show what was found."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form, result = VerifyForm(request.POST if request.method == "POST" else None), None
        if request.method == "POST" and form.is_valid():
            since = form.cleaned_data["since"]
            try:
                result = verifier.verify_recent(by=cast("Actor", request.user), since=since.start if since else None)
            except HimsError as refusal:
                show_refusal(form, refusal)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Check the audit log"),
            "form": form,
            "result": result,
            "flaw_text": _FLAW_TEXTS[result.first_broken.flaw] if result and result.first_broken else "",
            "unsealed": selectors.unsealed(),
            "progress": selectors.verification_progress(),
            "most": settings.HIMS_AUDIT_VERIFY_ROWS,
        }
        return TemplateResponse(request, "admin/audit/verify.html", context)

    def patient_of(self, row: AuditEvent) -> UUID | None:
        return row.patient_id

    @admin.display(description=_("when"))
    def when(self, row: AuditEvent) -> str:
        return rows.exact_time(row.at)

    @admin.display(description=_("person"))
    def person(self, row: AuditEvent) -> str:
        return rows.person(row)

    @admin.display(description=_("role"), empty_value="")
    def role_words(self, row: AuditEvent) -> str:
        return rows.role(row)

    @admin.display(description=_("record"), empty_value="")
    def record(self, row: Any) -> str:
        """Returns the patient's name and MRN."""
        return getattr(row, "patient_name", "")

    @admin.display(description=_("what"))
    def what(self, row: AuditEvent) -> str:
        return actions.words(row.action)

    @admin.display(description=_("result"))
    def result(self, row: AuditEvent) -> str:
        return str(rows.OUTCOMES[row.outcome])

    @admin.display(description=_("why"), empty_value="")
    def reason(self, row: AuditEvent) -> str:
        return rows.purpose(row)

    @admin.display(description=_("from"), empty_value="")
    def came_from(self, row: AuditEvent) -> str:
        return rows.origin(row)

    @admin.display(description=_("details"), empty_value="")
    def further(self, row: AuditEvent) -> Any:
        return rows.further(row, sees_searches=getattr(row, "sees_searches", False))


def _search_condition(text: str) -> Q:
    """Returns what the search term means."""
    try:
        id_sought = UUID(text)
    except ValueError:
        return Q(action__startswith=text) | Q(user_id=Subquery(_person(text)))
    return Q(patient_id=id_sought) | Q(user_id=id_sought)


def _action_condition(text: str) -> Q:
    """Returns the condition for an action by its code, the beginning of its code with the point, or its words."""
    if "." in text and " " not in text:
        return Q(action__startswith=text) if text.endswith(".") else Q(action=text)
    return Q(action__in=actions.actions_with(text))


def _person(username: str) -> QuerySet[Any, Any]:
    return get_user_model()._default_manager.filter(username__iexact=username.strip()).values("pk")[:1]
