"""The API of the audit log: who did what, and whether the log matches its seals. Administrators only."""

from typing import Any

from django.db.models import QuerySet
from django_filters import CharFilter, ChoiceFilter, FilterSet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.permissions import Permission
from apps.audit import selectors
from apps.audit.models import AuditEvent
from apps.audit.verification import verifier
from apps.audit.verification.verifier import Flaw
from apps.common.errors import Invalid
from apps.rest import cursor, paging
from apps.rest.endpoint import Example, endpoint
from apps.rest.filters import IdFilter, TimeRangeFilter
from apps.rest.paging import Total
from apps.rest.viewsets import HimsViewSet

_ID, _USER, _PATIENT = (f"01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c{last}" for last in ("44", "45", "46"))
_ROW = {
    "id": _ID,
    "at": "2025-01-15T18:04:31.118202Z",
    "user_id": _USER,
    "role": "nurse",
    "action": "chart.read",
    "outcome": "success",
    "patient_id": _PATIENT,
    "ip": "192.0.2.7",
    "request_id": "req_01JHNB7M3Q8Z5V0T4X2Y6W9K1C",
    "purpose": "",
}
_PAGE = {"page": 1, "limit": 20, "total": 1, "pages": 1, "next_cursor": None}
_FOUND = {
    "intact": True,
    "checked": 211,
    "unsealed": 3,
    "first_broken": None,
    "whole_trail_verified_at": "2025-01-15T03:12:40.001202Z",
}
_ALL = Example(reply={"success": True, "data": {"audit_events": [_ROW], "pagination": _PAGE}})
_VERIFIED = Example(reply={"success": True, "data": {"verification": _FOUND}})


class AuditLogFilter(FilterSet):
    patient_id = IdFilter(method="as_declared", help_text="Whose record it was about")
    user_id = IdFilter(method="as_declared", help_text="The user")
    action = CharFilter(method="as_declared", max_length=80, help_text="The action, such as `chart.read` or `session.refused`")
    outcome = ChoiceFilter(method="as_declared", choices=AuditEvent.Outcome.choices)
    date_from = TimeRangeFilter(
        method="as_declared", help_text="A day in the clinic's time zone (`2025-01-15`), or an RFC 3339 instant; included"
    )
    date_to = TimeRangeFilter(method="as_declared", help_text="The same; included")
    cursor = CharFilter(method="as_declared", max_length=cursor.LONGEST, help_text=cursor.HELP)

    class Meta:
        model = AuditEvent
        fields: list[str] = []

    def as_declared(self, rows: QuerySet, name: str, value: Any) -> QuerySet:
        """Returns the queryset unfiltered: the selector filters; this class declares and checks the parameters."""
        return rows


class SinceFilter(FilterSet):
    since = TimeRangeFilter(method="as_declared", help_text="Only what was sealed since, from the daily anchor before it")

    class Meta:
        model = AuditEvent
        fields: list[str] = []

    def as_declared(self, rows: QuerySet, name: str, value: Any) -> QuerySet:
        return rows


class AuditEventShape(serializers.ModelSerializer):
    """One action. `user_id` is null for an anonymous caller and for the system; `purpose` is set if it is not care or
    operations."""

    class Meta:
        model = AuditEvent
        fields = ("id", "at", "user_id", "role", "action", "outcome", "patient_id", "ip", "request_id", "purpose")


class BrokenShape(serializers.Serializer):
    """The first row that differs from its seal. `id` and `at` are null if only its position is known."""

    id = serializers.UUIDField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    sequence = serializers.IntegerField(allow_null=True, help_text="The position in the chain; null for a row without one")
    flaw = serializers.ChoiceField(choices=[flaw.value for flaw in Flaw])


class VerificationShape(serializers.Serializer):
    """Whether the audit log matches its seals."""

    intact = serializers.BooleanField(
        help_text="False where this request or the worker's last pass over the whole log found a flaw"
    )
    checked = serializers.IntegerField(help_text="Sealed rows that this request recomputed: a bounded number")
    unsealed = serializers.IntegerField(
        help_text="Rows of the last seconds, which wait for their seal; at most 100,000 are counted"
    )
    first_broken = BrokenShape(allow_null=True)
    whole_trail_verified_at = serializers.DateTimeField(
        allow_null=True, help_text="When the worker last recomputed the whole log and found it intact; null if it never has"
    )


class AuditEventViewSet(HimsViewSet):
    """Who did what, when, from where: the newest first. Reading it is itself audited."""

    resource = "trail"
    plural = "audit_events"
    tag = "Audit"
    extra = {"pagination": cursor.PAGINATION}

    @endpoint(permission=Permission.AUDIT_VIEW, query=AuditLogFilter, response=AuditEventShape, example=_ALL)
    def list(self, request: Request) -> Response:
        """Read the audit log."""
        filters = self.validated_query()
        filters.pop("cursor", None)
        rows = selectors.audit_log(visible_to=self.by, **_selector_arguments(filters))
        response = cursor.paginate(self, rows, lambda: _total(rows, filters), _shape, time="at")
        self.record_access(
            "trail.searched", patient_id=filters.get("patient_id"), query=request.query_params.dict(), shown=self.shown
        )
        return response


class VerificationViewSet(HimsViewSet):
    """Whether the audit log matches its seals."""

    resource = "verification"
    tag = "Audit"

    @endpoint(
        permission=Permission.AUDIT_VIEW,
        query=SinceFilter,
        response=VerificationShape,
        operation_id="verifyAuditTrail",
        example=_VERIFIED,
    )
    def verify(self, request: Request) -> Response:
        """Verify the end of the audit log.

        Recomputes at most 10,000 sealed rows (`HIMS_AUDIT_VERIFY_ROWS`): those after the last that the worker has verified, or
        with `since` those after the daily anchor before it. The worker recomputes the whole log once a day; a flaw that it finds
        is reported here until the log is intact again. A log that is empty or shorter than the anchor file says is never
        `intact`.
        """
        since = self.validated_query().get("since")
        result = verifier.verify_recent(by=self.by, since=since.start if since else None)
        return self.ok({"verification": VerificationShape(result).data})


def _selector_arguments(filters: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of the selector. Raises Invalid for a period that ends before it begins."""
    start, end = filters.get("date_from"), filters.get("date_to")
    if start and end and start.start >= end.end:
        raise Invalid(field="date_from", issue="Must not be later than date_to.")
    named = {name: filters[name] for name in ("patient_id", "user_id", "action", "outcome") if name in filters}
    return named | {"since": start and start.start, "before": end and end.end}


def _total(rows: QuerySet, filters: dict[str, Any]) -> Total:
    return paging.capped(rows) if any(filters.values()) else Total(selectors.row_count())


def _shape(row: AuditEvent) -> dict[str, Any]:
    return AuditEventShape(row).data
