"""What the safety checks know: pharmacists write and retire entries, and another pharmacist or a doctor reviews each."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.forms import ServiceForm
from apps.desk.kit.row_actions import ReasonForm, RowAction
from apps.desk.templatetags.desk import icon
from apps.prescriptions.models import KnowledgeEntry
from apps.prescriptions.rights import Permission
from apps.prescriptions.safety.facts import Severity
from apps.prescriptions.safety.services import keeping
from apps.prescriptions.safety.tables import KEYS, TABLES

_HINT = _("A generic name in small letters, or a class: class:maoi")


class InteractionForm(ServiceForm[KnowledgeEntry]):
    """A new pair. The other tables come with HIMS."""

    a = forms.CharField(label=_("First drug or class"), max_length=120, help_text=_HINT)
    b = forms.CharField(label=_("Second drug or class"), max_length=120, help_text=_HINT)
    severity = forms.ChoiceField(label=_("Severity"), choices=[(one.value, one.value) for one in Severity])
    effect = forms.CharField(label=_("What may happen"), max_length=200)
    management = forms.CharField(label=_("What to do"), max_length=200, required=False)
    source = forms.CharField(label=_("Source"), max_length=300, help_text=_("A label section, a DOI, a guideline"))

    class Meta:
        model = KnowledgeEntry
        fields: tuple[str, ...] = ()


class ReviewFilter(admin.SimpleListFilter):
    title = _("review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Not reviewed")), ("done", _("Reviewed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[KnowledgeEntry]) -> QuerySet[KnowledgeEntry]:
        if not self.value():
            return queryset
        return queryset.filter(reviewer=None) if self.value() == "open" else queryset.exclude(reviewer=None)


class TableFilter(admin.SimpleListFilter):
    """The interactions, unless another table or all are asked for."""

    title = _("kind")
    parameter_name = "table"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("All")), *((table, capfirst(table.replace("_", " "))) for table in TABLES)]

    def choices(self, changelist: Any) -> Any:
        """Leaves out Django's own "All", because no choice means the interactions."""
        chosen = self.value() or "interactions"
        for value, label in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": chosen == value, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: QuerySet[KnowledgeEntry]) -> QuerySet[KnowledgeEntry]:
        chosen = self.value() or "interactions"
        return queryset if chosen == "all" else queryset.filter(table=chosen)


@admin.register(KnowledgeEntry)
class KnowledgeAdmin(HimsModelAdmin[KnowledgeEntry]):
    """The entries in force. Nothing is edited: another entry about the same replaces one."""

    resource = "drug_knowledge"
    title = _("Safety rules")
    add_label = _("Add an interaction")
    needs = {"view": Permission.KNOWLEDGE_VIEW, "add": Permission.KNOWLEDGE_WRITE}
    list_display = ("subject", "partner", "severity", "says", "review")
    list_filter = (TableFilter, ReviewFilter)
    search_fields = ("title",)
    search_help_text = _("Part of the name of a drug or class")
    ordering = ("table", "title", "id")
    row_actions = (
        RowAction(
            name="review",
            label=_("Mark as reviewed"),
            permission=Permission.KNOWLEDGE_REVIEW,
            run=lambda by, row, _: keeping.review_entry(by=by, entry_id=row.pk),
            question=_("You have compared this rule with its source, and it is right."),
            done=_("The rule is marked as reviewed by you."),
            available=lambda row, user: row.reviewer_id is None and row.author_id != user.pk,
        ),
        RowAction(
            name="retire",
            label=_("Retire the rule"),
            permission=Permission.KNOWLEDGE_WRITE,
            run=lambda by, row, answers: keeping.retire_entry(by=by, entry_id=row.pk, reason=answers["reason"]),
            question=_("The safety checks no longer use it. It stays readable."),
            done=_("The rule is retired."),
            form=ReasonForm,
            available=lambda row, _: row.retired_at is None,
            destructive=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[KnowledgeEntry]:
        return super().get_queryset(request).filter(retired_at=None).select_related("author", "reviewer")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[KnowledgeEntry], search_term: str
    ) -> tuple[QuerySet[KnowledgeEntry], bool]:
        words = search_term.replace("\x00", "").split()
        return queryset.filter(*(Q(title__icontains=word) for word in words)), False

    def get_form(self, request: HttpRequest, obj: KnowledgeEntry | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = InteractionForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: KnowledgeEntry | None = None) -> Any:
        if obj is None:
            return ("a", "b", "severity", "effect", "management", "source")
        return ("rule", "kind", "contents", "source", "written_by", "review", "since_version")

    def get_readonly_fields(self, request: HttpRequest, obj: KnowledgeEntry | None = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def add(self, request: HttpRequest, form: Any) -> KnowledgeEntry:
        sent = {name: str(form.cleaned_data.get(name) or "") for name in self.get_fields(request)}
        return keeping.write_entry(by=request.user, table="interactions", row=sent, reason=gettext("Written on the desk"))  # type: ignore[arg-type]  # only staff get here

    @admin.display(description=_("rule"))
    def rule(self, row: KnowledgeEntry) -> str:
        return row.title

    @admin.display(description=_("rule"))
    def subject(self, row: KnowledgeEntry) -> str:
        """The first of the two that a rule is about, so that the column stays narrow."""
        return row.parts[0]

    @admin.display(description=_("with"))
    def partner(self, row: KnowledgeEntry) -> str:
        return row.parts[1]

    @admin.display(description=_("kind"))
    def kind(self, row: KnowledgeEntry) -> str:
        return row.get_table_display()

    @admin.display(description=_("severity"))
    def severity(self, row: KnowledgeEntry) -> str:
        return str(row.data.get("severity") or row.data.get("duplicate") or "")

    @admin.display(description=_("what may happen"))
    def says(self, row: KnowledgeEntry) -> str:
        return str(row.data.get("effect") or row.data.get("text") or row.data.get("means") or "")

    @admin.display(description=_("what it says"))
    def contents(self, row: KnowledgeEntry) -> str:
        named = {*KEYS[row.table], "source"} - {"age_from", "age_below", "routes", "below"}  # the title has these
        return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in row.data.items() if value and name not in named)

    @admin.display(description=_("written by"))
    def written_by(self, row: KnowledgeEntry) -> str:
        return str(row.author) if row.author else gettext("Came with HIMS")

    @admin.display(description=_("review"))
    def review(self, row: KnowledgeEntry) -> str:
        if row.reviewer is None:
            return format_html('<span class="tag warn">{}{}</span>', icon("warning"), gettext("Not reviewed"))
        return format_html('<span class="tag go">{}{}</span>', icon("check"), str(row.reviewer))
