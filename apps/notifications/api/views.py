"""The API of notifications: read the own; administrators send."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.notifications import events, selectors, services
from apps.notifications.api import examples
from apps.notifications.api import serializers as shapes
from apps.notifications.api.filters import NotificationFilter
from apps.notifications.rights import Permission
from apps.rest import paging
from apps.rest.endpoint import endpoint
from apps.rest.viewsets import HimsViewSet


class NotificationViewSet(HimsViewSet):
    """The own notifications, and sending."""

    resource = "notification"
    plural = "notifications"
    extra = {
        "unread_count": {
            "type": "integer",
            "minimum": 0,
            "description": "Of all the caller's notifications, whatever the filter",
        },
    }

    @endpoint(
        permission=Permission.NOTIFICATION_READ,
        query=NotificationFilter,
        response=shapes.NotificationShape,
        example=examples.LIST,
    )
    def list(self, request: Request) -> Response:
        """List my notifications

        Returns the caller's notifications, the newest first. `unread_count` counts all unread ones, whatever the filter. To
        read on without repeated rows, send `next_cursor` of a page as `cursor`.
        """
        rows, narrowed = self.filtered(selectors.inbox(visible_to=self.by))
        page = paging.page_of(rows, self.window, paging.capped if narrowed else paging.exact, time="created_at")
        unread = selectors.unread_count(visible_to=self.by)
        return self.page(page, unread_count=unread)

    @endpoint(
        permission=Permission.NOTIFICATION_READ,
        response=shapes.NotificationShape,
        operation_id="markNotificationRead",
        events=(events.NotificationRead,),
    )
    def read(self, request: Request, pk: str) -> Response:
        """Mark a notification as read

        Marks one of the caller's notifications as read. A repeated call changes nothing and announces nothing. A notification
        of another person gets a 404.
        """
        return self.reply(services.read(by=self.by, notification_id=self.id_in_path()))

    @endpoint(
        permission=Permission.NOTIFICATION_SEND,
        request=shapes.SendNotificationBody,
        response=shapes.SentNotificationShape,
        operation_id="sendNotification",
        example=examples.SEND,
        refusals=(services.NoRecipients,),
        events=(events.NotificationSent,),
    )
    def create(self, request: Request) -> Response:
        """Send a notification

        Sends a notification to active members of staff: to the people in `recipient_ids`, to all who have one of the `roles`,
        or both. An unknown or closed account is refused by name. `action_url` must be a path of this installation.
        """
        message = services.send(by=self.by, **self.parse())
        return self.reply(message, location=f"/v1/notifications/sent/{message.pk}")


class AllNotificationsViewSet(HimsViewSet):
    """All of the own notifications together."""

    resource = "notification"
    plural = "notifications"
    data_key = ""

    @endpoint(
        permission=Permission.NOTIFICATION_READ,
        response=shapes.AllReadShape,
        operation_id="markAllNotificationsRead",
        events=(events.AllNotificationsRead,),
    )
    def read_all(self, request: Request) -> Response:
        """Mark all my notifications as read

        Marks all of the caller's unread notifications as read and returns how many there were. A repeated call changes
        nothing.
        """
        marked = services.read_all(by=self.by)
        return self.reply({"read": marked, "unread_count": selectors.unread_count(visible_to=self.by)})


class SentNotificationViewSet(HimsViewSet):
    """Sent notifications, and how many recipients have read them."""

    resource = "notification"
    plural = "notifications"

    @endpoint(permission=Permission.NOTIFICATION_SEND, response=shapes.SentNotificationShape, operation_id="getSentNotification")
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a sent notification

        Returns a notification that was sent, with the number of recipients and how many of them have read it. It does not say
        who has read it.
        """
        message = selectors.sent_message(self.by, self.id_in_path())
        message.read_count = selectors.read_count(message)
        return self.reply(message)
