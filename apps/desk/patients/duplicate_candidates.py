"""The queue of possible duplicates: both records side by side, and a decision on each pair: merge, or not the same person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.patients import selectors, services
from apps.patients.chart import ages
from apps.patients.matching import scoring
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.matching.scoring import Reason
from apps.patients.models import Patient
from apps.patients.rights import Permission

_SURE = 0.95


def waiting(user: Any) -> str:
    """Returns how many pairs wait, as text; empty for none."""
    count = selectors.duplicate_candidate_count(user)
    return f"more than {selectors.COUNTED_UP_TO}" if count > selectors.COUNTED_UP_TO else str(count or "")


class LikelihoodFilter(admin.SimpleListFilter):
    """Filters by likelihood."""

    title = "likelihood"
    parameter_name = "likely"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("sure", "95 % and more"), ("likely", "Below 95 %")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DuplicateCandidate]) -> QuerySet[DuplicateCandidate]:
        if self.value() == "sure":
            return queryset.filter(score__gte=_SURE)
        return queryset.filter(score__lt=_SURE) if self.value() else queryset


class ReasonFilter(admin.SimpleListFilter):
    """Filters by what agrees."""

    title = "what agrees"
    parameter_name = "why"
    _offered = (
        Reason.SAME_NAME,
        Reason.MISSPELT_NAME,
        Reason.SOUNDS_ALIKE,
        Reason.SWAPPED_NAMES,
        Reason.SAME_BIRTH,
        Reason.SAME_PHONE,
        Reason.SAME_EMAIL,
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(reason.value, scoring.IN_WORDS[reason].capitalize()) for reason in self._offered]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DuplicateCandidate]) -> QuerySet[DuplicateCandidate]:
        return queryset.filter(reasons__contains=[self.value()]) if self.value() else queryset


@dataclass(frozen=True)
class Fact:
    """A fact about one of the two, and whether it differs from the other."""

    label: str
    text: str
    differs: bool


@dataclass(frozen=True)
class Side:
    """One of the two records."""

    url: str
    name: Fact
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class CandidateRow:
    """A pair as shown: the older record, which a merge keeps by default, and the newer."""

    sides: tuple[Side, Side]
    both: str
    why: str
    percent: int
    since: datetime
    merge_url: str
    not_same_url: str


NOT_SAME = RowAction(
    name="not-same",
    label="Not the same person",
    permission=Permission.PATIENT_NOT_SAME,
    run=lambda by, row, _: services.mark_not_duplicate(by=by, patient_id=row.low_id, other_id=row.high_id),
    question="You compared both records, and they are two people. This is recorded under your name, and the pair "
    "is never suggested again.",
    done="Recorded as two people. The pair has left the queue.",
)


@admin.register(DuplicateCandidate)
class DuplicateCandidateAdmin(HimsModelAdmin[DuplicateCandidate]):
    """The queue: managers see it and mark two people; administrators merge."""

    resource = "suspected_pair"
    title = "Possible duplicates"
    list_audit_action = "listed"
    needs = {"view": Permission.PATIENT_DUPLICATES}
    list_display = ("__str__",)
    list_filter = (LikelihoodFilter, ReasonFilter)
    list_select_related = ("low", "high")
    ordering = ("-score", "found_at", "id")
    fields = ("older", "newer", "why", "likely", "found_at", "next_step")
    readonly_fields = fields
    row_actions = (NOT_SAME,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DuplicateCandidate]:
        return super().get_queryset(request).select_related("low", "high")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data:
            cl = response.context_data["cl"]
            chips = [(spec.title, list(spec.choices(cl))) for spec in cl.filter_specs]
            may_merge = can_open(request.user, Permission.PATIENT_MERGE)
            response.context_data.update(pairs=[_row(pair) for pair in cl.result_list], chips=chips, may_merge=may_merge)
        return response

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields if can_open(request.user, Permission.PATIENT_MERGE) else self.fields[:-1]

    def record_access(self, request: HttpRequest, action: str, row: Any = None, **detail: Any) -> None:
        """Writes one audit row per view, which names both records."""
        super().record_access(request, action, row, **(detail | {"other": str(row.high_id)} if row is not None else detail))

    def patient_of(self, row: DuplicateCandidate) -> UUID:
        return row.low_id

    def row_action_view(self, request: HttpRequest, object_id: str, action: RowAction) -> HttpResponse:
        """Shows the page of an action; for a pair that has been resolved meanwhile, the queue."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if can_open(request.user, action.permission) and self.get_object(request, object_id) is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return super().row_action_view(request, object_id, action)

    def after_row_action(self, row: DuplicateCandidate) -> str:
        return reverse("admin:patients_duplicatecandidate_changelist")

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        messages.info(request, "This pair is no longer in the queue: another user resolved it, or the records were changed.")
        return HttpResponseRedirect(reverse("admin:patients_duplicatecandidate_changelist"))

    @admin.display(description="older record")
    def older(self, row: DuplicateCandidate) -> str:
        return _side_html(_row(row).sides[0])

    @admin.display(description="newer record")
    def newer(self, row: DuplicateCandidate) -> str:
        return _side_html(_row(row).sides[1])

    @admin.display(description="why")
    def why(self, row: DuplicateCandidate) -> str:
        return _row(row).why

    @admin.display(description="likely")
    def likely(self, row: DuplicateCandidate) -> str:
        return f"{_row(row).percent} %"

    @admin.display(description="if it is one person")
    def next_step(self, row: DuplicateCandidate) -> str:
        return format_html('<a href="{}">Merge …</a>', _row(row).merge_url)


def _row(pair: DuplicateCandidate) -> CandidateRow:
    older, newer = sorted((pair.low, pair.high), key=lambda patient: patient.seq)
    merge_url = f"{reverse('admin:patients_patient_merge', args=[newer.pk])}?into={older.pk}&queue=1"
    return CandidateRow(
        sides=(_side(older, newer), _side(newer, older)),
        both=f"{older} and {newer}",
        why=", ".join(scoring.IN_WORDS.get(reason, reason) for reason in pair.reasons),  # type: ignore[call-overload]  # a reason is its word
        percent=round(pair.score * 100),
        since=pair.found_at,
        merge_url=merge_url,
        not_same_url=reverse("admin:patients_duplicatecandidate_not_same", args=[pair.pk]),
    )


def _side(patient: Patient, other: Patient) -> Side:
    known, theirs = _facts(patient), _facts(other)
    name, *facts = (Fact(label, text, label != "MRN" and text != theirs[label]) for label, text in known.items())
    return Side(reverse("admin:patients_patient_change", args=[patient.pk]), name, tuple(facts))


def _facts(patient: Patient) -> dict[str, str]:
    """Returns the facts that identify a person, as text, the name first."""
    return {
        "Name": patient.filed_name,
        "Born": ages.born_and_age(patient),
        "Sex": str(patient.get_gender_display()),
        "MRN": patient.mrn,
        "Phone": patient.phone or "(none)",
    }


def _side_html(side: Side) -> str:
    facts = ", ".join(f"{fact.label} {fact.text}" for fact in side.facts)
    return format_html('<a href="{}">{}</a>, {}', side.url, side.name.text, facts)
