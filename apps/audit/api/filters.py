"""Query parameters of the audit log."""

from typing import Any

from django.db.models import QuerySet
from django_filters import CharFilter, ChoiceFilter, FilterSet

from apps.audit.models import AuditEvent
from apps.rest.filters import IdFilter, TimeRangeFilter
from apps.rest.paging import CursorFilter


class AuditLogFilter(FilterSet):
    patient_id = IdFilter(method="as_declared", help_text="Whose record it was about")
    user_id = IdFilter(method="as_declared", help_text="The user")
    action = CharFilter(method="as_declared", max_length=80, help_text="The action, such as `chart.read` or `session.refused`")
    outcome = ChoiceFilter(
        method="as_declared", choices=AuditEvent.Outcome.choices, help_text="Whether it was done, refused or failed"
    )
    date_from = TimeRangeFilter(
        method="as_declared", help_text="A day in the clinic's time zone (`2025-01-15`), or an RFC 3339 instant; included"
    )
    date_to = TimeRangeFilter(method="as_declared", help_text="The same; included")
    cursor = CursorFilter()

    class Meta:
        model = AuditEvent
        fields: list[str] = []

    def as_declared(self, rows: QuerySet[AuditEvent], name: str, value: Any) -> QuerySet[AuditEvent]:
        """Returns the queryset unfiltered: the selector filters; this class declares and checks the parameters."""
        return rows


class SinceFilter(FilterSet):
    since = TimeRangeFilter(method="as_declared", help_text="Only what was sealed since, from the daily anchor before it")

    class Meta:
        model = AuditEvent
        fields: list[str] = []

    def as_declared(self, rows: QuerySet[AuditEvent], name: str, value: Any) -> QuerySet[AuditEvent]:
        return rows
