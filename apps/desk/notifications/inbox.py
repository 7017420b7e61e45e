"""The page of the own notifications: read, mark as read, follow the link."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.desk.appointments import labels
from apps.desk.kit import links
from apps.desk.kit.base import HimsModelAdmin
from apps.notifications import selectors, services
from apps.notifications.models import Category, Notification, Priority, Type
from apps.notifications.rights import Permission
from apps.rest import sample_ids

CATEGORIES = {
    Category.APPOINTMENT.value: _("Appointment"),
    Category.CONSULTATION.value: _("Visit"),
    Category.PRESCRIPTION.value: _("Prescription"),
    Category.LAB.value: _("Laboratory"),
    Category.BILLING.value: _("Billing"),
    Category.MESSAGE.value: _("Message"),
    Category.SYSTEM.value: _("System"),
}
TYPES = {
    Type.INFO.value: _("Information"),
    Type.SUCCESS.value: _("Success"),
    Type.WARNING.value: _("Warning"),
    Type.ERROR.value: _("Error"),
}


class StatusFilter(admin.SimpleListFilter):
    """Filters read or unread, with the values of the API."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("unread", _("Unread")), ("read", _("Read"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notification]) -> QuerySet[Notification]:
        return queryset.filter(read_at__isnull=self.value() == "unread") if self.value() else queryset


class PriorityFilter(admin.SimpleListFilter):
    title = _("priority")
    parameter_name = "priority"
    column = "message__priority"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*labels.PRIORITIES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notification]) -> QuerySet[Notification]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class CategoryFilter(admin.SimpleListFilter):
    title = _("category")
    parameter_name = "category"
    column = "message__category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*CATEGORIES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notification]) -> QuerySet[Notification]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


@admin.register(Notification)
class NotificationAdmin(HimsModelAdmin[Notification]):
    """The list of notifications is a form: its buttons mark one or all as read."""

    resource = "notification"
    title = _("My notifications")
    list_audit_action = "listed"
    needs = {"view": Permission.NOTIFICATION_READ}
    list_display = ("heading", "text", "priority", "category", "sent", "leads_to", "read_or_not")
    list_filter = (StatusFilter, PriorityFilter, CategoryFilter)
    list_select_related = ("message",)
    list_per_page = 20
    ordering = ("-created_at", "-id")
    fields = ("heading", "text", "type", "priority", "category", "created_at", "read_at", "leads_to")
    readonly_fields = ("heading", "text", "type", "priority", "category", "leads_to")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        return selectors.inbox(visible_to=cast("Actor", request.user))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST":
            return self._mark(request)
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data:
            _check_targets(request, response.context_data["cl"].result_list)
        return response

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        _check_targets(request, [row] if row is not None else [])
        return super().page_context(request, row)

    def _mark(self, request: HttpRequest) -> HttpResponse:
        """Handles a button of the list; returns to the same list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        by = cast("Actor", request.user)
        if "all" in request.POST:
            messages.success(request, gettext("Marked as read: %(number)s.") % {"number": services.read_all(by=by)})
        elif "read" in request.POST:
            services.read(by=by, notification_id=sample_ids.in_path(request.POST["read"]))
        return HttpResponseRedirect(request.get_full_path())

    @admin.display(description=_("title"))
    def heading(self, row: Notification) -> str:
        if row.read_at is None:
            return format_html("<strong>{}</strong>", row.message.title)
        return row.message.title

    @admin.display(description=_("message"))
    def text(self, row: Notification) -> str:
        return row.message.message

    @admin.display(description=_("type"))
    def type(self, row: Notification) -> str:
        return str(TYPES[row.message.type])

    @admin.display(description=_("priority"))
    def priority(self, row: Notification) -> str:
        priority = row.message.priority
        shown = str(labels.PRIORITIES[priority])
        return format_html('<span class="tag warn">{}</span>', shown) if priority in (Priority.HIGH, Priority.URGENT) else shown

    @admin.display(description=_("category"))
    def category(self, row: Notification) -> str:
        return str(CATEGORIES[row.message.category])

    @admin.display(description=_("sent"))
    def sent(self, row: Notification) -> str:
        return format_html('<span class="nowrap">{}</span>', labels.short_moment(row.created_at))

    @admin.display(description=_("leads to"), empty_value="")
    def leads_to(self, row: Notification) -> str:
        """Returns the link to the page that the message is about, if the reader may open it."""
        if not getattr(row, "target", ""):
            return ""
        link = '<a href="{}">{}<span class="visually-hidden"> {}</span></a>'
        return format_html(link, row.target, gettext("Open"), row.message.title)  # type: ignore[attr-defined]  # set by `_check_targets`

    @admin.display(description=_("read"))
    def read_or_not(self, row: Notification) -> str:
        if row.read_at is not None:
            return gettext("Read")
        button = '<button type="submit" name="read" value="{}">{}<span class="visually-hidden">: {}</span></button>'
        return format_html(button, row.pk, gettext("Mark as read"), row.message.title)


def _check_targets(request: HttpRequest, rows: Sequence[Any]) -> None:
    """Sets `target` of each notification: its address, or an empty text if there is no such page for this reader."""
    targets = links.openable(request, [row.message.action_url for row in rows])
    for row in rows:
        row.target = row.message.action_url if row.message.action_url in targets else ""


def unread(user: Any) -> dict[str, Any]:
    """Returns what the bell on every page shows: the address of the user's notifications, and how many are unread."""
    return {"url": reverse("admin:notifications_notification_changelist"), "count": selectors.unread_count(visible_to=user)}
