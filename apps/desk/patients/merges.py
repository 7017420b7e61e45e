"""Merging in the admin: from the patient's page into another record; the list of merges; undoing one, and resolving what
remains."""

from collections.abc import Iterable, Mapping
from typing import Any, cast
from uuid import UUID

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.common.errors import NotFound
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.forms import shown_value
from apps.desk.kit.pages import page_links
from apps.desk.kit.row_actions import ReasonForm, RowAction
from apps.desk.kit.site import can_open
from apps.desk.patients import duplicate_tabs, tabs
from apps.patients import rules, selectors, services
from apps.patients.merging import merge_plan
from apps.patients.models import ChartEntry, Merge, MergedRow, MergeTriage, Patient
from apps.patients.rights import Permission
from apps.rest import sample_ids

_FOUND = 20
_ROW = "row_"
_QUEUE = "queue"  # in the address of a merge: the user came from the queue of candidates, and returns there
_QUEUE_PAGE = "admin:patients_duplicatecandidate_changelist"


class MergeForm(ReasonForm):
    """Which values to keep where the two differ, and why they are one person."""

    def __init__(self, preview: merge_plan.Preview, data: Any = None) -> None:
        super().__init__(data)
        self.preview = preview
        for row in preview.conflicts:
            self.fields[row.field] = forms.ChoiceField(
                label=row.label,
                choices=[("survivor", _shown(row.survivor)), ("retired", _shown(row.retired))],
                initial=row.default,
                widget=forms.RadioSelect,
            )
        self.order_fields([*(row.field for row in preview.conflicts), "reason"])

    @property
    def both(self) -> list[dict[str, Any]]:
        """Returns every column that has a value in one of the two, side by side; with radio buttons where they differ."""
        retired, survivor = self.preview.retired, self.preview.survivor
        rows = []
        for column in ("mrn", *merge_plan.SHOWN):
            theirs, ours = (_shown(merge_plan.shown_value(row, column)) for row in (retired, survivor))
            if {theirs, ours} != {_shown("")}:
                label = merge_plan.column_named(column).verbose_name
                radios = self[column] if column in self.fields else None
                rows.append({"label": label, "survivor": ours, "retired": theirs, "radios": radios})
        return rows

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or self.cleaned_data
        sides = {row.field: answers[row.field] for row in self.preview.conflicts if row.field in answers}
        return answers | {"into": self.preview.survivor.pk, "sides": sides}


def _merge(by: Actor, row: Patient, answers: Mapping[str, Any]) -> None:
    services.merge(by=by, retired_id=row.pk, survivor_id=answers["into"], reason=answers["reason"], fields=answers["sides"])


MERGE = RowAction(
    name="merge",
    label=_("Merge with another record"),
    permission=Permission.PATIENT_MERGE,
    run=_merge,
    question="The chart and everything else moves to the kept record. This record's number finds it from then on. "
    "You can undo the merge.",
    done="The two records are merged.",
    available=lambda row, _: not row.merged_into_id,
    destructive=True,
)


def warn_of_visits(request: HttpRequest, patient: Patient) -> None:
    """Warns how many appointments stay booked although the patient is deceased or inactive."""
    if count := services.visits_affected(patient):
        messages.warning(
            request, f"Booked appointments of this patient: {count}. They stay in the schedule until they are cancelled."
        )


class MergeMixin(HimsModelAdmin[Patient]):
    """The part of the patient's page that merges it into another, and leads from a merged record to the survivor."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Patient]:
        return super().get_queryset(request).filter(merged_into=None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        survivor = self._survivor(request, object_id)
        if survivor is None:
            return super().change_view(request, object_id, form_url, extra_context)
        if request.method == "POST" and self.has_change_permission(request):
            return self._not_saved(request, object_id, survivor)
        messages.info(request, "The record you asked for was merged into this one.")
        return HttpResponseRedirect(reverse("admin:patients_patient_change", args=[survivor.pk]))

    def _not_saved(self, request: HttpRequest, object_id: str, survivor: Patient) -> TemplateResponse:
        """Shows what was typed into the form of a record that was merged meanwhile, to be copied into the one that it became. No
        redirect: it would lose the text, and the draft of it."""
        retired = Patient.objects.get(pk=cast("UUID", sample_ids.resolve(object_id)))
        form = self.get_form(request, retired, change=True)(request.POST, instance=retired)
        self.record_access(request, "read", survivor)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Nothing was saved"),
            "survivor": survivor,
            "typed": [(form[name].label, _typed(form, name)) for name in form.changed_data if name != "version"],
            "survivor_url": tabs.address(request.user, survivor.pk, tabs.DETAILS),
        }
        return TemplateResponse(request, "desk/patients/not_saved.html", context)

    def row_action_view(self, request: HttpRequest, object_id: str, action: RowAction) -> HttpResponse:
        """Shows the page of an action. A merge starts with choosing the survivor."""
        row = self.get_object(request, object_id)
        if action is not MERGE or row is None or not can_open(request.user, action.permission):
            return super().row_action_view(request, object_id, action)
        into = self._into(request, row)
        if into is None:
            return self._choose(request, row)
        if sample_ids.resolve(request.GET["into"]) != into.pk:  # a merge requires that the user has seen the survivor
            messages.warning(request, "The record you chose was itself merged into this one. Check it again.")
            return HttpResponseRedirect(f"{request.path}?into={into.pk}")
        response = super().row_action_view(request, object_id, action)
        is_done = isinstance(response, HttpResponseRedirect)
        if is_done:
            warn_of_visits(request, selectors.patient(cast("Actor", request.user), into.pk))
        return HttpResponseRedirect(reverse(_QUEUE_PAGE)) if is_done and _QUEUE in request.GET else response

    def row_action_form(self, request: HttpRequest, row: Patient, action: RowAction) -> Any:
        if action is not MERGE:
            return super().row_action_form(request, row, action)
        into = cast("Patient", self._into(request, row))
        by = cast("Actor", request.user)
        preview = merge_plan.preview(visible_to=by, retired_id=row.pk, survivor_id=into.pk)
        self.record_access(request, "merge_previewed", row, into=str(into.pk))
        return MergeForm(preview, request.POST if request.method == "POST" else None)

    def _ask(self, request: HttpRequest, row: Patient, action: RowAction, form: forms.Form) -> TemplateResponse:
        page = super()._ask(request, row, action, form)
        if action is MERGE:
            page.template_name = "admin/patients/patient/merge.html"
            if _QUEUE in request.GET:
                cast("dict[str, Any]", page.context_data).update(queue=True, back=reverse(_QUEUE_PAGE))
        return page

    def _choose(self, request: HttpRequest, row: Patient) -> TemplateResponse:
        """Shows the patient search for the survivor."""
        by, text = cast("Actor", request.user), request.GET.get("q", "").strip()[: rules.QUERY_MAX]
        people = selectors.patients(visible_to=by).exclude(pk=row.pk)
        matches = list(selectors.search_within(people, text, by)[:_FOUND]) if text else []
        self.record_access(request, "searched", query={"q": text}, shown=len(matches))
        page = super()._ask(request, row, MERGE, forms.Form())
        page.template_name = "admin/patients/patient/merge_choose.html"
        cast("dict[str, Any]", page.context_data).update(text=text, matches=matches)
        return page

    def _into(self, request: HttpRequest, row: Patient) -> Patient | None:
        """Returns the survivor, if the address names one besides this record."""
        chosen = sample_ids.resolve(request.GET.get("into", ""))
        try:
            patient = selectors.patient(cast("Actor", request.user), chosen) if chosen else None
        except NotFound:
            return None
        return patient if patient != row else None

    def _survivor(self, request: HttpRequest, object_id: str) -> Patient | None:
        """Returns the survivor of this record, if it was merged and the user may know of it."""
        patient_id = sample_ids.resolve(object_id)
        if patient_id is None or not self.has_view_permission(request):
            return None
        try:
            patient = selectors.patient(cast("Actor", request.user), patient_id)
        except NotFound:
            return None
        return patient if patient.pk != patient_id else None


# The merges


class StateFilter(admin.SimpleListFilter):
    """Filters merges by state."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("merged", "Merged"), ("undone", "Undone"), ("waiting", "Waiting for a decision")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Merge]) -> QuerySet[Merge]:
        if self.value() == "waiting":
            return queryset.filter(Exists(MergeTriage.objects.filter(merge=OuterRef("pk"), settled_at=None)))
        return queryset.filter(undone_at__isnull=self.value() == "merged") if self.value() else queryset


class SettleForm(forms.Form):
    """Assigns each row and field that was added between a merge and its undo."""

    def __init__(self, merge: Merge, labels: Mapping[int, str], data: Any = None) -> None:
        super().__init__(data)
        sides = [("", "Decide later"), ("survivor", f"{merge.survivor}’s"), ("retired", f"{merge.retired}’s")]
        for pk, words in labels.items():
            self.fields[f"{_ROW}{pk}"] = forms.ChoiceField(label=words, choices=sides, required=False)


@transaction.atomic
def _settle(by: Actor, answers: Mapping[str, str]) -> None:
    for name, side in answers.items():
        if side:
            services.settle_triage(by=by, triage_id=int(name.removeprefix(_ROW)), belongs_to=side)


UNDO = RowAction(
    name="undo",
    label="Undo the merge",
    permission=Permission.PATIENT_MERGE,
    run=lambda by, row, _: services.undo_merge(by=by, merge_id=row.pk),
    question="Both records are separate again, with the changes made to their rows since. New rows and fields "
    "changed since stay with the kept record and are listed for you to decide.",
    done="The merge was undone.",
    available=lambda row, _: row.undone_at is None,
    destructive=True,
)
SETTLE = RowAction(
    name="settle",
    label="Resolve remaining items",
    permission=Permission.PATIENT_MERGE,
    run=lambda by, _, answers: _settle(by, answers),
    question="This was created while the two records were merged. Which patient does it belong to?",
    done="The decision is saved.",
    available=lambda row, _: selectors.triage(row).filter(settled_at=None).exists(),
)


@admin.register(Merge)
class MergeAdmin(HimsModelAdmin[Merge]):
    """Every merge, undone or not; the remaining items of an undo are resolved here."""

    resource = "merge"
    title = "Merged records"
    needs = {"view": Permission.PATIENT_MERGE}
    list_filter = (StateFilter,)
    ordering = ("-merged_at", "-id")
    readonly_fields = ("from_record", "into_record", "moved", "changes", "left")
    fields = (
        "from_record",
        "into_record",
        "reason",
        "merged_by",
        "merged_at",
        "moved",
        "changes",
        "undone_by",
        "undone_at",
        "left",
    )
    row_actions = (UNDO, SETTLE)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Merge]:
        open_rows = MergeTriage.objects.filter(merge=OuterRef("pk"), settled_at=None)
        people = super().get_queryset(request).select_related("retired", "survivor", "merged_by", "undone_by")
        return people.annotate(waits=Exists(open_rows))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        head = duplicate_tabs.context(request, duplicate_tabs.MERGED) if self.has_view_permission(request) else {}
        response = super().changelist_view(request, head | (extra_context or {}))
        if isinstance(response, TemplateResponse) and response.context_data:
            cl = response.context_data["cl"]
            chips = [choice for spec in cl.filter_specs for choice in spec.choices(cl)]
            response.context_data.update(chips=chips, page_links=page_links(cl))
        return response

    def patient_of(self, row: Merge) -> UUID:
        return row.survivor_id

    def row_action_form(self, request: HttpRequest, row: Merge, action: RowAction) -> Any:
        if action is not SETTLE:
            return super().row_action_form(request, row, action)
        labels = _triage_labels(selectors.triage(row).filter(settled_at=None), row, cast("Actor", request.user))
        return SettleForm(row, labels, request.POST if request.method == "POST" else None)

    @admin.display(description="merged record")
    def from_record(self, row: Merge) -> str:
        return str(row.retired)

    @admin.display(description="kept record")
    def into_record(self, row: Merge) -> str:
        return format_html('<a href="{}">{}</a>', reverse("admin:patients_patient_change", args=[row.survivor_id]), row.survivor)

    @admin.display(description="rows moved")
    def moved(self, row: Merge) -> str:
        counts = (
            MergedRow.objects.filter(merge=row)
            .exclude(column="status")
            .values_list("model")
            .annotate(Count("id"))
            .order_by("model")
        )
        names = ((apps.get_model(model)._meta.verbose_name_plural, rows) for model, rows in counts)
        return ", ".join(f"{name}: {rows}" for name, rows in names) or "none"

    @admin.display(description="values changed")
    def changes(self, row: Merge) -> str:
        changed = [(column, values) for column, values in row.fields.items() if values["before"] != values["after"]]
        lines = [(column, _shown(values["before"]), _shown(values["after"])) for column, values in changed]
        return format_html_join("", "<p><b>{}:</b> {} → {}</p>", lines) if lines else "none"

    @admin.display(description="to decide", boolean=True)
    def left(self, row: Any) -> bool:
        return bool(row.waits)


def _triage_labels(rows: Iterable[MergeTriage], merge: Merge, reader: Actor) -> dict[int, str]:
    """Returns a label of each open item, within the reader's permissions: the text of a chart entry, the two values of a
    field."""
    rows = list(rows)
    entries = [row.row_id for row in rows if row.model == ChartEntry._meta.label]
    read = {str(entry.pk): f" ({entry})" for entry in ChartEntry.objects.visible_to(reader).filter(pk__in=entries)}
    fields = {row.row_id: _two_values(merge, row.row_id) for row in rows if row.model == Patient._meta.label}
    return {row.pk: row.note + (fields if row.model == Patient._meta.label else read).get(row.row_id, "") for row in rows}


def _typed(form: forms.BaseForm, name: str) -> str:
    """Returns what a field has after it was sent, valid or not; a time has two boxes."""
    value = form[name].value()
    return shown_value(form, name, [one for one in value if one] if isinstance(value, list) else value)


def _two_values(merge: Merge, name: str) -> str:
    """Returns the values of a column, now and before the merge; of a group those of the columns that differ."""
    pairs = [
        (_shown(getattr(merge.survivor, column)), _shown(merge.fields[column]["before"]))
        for column in merge_plan.together(merge.fields)[name]
    ]
    differing = [(now, before) for now, before in pairs if now != before] or pairs
    now, before = (", ".join(values) for values in zip(*differing, strict=True))
    return f" (now {now}, before the merge {before})"


def _shown(value: Any) -> str:
    return str(value) if value not in ("", None) else "(empty)"
