"""The chart page, one patient at a time: readable within the role's permissions, written by kind, corrected by retraction."""

from dataclasses import fields
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from apps.access.actor import Actor
from apps.common import clinic_times
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.row_actions import ReasonForm, RowAction
from apps.desk.patients import tabs
from apps.desk.patients.forms import DETAIL, detail_boxes, entry_columns, entry_form
from apps.desk.patients.labels import since
from apps.patients import rights, selectors, services
from apps.patients.chart import banner
from apps.patients.chart.entry_types import ENTERED_IN_ERROR, EntryType
from apps.patients.models import ChartEntry, ChartQuerySet, Patient
from apps.patients.rights import Permission
from apps.patients.services import NewEntry

_CODED = ("type", "display", "code_system", "code", "status", "when", "until", "recorded_at", "recorded_by", "source")
_NARRATIVE = ("value", "unit", "details", "retracted_at", "retracted_by", "retraction_reason")


class KindFilter(admin.SimpleListFilter):
    """Filters by the kinds of entry that the user may read."""

    title = "kind"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        user = cast("Any", request.user)
        return [(kind.value, kind.value.replace("_", " ")) for kind in EntryType if rights.reads_chart(user, kind)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChartEntry]) -> QuerySet[ChartEntry]:
        return queryset.filter(type=self.value()) if self.value() else queryset


class EnteredInErrorFilter(admin.SimpleListFilter):
    """Hides entries that were entered in error, unless they are requested."""

    title = "entered in error"
    parameter_name = "include_retracted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("true", "Included")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChartEntry]) -> QuerySet[ChartEntry]:
        return queryset if self.value() else cast("ChartQuerySet", queryset).not_in_error()

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [first | {"display": "Left out"}, *others]


@admin.register(ChartEntry)
class ChartEntryAdmin(HimsModelAdmin[ChartEntry]):
    """The chart. Not in the navigation: it is opened from its patient's page."""

    resource = "chart"
    list_audit_action = "read"
    needs = {"view": Permission.CHART_VIEW, "add": Permission.CHART_WRITE}
    list_display = ("when", "type", "display", "measured", "code", "status", "recorded_by")
    list_display_links = ("display",)
    empty_value_display = ""
    list_filter = (KindFilter, EnteredInErrorFilter)
    list_parameters = ("patient", tabs.FROM)
    ordering = ("-occurred_at", "-id")
    row_actions = (
        RowAction(
            name="retract",
            label="Retract",
            permission=Permission.CHART_WRITE,
            form=ReasonForm,
            run=lambda by, row, answers: services.retract(
                by=by, patient_id=row.patient_id, entry_id=row.pk, reason=answers["reason"]
            ),
            question="The entry is marked as entered in error. It stays visible as such. This cannot be undone.",
            done="The entry is marked as entered in error.",
            available=lambda row, user: row.status != ENTERED_IN_ERROR and rights.writes_chart(user, row.type),
            destructive=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChartEntry]:
        return super().get_queryset(request).select_related("patient", "recorded_by", "retracted_by")

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        return {}

    # One patient at a time

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not request.GET.get("patient"):
            messages.info(request, "Find the patient first, then open the chart from their page.")
            return HttpResponseRedirect(reverse("admin:patients_patient_changelist"))
        patient = self._patient(request)
        context = self.page_context(request, None) | {
            "title": tabs.label(tabs.RECORD),
            "is_tab": True,
            "adds": self._adds(request, patient),
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def record_list_access(self, request: HttpRequest, shown: int) -> None:
        self.record_access(request, "read", patient_id=self._patient(request).pk, query=request.GET.dict(), shown=shown)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Shows the form of a new entry: `?patient=` and `type=` name the patient and the kind."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not request.GET.get("patient") or request.GET.get("type") not in set(EntryType):
            messages.info(request, "Find the patient first, then add the entry to their chart.")
            return HttpResponseRedirect(reverse("admin:patients_patient_changelist"))
        if not rights.writes_chart(cast("Any", request.user), request.GET["type"]):
            raise PermissionDenied
        patient, kind = self._patient(request), request.GET["type"].replace("_", " ")
        title = {"title": f"New {kind}", "subtitle": banner.of(patient, cast("Actor", request.user)).title}
        return super().add_view(request, form_url, title | (extra_context or {}))

    def page_context(self, request: HttpRequest, row: ChartEntry | None) -> dict[str, Any]:
        patient = row.patient if row is not None else self._patient(request)
        shown = banner.of(patient, cast("Actor", request.user))
        return {"banner": shown, "subtitle": shown.title, **tabs.context(request, patient, tabs.RECORD)}

    def patient_of(self, row: ChartEntry) -> UUID:
        return row.patient_id

    def _patient(self, request: HttpRequest) -> Patient:
        """Returns the patient that the address names."""
        if not hasattr(request, "chart_patient"):
            try:
                patient_id = UUID(request.GET.get("patient", ""))
            except ValueError as error:
                raise Http404 from error
            request.about_patient = patient_id  # type: ignore[attr-defined]  # the page carries it on the request
            request.chart_patient = selectors.patient(request.user, patient_id)  # type: ignore[attr-defined, arg-type]  # the page carries it on the request
        patient: Patient = request.chart_patient  # type: ignore[attr-defined]  # the page carries it on the request
        return patient

    def _adds(self, request: HttpRequest, patient: Patient) -> list[tuple[str, str]]:
        """Returns the links for adding entries of the kinds that this user may write."""
        if not self.has_add_permission(request):
            return []
        address = reverse("admin:patients_chartentry_add")
        kinds = [kind for kind in EntryType if rights.writes_chart(cast("Any", request.user), kind)]
        return [(kind.value.replace("_", " "), f"{address}?patient={patient.pk}&type={kind.value}") for kind in kinds]

    # The form

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if not change:
            kwargs["form"] = entry_form(EntryType(request.GET["type"]))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            kind = EntryType(request.GET["type"])
            return [(None, {"fields": entry_columns(kind)}), ("Details", {"fields": detail_boxes(kind)})]
        coded_only = rights.coded_only(cast("Any", request.user).role)
        return [(None, {"fields": _CODED if coded_only else _CODED + _NARRATIVE})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else (*_CODED, *_NARRATIVE)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        coded_only = rights.coded_only(cast("Any", request.user).role)
        return tuple(name for name in self.list_display if not (coded_only and name == "measured"))

    def add(self, request: HttpRequest, form: Any) -> ChartEntry:
        answers = form.cleaned_data
        known = {field.name for field in fields(NewEntry)}
        columns = {name: value for name, value in answers.items() if name in known}
        detail = {name.removeprefix(DETAIL): value for name, value in answers.items() if name.startswith(DETAIL)}
        detail = {name: value for name, value in detail.items() if value not in ("", None)}
        entry = NewEntry(type=request.GET["type"], detail=detail, **columns)
        patient_id = request.about_patient  # type: ignore[attr-defined]  # as the address has it: a write to a merged record is refused
        return services.record(by=request.user, patient_id=patient_id, entry=entry)  # type: ignore[arg-type]  # only staff get here

    def response_add(self, request: HttpRequest, obj: ChartEntry, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(request, f"{obj.display}: recorded.")
        if reason := selectors.unusual_for_patient(obj):
            messages.warning(request, reason)
        if same := selectors.already_recorded(obj):
            since = f"{same[0].display}, {same[0].occurred_on or clinic_times.day(same[0].occurred_at)}"
            messages.warning(
                request, f"The chart already has this {obj.type} as active ({since}). If it is the same, retract one."
            )
        return HttpResponseRedirect(f"{reverse('admin:patients_chartentry_changelist')}?patient={obj.patient_id}")

    @admin.display(description="when", ordering="occurred_at")
    def when(self, row: ChartEntry) -> Any:
        """Returns the date as it was entered, or the instant."""
        words = since(row, whole=True) if row.occurred_on else clinic_times.moment(row.occurred_at)
        return format_html('<span class="nowrap ltr">{}</span>', words)

    @admin.display(description="until", ordering="ended_at")
    def until(self, row: ChartEntry) -> Any:
        return row.ended_on or row.ended_at

    @admin.display(description="value")
    def measured(self, row: ChartEntry) -> str:
        return f"{row.value.normalize():f} {row.unit}" if row.value is not None else row.detail.get("value_text", "")

    @admin.display(description="details")
    def details(self, row: ChartEntry) -> str:
        rows = [(name.replace("_", " "), value) for name, value in row.detail.items()]
        return format_html_join("", "<p><b>{}:</b> {}</p>", rows) if rows else "–"
