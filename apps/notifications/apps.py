"""The notifications app."""

from apps.common.domain import DomainConfig
from apps.notifications.api.descriptions import DESCRIPTIONS


class NotificationsConfig(DomainConfig):
    name = "apps.notifications"
    floor = 10
    descriptions = DESCRIPTIONS
    api_urls = "apps.notifications.api.urls"
    loads = ("account_changes.listeners", "messages.retention")
    enum_names = {
        "NotificationType": "apps.notifications.models.Type",
        "Priority": "apps.notifications.models.Priority",
        "NotificationCategory": "apps.notifications.models.Category",
        "NotificationStatus": "apps.notifications.api.filters.STATUSES",
    }
