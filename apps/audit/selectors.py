"""Reads the audit log: rows by user, patient, action, outcome and time; their number, and the number of unsealed rows."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat, Trim

from apps.access.actor import Actor
from apps.audit.models import AuditEvent, AuditQuerySet, Chain, VerificationProgress
from apps.audit.sealing import chain, seals
from apps.audit.verification import progress
from apps.common import keyring

# As in the index `audit_act`, which leaves out the most frequent actions: those are found fast by time.
_COMMONEST = ("patient.searched", "patient.read", "chart.read")


def audit_log(
    *,
    visible_to: Actor,
    patient_id: UUID | None = None,
    user_id: UUID | None = None,
    action: str = "",
    outcome: str = "",
    since: datetime | None = None,
    before: datetime | None = None,
) -> AuditQuerySet:
    """Returns the rows that match all filters, the newest first; `before` itself is excluded."""
    filters = {
        "patient_id": patient_id,
        "user_id": user_id,
        "action": action,
        "outcome": outcome,
        "at__gte": since,
        "at__lt": before,
    }
    rows = AuditEvent.objects.visible_to(visible_to).filter(**{name: value for name, value in filters.items() if value})
    if action and action not in _COMMONEST:
        rows = rows.exclude(Q(action__in=_COMMONEST))  # redundant, and lets PostgreSQL use the index
    if outcome and outcome != AuditEvent.Outcome.SUCCESS:
        rows = rows.exclude(outcome=AuditEvent.Outcome.SUCCESS)
    return rows.order_by("-at", "-id")


def about_patient(
    patient_ids: Collection[UUID], *, since: datetime | None = None, until: datetime | None = None
) -> QuerySet[AuditEvent]:
    """Returns who read or changed these patients' records, or was refused, the latest first; from `since` on and before `until`.

    Not scoped: the caller has checked the permission.
    """
    rows = AuditEvent.objects.filter(patient_id__in=patient_ids)
    rows = rows.filter(at__gte=since) if since else rows
    rows = rows.filter(at__lt=until) if until else rows
    return rows.order_by("-at", "-id")


def history(row_id: UUID, *, since: datetime) -> QuerySet[AuditEvent]:
    """Rows about a record or a patient since the instant, the latest first, each with the `user_name` of the person.

    Not scoped: the caller has checked the right.
    """
    name = Trim(Concat("first_name", Value(" "), "last_name"))
    people = get_user_model().objects.filter(pk=OuterRef("user_id")).annotate(name=name).values("name")[:1]
    rows = AuditEvent.objects.filter(Q(patient_id=row_id) | Q(object_id=row_id), at__gte=since)
    return rows.annotate(user_name=Subquery(people)).order_by("-at", "-id")


def last_author(row_id: UUID, *, since: datetime) -> UUID | None:
    """The id of the user whose change of a record, announced as an event, is the latest since the instant; None for none."""
    rows = AuditEvent.objects.filter(object_id=row_id, at__gte=since, detail__has_key="event_id")
    return rows.order_by("-at").values_list("user_id", flat=True).first()


def unsealed() -> int:
    """Returns how many rows wait to be sealed; the next thorough sealing finds late rows among them."""
    return seals.count_unsealed(Chain.objects.first())


def row_count() -> int:
    """Returns the number of rows of the whole log: the position of the last seal, which has no gaps, and the waiting rows.
    Nothing is counted."""
    head = Chain.objects.first()
    return (head.sequence if head else 0) + seals.count_unsealed(head)


def verification_progress() -> VerificationProgress | None:
    """Returns how far the worker has verified the log; None if it has not started, or the record or the key cannot be read."""
    head = Chain.objects.first()
    try:
        return progress.load(chain.key_of(head)) if head else None
    except keyring.Unreadable:
        return None
