"""The list of records that a user compared and marked as two people."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.pages import page_links
from apps.desk.patients import duplicate_tabs
from apps.patients.models import NotDuplicate
from apps.patients.rights import Permission


@admin.register(NotDuplicate)
class NotDuplicateAdmin(HimsModelAdmin[NotDuplicate]):
    """The decisions, the latest first. Both records keep their own charts."""

    resource = "not_duplicate"
    title = str(_("Not the same person"))
    list_audit_action = "listed"
    needs = {"view": Permission.PATIENT_DUPLICATES}
    ordering = ("-decided_at", "-id")
    fields = ("low", "high", "decided_by", "decided_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[NotDuplicate]:
        return super().get_queryset(request).select_related("low", "high", "decided_by")

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Leaves the list out of all records: it is a tab of the possible duplicates."""
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        tabs = duplicate_tabs.context(request, duplicate_tabs.NOT_THE_SAME) if self.has_view_permission(request) else {}
        response = super().changelist_view(request, tabs | (extra_context or {}))
        if isinstance(response, TemplateResponse) and response.context_data:
            response.context_data["page_links"] = page_links(response.context_data["cl"])
        return response

    def record_access(self, request: HttpRequest, action: str, row: Any = None, **detail: Any) -> None:
        """Writes one audit row per view, which names both records."""
        super().record_access(request, action, row, **(detail | {"other": str(row.high_id)} if row is not None else detail))

    def patient_of(self, row: NotDuplicate) -> UUID:
        return row.low_id
