"""Filters of the own notifications."""

from django.db.models import QuerySet
from django_filters import ChoiceFilter, FilterSet

from apps.notifications.models import Category, Notification, Priority
from apps.rest.filters import ChoicesFilter
from apps.rest.paging import CursorFilter

STATUSES = [("read", "read"), ("unread", "unread")]


class NotificationFilter(FilterSet):
    status = ChoicesFilter(choices=STATUSES, method="of_status", help_text="By default both")
    priority = ChoiceFilter(choices=Priority.choices, field_name="message__priority", help_text="Notifications of this priority")
    category = ChoiceFilter(choices=Category.choices, field_name="message__category", help_text="Notifications of this category")
    cursor = CursorFilter()

    class Meta:
        model = Notification
        fields: list[str] = []

    def of_status(self, rows: QuerySet[Notification], name: str, value: list[str]) -> QuerySet[Notification]:
        return rows.filter(read_at__isnull=value == ["unread"]) if len(value) == 1 else rows

    def ignored(self, rows: QuerySet[Notification], name: str, value: str) -> QuerySet[Notification]:
        return rows
