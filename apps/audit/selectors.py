"""Finding rows of the trail."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.audit.models import AuditEvent


def about_patient(patient_ids: Collection[UUID], *, since: datetime | None = None, until: datetime | None = None) -> QuerySet:
    """Who looked at, changed or was refused these patients' records, the latest first; from `since` on and before `until`.

    Not scoped: the caller has asked for the right.
    """
    rows = AuditEvent.objects.filter(patient_id__in=patient_ids)
    rows = rows.filter(at__gte=since) if since else rows
    rows = rows.filter(at__lt=until) if until else rows
    return rows.order_by("-at", "-id")
