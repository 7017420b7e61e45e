"""The events of `notifications`. The text and the recipients stay in the tables."""

from dataclasses import dataclass
from uuid import UUID

from apps.events.event import Event


@dataclass(frozen=True, kw_only=True)
class NotificationSent(Event, name="notification.sent"):
    """A message was sent to this number of people."""

    message_id: UUID
    recipients: int
    priority: str
    category: str

    @property
    def subject_id(self) -> UUID:
        return self.message_id


@dataclass(frozen=True, kw_only=True)
class NotificationRead(Event, name="notification.read"):
    notification_id: UUID

    @property
    def subject_id(self) -> UUID:
        return self.notification_id


@dataclass(frozen=True, kw_only=True)
class AllNotificationsRead(Event, name="notification.all_read"):
    """A user marked all of the own notifications as read; `count` of them were unread."""

    user_id: UUID
    notifications: int

    @property
    def subject_id(self) -> UUID:
        return self.user_id
