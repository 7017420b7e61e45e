"""The page of API sessions: view and end them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.access.roles import Role
from apps.accounts import selectors, services
from apps.accounts.models import Session
from apps.accounts.rights import Permission
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open


class LiveFilter(admin.SimpleListFilter):
    """Filters the sessions whose tokens still count, by default only those; all others have ended."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ended", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        live = selectors.live_session()
        return queryset.filter(live) if self.value() is None else queryset.exclude(live)

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [first | {"display": "Live"}, *others]


@admin.register(Session)
class SessionAdmin(HimsModelAdmin[Session]):
    """The list of sessions. A session cannot be edited; it can be ended."""

    resource = "session"
    title = _("API sessions")
    needs = {"view": Permission.STAFF_MANAGE}
    list_display = ("started_at", "user", "last_seen_at", "ip", "user_agent", "end_reason")
    list_filter = (LiveFilter,)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__last_name")
    search_help_text = _("Username or last name")
    ordering = ("-started_at", "-pk")
    fields = ("user", "started_at", "last_seen_at", "expires_at", "ip", "user_agent", "ended_at", "end_reason")
    row_actions = (
        RowAction(
            name="end",
            label="End this session",
            permission=Permission.STAFF_MANAGE,
            run=lambda by, row, _: services.end_session(by=by, session_id=row.pk),
            question="The next request with its tokens is refused. The user of this session must sign in again.",
            done="The session has ended.",
            available=lambda row, _: row.ended_at is None,
            destructive=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        """Leaves out the sessions of administrators for users who do not manage their accounts."""
        rows = super().get_queryset(request).select_related("user")
        return rows if can_open(request.user, Permission.STAFF_MANAGE_ADMINS) else rows.exclude(user__role=Role.ADMIN)
