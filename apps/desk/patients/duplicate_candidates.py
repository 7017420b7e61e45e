"""The queue of possible duplicates: both records side by side, and a decision on each pair: merge, or not the same person."""

from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.pages import page_links
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.desk.patients import duplicate_tabs, pair_rows
from apps.desk.patients.merge_requests import ASK_MERGE, AskForm, back_from
from apps.patients import services
from apps.patients.matching import scoring
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.matching.scoring import Reason
from apps.patients.rights import Permission

_SURE = 0.95


class LikelihoodFilter(admin.SimpleListFilter):
    """Filters by likelihood."""

    title = _("likelihood")
    parameter_name = "likely"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("sure", _("95 % and more")), ("likely", _("Below 95 %"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DuplicateCandidate]) -> QuerySet[DuplicateCandidate]:
        if self.value() == "sure":
            return queryset.filter(score__gte=_SURE)
        return queryset.filter(score__lt=_SURE) if self.value() else queryset


class ReasonFilter(admin.SimpleListFilter):
    """Filters by what agrees."""

    title = _("what agrees")
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


class RequestFilter(admin.SimpleListFilter):
    """Filters by whether a user asked for the merge."""

    title = _("request")
    parameter_name = "asked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Merge asked for"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DuplicateCandidate]) -> QuerySet[DuplicateCandidate]:
        return queryset.filter(merge_asked_at__isnull=False) if self.value() else queryset


NOT_SAME = RowAction(
    name="not-same",
    label=_("Not the same person"),
    permission=Permission.PATIENT_NOT_SAME,
    run=lambda by, row, _: services.mark_not_duplicate(by=by, patient_id=row.low_id, other_id=row.high_id),
    question=_(
        "You compared both records, and they are two people. This is recorded under your name, and the pair is never suggested "
        "again."
    ),
    done=_("Recorded as two people. The pair has left the queue."),
)


@admin.register(DuplicateCandidate)
class DuplicateCandidateAdmin(HimsModelAdmin[DuplicateCandidate]):
    """The queue: managers see it, mark two people and ask for merges; administrators merge."""

    resource = "suspected_pair"
    title = "Possible duplicates"
    list_audit_action = "listed"
    needs = {"view": Permission.PATIENT_DUPLICATES}
    list_display = ("__str__",)
    list_filter = (RequestFilter, LikelihoodFilter, ReasonFilter)
    ordering = ("-score", "found_at", "id")
    fields = ("found_at",)
    readonly_fields = fields
    row_actions = (ASK_MERGE, NOT_SAME)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DuplicateCandidate]:
        """Returns the pairs that the user may see; the pages of the queue need more than the page that asks for a merge."""
        pairs = DuplicateCandidate.objects.matched_by(cast("Actor", request.user)).order_by(*self.ordering)
        return pairs.select_related("low", "high", "merge_asked_by")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        tabs = duplicate_tabs.context(request, duplicate_tabs.TO_DECIDE) if self.has_view_permission(request) else {}
        response = super().changelist_view(request, tabs | (extra_context or {}))
        if isinstance(response, TemplateResponse) and response.context_data:
            cl = response.context_data["cl"]
            response.context_data.update(
                pairs=[pair_rows.row(pair, request.user) for pair in cl.result_list],
                chips=[(spec.title, list(spec.choices(cl))) for spec in cl.filter_specs],
                page_links=page_links(cl),
                may_merge=can_open(request.user, Permission.PATIENT_MERGE),
            )
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Shows both records side by side, with the decisions that the user may take."""
        return super().change_view(request, object_id, form_url, {"title": gettext("One person or two?")} | (extra_context or {}))

    def page_context(self, request: HttpRequest, row: DuplicateCandidate | None) -> dict[str, Any]:
        if row is None:
            return {}
        shown = pair_rows.row(row, request.user)
        return {"pair": shown, "may_see_queue": self.has_view_permission(request)}

    def record_access(self, request: HttpRequest, action: str, row: Any = None, **detail: Any) -> None:
        """Writes one audit row per view, which names both records."""
        super().record_access(request, action, row, **(detail | {"other": str(row.high_id)} if row is not None else detail))

    def patient_of(self, row: DuplicateCandidate) -> UUID:
        return row.low_id

    def row_action_view(self, request: HttpRequest, object_id: str, action: RowAction) -> HttpResponse:
        """Shows the page of an action; for a pair that has been resolved meanwhile, the queue."""
        if not can_open(request.user, action.permission) or (action is not ASK_MERGE and not self.has_view_permission(request)):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if action is ASK_MERGE and row.merge_asked_at is not None and request.method != "POST":
            messages.info(request, gettext("The administrators were already asked to merge these records."))
            return HttpResponseRedirect(back_from(request, row))
        return super().row_action_view(request, object_id, action)

    def row_action_form(self, request: HttpRequest, row: DuplicateCandidate, action: RowAction) -> Any:
        if action is ASK_MERGE:
            return AskForm(row, request.POST if request.method == "POST" else None)
        return super().row_action_form(request, row, action)

    def row_action_context(self, request: HttpRequest, row: Any, action: RowAction, form: Any) -> dict[str, Any]:
        return {"back": back_from(request, row)} if action is ASK_MERGE else {}

    def after_row_action(self, row: DuplicateCandidate) -> str:
        return reverse("admin:patients_duplicatecandidate_changelist")

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        words = gettext("This pair is no longer in the queue: another user resolved it, or the records were changed.")
        messages.info(request, words)
        queue = reverse("admin:patients_duplicatecandidate_changelist")
        return HttpResponseRedirect(queue if self.has_view_permission(request) else reverse("admin:index"))
