"""The API of the audit log: who did what, and whether the log matches its seals. Administrators only."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.audit import selectors
from apps.audit.api.filters import AuditLogFilter, SinceFilter
from apps.audit.api.serializers import AuditEventShape, VerificationShape
from apps.audit.rights import Permission
from apps.audit.sealing.anchor_file import AnchorFileUnreadable
from apps.audit.verification import verifier
from apps.audit.verification.verifier import KeyUnreadable
from apps.common.errors import Invalid
from apps.rest import paging
from apps.rest.endpoint import Example, endpoint
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


class AuditEventViewSet(HimsViewSet):
    """Who did what, when, from where: the newest first. Reading it is itself audited."""

    resource = "trail"
    plural = "audit_events"
    tag = "Audit"

    @endpoint(permission=Permission.AUDIT_VIEW, query=AuditLogFilter, response=AuditEventShape, example=_ALL)
    def list(self, request: Request) -> Response:
        """Read the audit log

        Returns who did what, when and from where, the newest first. Narrow it by patient, user, action, outcome and period.
        Each row has the `request_id` of its request. To read on without repeated rows, send `next_cursor` of a page as
        `cursor`. Reading the audit log is itself recorded in it.
        """
        filters = self.validated_query()
        filters.pop("cursor", None)
        rows = selectors.audit_log(visible_to=self.by, **_selector_arguments(filters))
        count = paging.capped if any(filters.values()) else lambda _: Total(selectors.row_count())
        response = self.page(paging.page_of(rows, self.window, count, time="at"))
        self.record_access("trail.searched", patient_id=filters.get("patient_id"), query=self.sent_query(), shown=self.shown)
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
        refusals=(KeyUnreadable, AnchorFileUnreadable),
    )
    def verify(self, request: Request) -> Response:
        """Verify the end of the audit log

        Recomputes at most 10,000 sealed rows (`HIMS_AUDIT_VERIFY_ROWS`): those after the last that the worker has verified, or
        with `since` those after the daily anchor before it. The worker recomputes the whole log once a day; a flaw that it
        finds is reported here until the log is intact again. A log that is empty or shorter than the anchor file says is never
        `intact`.
        """
        since = self.validated_query().get("since")
        result = verifier.verify_recent(by=self.by, since=since.start if since else None)
        return self.reply(result)


def _selector_arguments(filters: dict[str, Any]) -> dict[str, Any]:
    """Returns the arguments of the selector. Raises Invalid for a period that ends before it begins."""
    start, end = filters.get("date_from"), filters.get("date_to")
    if start and end and start.start >= end.end:
        raise Invalid(field="date_from", issue="Must not be later than date_to.")
    named = {name: filters[name] for name in ("patient_id", "user_id", "action", "outcome") if name in filters}
    return named | {"since": start and start.start, "before": end and end.end}
