"""The facts that `notifications` announces. What was said, and to whom, stays in the tables."""

from dataclasses import dataclass
from uuid import UUID

from apps.events.event import Event


@dataclass(frozen=True, kw_only=True)
class NotificationSent(Event, name="notification.sent"):
    """A message went to so many people."""

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
    """Somebody marked all of his as read, of which so many were not."""

    user_id: UUID
    notifications: int

    @property
    def subject_id(self) -> UUID:
        return self.user_id
