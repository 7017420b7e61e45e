"""The retention periods of events and their deliveries."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from apps.common.retention import RetentionRule, register
from apps.events.models import Delivery, OutboxEvent


def _keep_events() -> timedelta:
    return settings.HIMS_KEEP_EVENTS


def _finished_events(before: datetime) -> QuerySet[OutboxEvent]:
    """Returns relayed events without remaining deliveries: none that waits, and none that an administrator has yet to look at."""
    waiting = Delivery.objects.filter(event=OuterRef("pk"))
    return OutboxEvent.objects.filter(relayed_at__lt=before).exclude(Exists(waiting))


register(
    # Alphabetically "deliveries" comes before "outbox_events": an event is deleted after its deliveries.
    RetentionRule(
        "deliveries", _keep_events, lambda before: Delivery.objects.filter(status=Delivery.Status.DONE, done_at__lt=before)
    ),
    RetentionRule(
        "deliveries_failed",
        lambda: max(_keep_events(), timedelta(days=365)),
        lambda before: Delivery.objects.filter(status=Delivery.Status.DEAD_LETTERED, next_attempt_at__lt=before),
    ),
    RetentionRule("outbox_events", _keep_events, _finished_events),
)
