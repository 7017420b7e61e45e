"""Finding one's notifications, and what became of a message."""

from collections.abc import Collection
from uuid import UUID

from apps.access.actor import Actor
from apps.access.roles import Role
from apps.accounts.models import User
from apps.common.errors import NotFound
from apps.notifications.models import Message, MessageQuerySet, Notification, NotificationQuerySet


def inbox(*, visible_to: Actor) -> NotificationQuerySet:
    """One's own, the newest first."""
    return Notification.objects.visible_to(visible_to).select_related("message").order_by("-created_at", "-id")


def unread_count(*, visible_to: Actor) -> int:
    """How many of one's own are unread; an index of the unread alone answers it."""
    return Notification.objects.visible_to(visible_to).unread().count()


def notification(by: Actor, notification_id: UUID) -> Notification:
    """One's own. Raises NotFound, also for somebody else's."""
    row = inbox(visible_to=by).filter(pk=notification_id).first()
    if row is None:
        raise NotFound
    return row


def sent(*, visible_to: Actor) -> MessageQuerySet:
    """What people sent, the newest first."""
    return Message.objects.visible_to(visible_to).select_related("sent_by").order_by("-created_at", "-id")


def sent_message(by: Actor, message_id: UUID) -> Message:
    """A message that somebody sent. Raises NotFound."""
    message = sent(visible_to=by).filter(pk=message_id).first()
    if message is None:
        raise NotFound
    return message


def read_count(message: Message) -> int:
    """How many of its recipients have read it."""
    return Notification.objects.filter(message=message, read_at__isnull=False).count()


def inactive_ids(ids: Collection[UUID]) -> list[UUID]:
    """Those of the ids that are no active member of staff's, in their order."""
    known = set(User.objects.filter(pk__in=ids, is_active=True).exclude(role=Role.PATIENT).values_list("pk", flat=True))
    return [user_id for user_id in dict.fromkeys(ids) if user_id not in known]
