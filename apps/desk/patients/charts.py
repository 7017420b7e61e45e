"""The record of a patient and the pages of its entries: readable within the role's permissions, written by kind, corrected by
marking an entry as entered in error."""

from dataclasses import fields
from datetime import time
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.common import clinic_times
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.row_actions import ReasonForm, RowAction
from apps.desk.patients import entry_words, record_tab, tabs
from apps.desk.patients.entry_words import KINDS
from apps.desk.patients.forms import CODE_AND_TIME, DETAIL, detail_boxes, entry_columns, entry_form
from apps.desk.patients.labels import since, until
from apps.patients import rights, selectors, services
from apps.patients.chart import banner
from apps.patients.chart.entry_types import ENTERED_IN_ERROR, EntryType
from apps.patients.models import ChartEntry, ChartQuerySet, Patient
from apps.patients.rights import Permission
from apps.patients.services import NewEntry

_CODED = ("kind", "display", "code_system", "code", "state", "when", "until", "recorded", "source")
_NARRATIVE = ("measured", "details")
_ERROR = ("marked", "retraction_reason")
_PATIENT = "patient"  # the parameter that names the patient


class KindFilter(admin.SimpleListFilter):
    """Filters by the kinds of entry that the user may read."""

    title = "kind"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        user = cast("Any", request.user)
        return [(kind.value, str(KINDS[kind].several)) for kind in EntryType if rights.reads_chart(user, kind)]

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


class RecordList(ChangeList):
    """The entries of the patient whose name is above the list. Django's filter by the address would mix the entries of all the
    patients that it names; where the user came from is no filter either."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        own = super().get_filters_params(params)
        return {name: value for name, value in own.items() if name not in (_PATIENT, tabs.FROM)}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[ChartEntry]:
        rows = super().get_queryset(request, exclude_parameters)
        return rows.filter(patient=cast("ChartEntryAdmin", self.model_admin).shown_patient(request))


@admin.register(ChartEntry)
class ChartEntryAdmin(HimsModelAdmin[ChartEntry]):
    """The record, a tab of its patient's pages; without a patient it leads to the search."""

    resource = "chart"
    list_audit_action = "read"
    needs = {"view": Permission.CHART_VIEW, "add": Permission.CHART_WRITE}
    change_list_template = "desk/patients/record.html"
    empty_value_display = ""
    list_filter = (KindFilter, EnteredInErrorFilter)
    list_parameters = (_PATIENT, tabs.FROM)
    ordering = ("-occurred_at", "-id")
    row_actions = (
        RowAction(
            name="retract",
            label=_("Mark as entered in error"),
            permission=Permission.CHART_WRITE,
            form=ReasonForm,
            run=lambda by, row, answers: services.retract(
                by=by, patient_id=row.patient_id, entry_id=row.pk, reason=answers["reason"]
            ),
            question=_("The entry is marked as entered in error. It stays visible as such. This cannot be undone."),
            done=_("The entry is marked as entered in error."),
            template="admin/patients/chartentry/retract.html",
            available=lambda row, user: row.status != ENTERED_IN_ERROR and rights.writes_chart(user, row.type),
            destructive=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChartEntry]:
        return super().get_queryset(request).select_related("patient", "recorded_by", "retracted_by")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RecordList

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        return {}

    # One patient at a time

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not request.GET.get(_PATIENT):
            messages.info(request, "Find the patient first, then open the chart from their page.")
            return HttpResponseRedirect(reverse("admin:patients_patient_changelist"))
        patient = self.shown_patient(request)
        if survivor := self._to_survivor(request, patient):
            return survivor
        context = self.page_context(request, None) | {"title": tabs.label(tabs.RECORD), "is_tab": True}
        response = super().changelist_view(request, context | (extra_context or {}))
        if isinstance(response, TemplateResponse) and response.context_data:
            response.context_data.update(record_tab.content(request, patient, response.context_data["cl"]))
        return response

    def record_list_access(self, request: HttpRequest, shown: int) -> None:
        self.record_access(request, "read", patient_id=self.shown_patient(request).pk, query=request.GET.dict(), shown=shown)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Shows the form of a new entry: `?patient=` and `type=` name the patient and the kind."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not request.GET.get(_PATIENT) or request.GET.get("type") not in set(EntryType):
            messages.info(request, "Find the patient first, then add the entry to their chart.")
            return HttpResponseRedirect(reverse("admin:patients_patient_changelist"))
        if not rights.writes_chart(cast("Any", request.user), request.GET["type"]):
            raise PermissionDenied
        patient, kind = self.shown_patient(request), KINDS[EntryType(request.GET["type"])]
        if survivor := self._to_survivor(request, patient):
            return survivor
        title = {"title": kind.add, "subtitle": banner.of(patient, cast("Actor", request.user)).title}
        response = super().add_view(request, form_url, title | (extra_context or {}))
        self.record_form_access(request, response, patient.pk)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Shows an entry; nothing on it can be edited."""
        title = {"title": gettext("Entry of the record")}
        return super().change_view(request, object_id, form_url, title | (extra_context or {}))

    def page_context(self, request: HttpRequest, row: ChartEntry | None) -> dict[str, Any]:
        patient = row.patient if row is not None else self.shown_patient(request)
        shown = banner.of(patient, cast("Actor", request.user))
        record = {"record_url": self._record(request, patient.pk)}
        return {"banner": shown, "subtitle": shown.title, **record, **tabs.context(request, patient, tabs.RECORD)}

    def after_row_action(self, row: ChartEntry) -> str:
        return f"{reverse('admin:patients_chartentry_changelist')}?patient={row.patient_id}"

    def _record(self, request: HttpRequest, patient_id: UUID) -> str:
        return tabs.carried(request, tabs.address(request.user, patient_id, tabs.RECORD))

    def patient_of(self, row: ChartEntry) -> UUID:
        return row.patient_id

    def shown_patient(self, request: HttpRequest) -> Patient:
        """Returns the patient that the address names: of a merged record, the one that it became."""
        if not hasattr(request, "chart_patient"):
            try:
                patient_id = UUID(request.GET.get(_PATIENT, ""))
            except ValueError as error:
                raise Http404 from error
            request.about_patient = patient_id  # type: ignore[attr-defined]  # the page carries it on the request
            request.chart_patient = selectors.patient(request.user, patient_id)  # type: ignore[attr-defined, arg-type]  # the page carries it on the request
        patient: Patient = request.chart_patient  # type: ignore[attr-defined]  # the page carries it on the request
        return patient

    def _to_survivor(self, request: HttpRequest, patient: Patient) -> HttpResponse | None:
        """Leads from the address of a merged record to the same page of the one that it became. A form that is sent stays here:
        the service refuses it, and the page keeps what was typed."""
        if request.method == "POST" or patient.pk == request.about_patient:  # type: ignore[attr-defined]  # the page carries it on the request
            return None
        messages.info(request, gettext("The record you asked for was merged into this one."))
        query = request.GET.copy()
        query[_PATIENT] = str(patient.pk)
        return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")

    # The form

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if not change:
            kwargs["form"] = entry_form(EntryType(request.GET["type"]))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            kind = EntryType(request.GET["type"])
            columns = entry_columns(kind)
            first = tuple(name for name in columns if name not in CODE_AND_TIME)
            return [
                (None, {"fields": (*first, *detail_boxes(kind))}),
                (gettext("Date, status and code"), {"fields": CODE_AND_TIME}),
            ]
        if rights.coded_only(cast("Any", request.user).role):
            return [(None, {"fields": _filled(obj, _CODED)})]
        narrative = _NARRATIVE + (_ERROR if obj.status == ENTERED_IN_ERROR else ())
        return [(None, {"fields": _filled(obj, _CODED + narrative)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else (*_CODED, *_NARRATIVE, *_ERROR)

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
        messages.success(request, gettext("Added to the record: %(entry)s.") % {"entry": obj.display})
        if reason := selectors.unusual_for_patient(obj):
            messages.warning(request, reason)
        if same := selectors.already_recorded(obj):
            known = f"{same[0].display}, {since(same[0], whole=True)}"
            words = gettext("The record already has this as active (%(known)s). If it is the same, mark one as entered in error.")
            messages.warning(request, words % {"known": known})
        return HttpResponseRedirect(self._record(request, obj.patient_id))

    # What the page of an entry shows

    @admin.display(description=_("Type"))
    def kind(self, row: ChartEntry) -> str:
        return str(KINDS[EntryType(row.type)].one)

    @admin.display(description=_("Status"))
    def state(self, row: ChartEntry) -> str:
        return str(entry_words.status(row).words)

    @admin.display(description=_("When"))
    def when(self, row: ChartEntry) -> SafeString:
        """Returns the date as it was entered, or the instant."""
        has_time = not row.occurred_on and clinic_times.local(row.occurred_at).time() != time.min
        words = clinic_times.moment(row.occurred_at) if has_time else since(row, whole=True)
        return format_html('<span class="nowrap ltr">{}</span>', words)

    @admin.display(description=_("Until"))
    def until(self, row: ChartEntry) -> str:
        return until(row)

    @admin.display(description=_("Recorded"))
    def recorded(self, row: ChartEntry) -> str:
        by = row.recorded_by.full_name if row.recorded_by else ""
        return ", ".join(part for part in (by, clinic_times.moment(row.recorded_at)) if part)

    @admin.display(description=_("Marked as entered in error"))
    def marked(self, row: ChartEntry) -> str:
        by = row.retracted_by.full_name if row.retracted_by else ""
        return ", ".join(part for part in (by, clinic_times.moment(row.retracted_at) if row.retracted_at else "") if part)

    @admin.display(description=_("Value"))
    def measured(self, row: ChartEntry) -> str:
        return entry_words.value(row)

    @admin.display(description=_("Details"))
    def details(self, row: ChartEntry) -> str:
        rows = [(name.replace("_", " ").capitalize(), value) for name, value in row.detail.items()]
        return format_html_join("", "<p><b>{}:</b> {}</p>", rows) if rows else gettext("None")


def _filled(row: ChartEntry, names: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the fields of the page without the empty ones."""
    empty = {
        "code_system": not row.code_system,
        "code": not row.code,
        "until": row.ended_at is None,
        "measured": not entry_words.value(row),
        "details": not row.detail,
    }
    return tuple(name for name in names if not empty.get(name, False))
