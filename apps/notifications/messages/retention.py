"""How long notifications are retained: more than six years, because one may prove that a doctor was notified of a result."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from apps.common.retention import RetentionRule, register
from apps.notifications.models import Message, Notification


def _keep() -> timedelta:
    return settings.HIMS_KEEP_NOTIFICATIONS


def _without_recipients(before: datetime) -> QuerySet[Message]:
    """Returns messages whose notifications have all been deleted."""
    copies = Notification.objects.filter(message=OuterRef("pk"))
    return Message.objects.filter(created_at__lt=before).exclude(Exists(copies))


register(
    # Alphabetically "notification_copies" comes before "notification_messages": a message is deleted after its copies.
    RetentionRule("notification_copies", _keep, lambda before: Notification.objects.filter(created_at__lt=before)),
    RetentionRule("notification_messages", _keep, _without_recipients),
)
