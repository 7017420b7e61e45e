"""Notifications over the API: one's own to read, and for administrators to send."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.permissions import Permission
from apps.notifications import selectors, services
from apps.notifications.api import examples
from apps.notifications.api import serializers as shapes
from apps.notifications.api.filters import NotificationFilter
from apps.rest import cursor, paging
from apps.rest.viewsets import HimsViewSet


class NotificationViewSet(HimsViewSet):
    """One's own notifications, and sending."""

    noun = "notification"
    plural = "notifications"
    needs = {
        "list": Permission.NOTIFICATION_READ,
        "read": Permission.NOTIFICATION_READ,
        "create": Permission.NOTIFICATION_SEND,
    }
    operation_ids = {"read": "markNotificationRead", "create": "sendNotification"}
    queries = {"list": NotificationFilter}
    bodies = {"create": shapes.SendNotificationBody}
    replies = {
        "list": shapes.NotificationShape,
        "read": shapes.NotificationShape,
        "create": shapes.SentNotificationShape,
    }
    beside = {
        "unread_count": {"type": "integer", "minimum": 0, "description": "Of all one's own, whatever the filter"},
        "pagination": cursor.PAGINATION,
    }
    examples = {"list": examples.LIST, "create": examples.SEND}

    def list(self, request: Request) -> Response:
        rows, narrowed = self.filtered(selectors.inbox(visible_to=self.by))
        count = paging.capped if narrowed else paging.exact
        unread = selectors.unread_count(visible_to=self.by)
        shape = shapes.notification_shape
        return cursor.answer(self, rows, lambda: count(rows), shape, time="created_at", unread_count=unread)

    def read(self, request: Request, pk: str) -> Response:
        """Mark one of one's own as read; again is no mistake"""
        return self.ok({"notification": shapes.notification_shape(services.read(by=self.by, notification_id=self.id_in_path()))})

    def create(self, request: Request) -> Response:
        """Send a notification to people, roles or both"""
        message = services.send(by=self.by, **self.parse())
        return self.created({"notification": shapes.sent_shape(message, 0)}, location=f"/v1/notifications/sent/{message.pk}")


class AllNotificationsViewSet(HimsViewSet):
    """All one's own at once."""

    noun = "notification"
    plural = "notifications"
    data_key = ""
    needs = {"read_all": Permission.NOTIFICATION_READ}
    operation_ids = {"read_all": "markAllNotificationsRead"}
    replies = {"read_all": shapes.AllReadShape}

    def read_all(self, request: Request) -> Response:
        """Mark all of one's own as read"""
        marked = services.read_all(by=self.by)
        return self.ok({"read": marked, "unread_count": selectors.unread_count(visible_to=self.by)})


class SentNotificationViewSet(HimsViewSet):
    """What was sent, and how many have read it."""

    noun = "notification"
    plural = "notifications"
    needs = {"retrieve": Permission.NOTIFICATION_SEND}
    operation_ids = {"retrieve": "getSentNotification"}
    replies = {"retrieve": shapes.SentNotificationShape}

    def retrieve(self, request: Request, pk: str) -> Response:
        """A notification that was sent, and how many have read it"""
        message = selectors.sent_message(self.by, self.id_in_path())
        return self.ok({"notification": shapes.sent_shape(message, selectors.read_count(message))})
