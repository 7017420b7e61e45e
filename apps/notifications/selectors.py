"""Finds the own notifications, and the recipients of a message."""

from collections.abc import Collection
from uuid import UUID

from apps.access.actor import Actor
from apps.access.roles import Role
from apps.accounts.models import User
from apps.common.errors import NotFound
from apps.notifications.models import Message, MessageQuerySet, Notification, NotificationQuerySet


def inbox(*, visible_to: Actor) -> NotificationQuerySet:
    """Returns the own notifications, the newest first."""
    return Notification.objects.visible_to(visible_to).select_related("message").order_by("-created_at", "-id")


def unread_count(*, visible_to: Actor) -> int:
    """Returns how many of the own are unread, from an index of the unread alone."""
    return Notification.objects.visible_to(visible_to).unread().count()


def notification(by: Actor, notification_id: UUID) -> Notification:
    """Returns one of the own notifications. Raises NotFound, also for another user's."""
    row = inbox(visible_to=by).filter(pk=notification_id).first()
    if row is None:
        raise NotFound
    return row


def sent(*, visible_to: Actor) -> MessageQuerySet:
    """Returns the messages that users sent, the newest first."""
    return Message.objects.visible_to(visible_to).select_related("sent_by").order_by("-created_at", "-id")


def sent_message(by: Actor, message_id: UUID) -> Message:
    """Returns a message that a user sent. Raises NotFound."""
    message = sent(visible_to=by).filter(pk=message_id).first()
    if message is None:
        raise NotFound
    return message


def read_count(message: Message) -> int:
    """Returns how many of its recipients have read it."""
    return Notification.objects.filter(message=message, read_at__isnull=False).count()


def inactive_ids(ids: Collection[UUID]) -> list[UUID]:
    """Returns the ids that belong to no active member of staff, in their order."""
    known = set(User.objects.filter(pk__in=ids, is_active=True).exclude(role=Role.PATIENT).values_list("pk", flat=True))
    return [user_id for user_id in dict.fromkeys(ids) if user_id not in known]
