"""How long notifications are kept: six years and more, because one may be the proof that a doctor was told of a result."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from apps.audit.retention.purging import RetentionRule, register
from apps.notifications.models import Message, Notification


def _keep() -> timedelta:
    return settings.HIMS_KEEP_NOTIFICATIONS


def _without_recipients(before: datetime) -> QuerySet:
    """Messages whose notifications have all gone."""
    copies = Notification.objects.filter(message=OuterRef("pk"))
    return Message.objects.filter(created_at__lt=before).exclude(Exists(copies))


register(
    # In the alphabet "notification_copies" comes before "notification_messages": a message goes once its copies have gone.
    RetentionRule("notification_copies", _keep, lambda before: Notification.objects.filter(created_at__lt=before)),
    RetentionRule("notification_messages", _keep, _without_recipients),
)
