"""What the OpenAPI file says of the values of notifications (see `apps.rest.api.descriptions`)."""

DESCRIPTIONS = {
    "title": "The heading",
    "Notification.message": "The text",
    "SendNotificationBody.message": "The text",
    "SentNotification.message": "The text",
    "SendNotificationBody.type": "How the notification is shown; info by default",
    "SendNotificationBody.priority": "How urgent it is; medium by default",
    "SendNotificationBody.category": "What it is about; system by default",
    "action_url": "The path of a page to open, such as `/lab/results/123`; empty without one",
    "is_read": "Whether the caller has read it",
    "recipient_count": "The number of its recipients",
    "read_count": "How many of them have read it",
    "unread_count": "All unread notifications of the caller",
    "AllRead": "How many notifications were unread.",
    "NotificationCategory": "What the notification is about.",
    "NotificationStatus": "Whether the caller has read the notification.",
    "NotificationType": "How the notification is shown.",
    "Priority": "How urgent it is.",
    "SendNotificationBody": "The notification, and who gets it.",
}
