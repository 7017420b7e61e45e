"""The pages of the own notifications, the link with the unread count on every page, and the notices of administrators."""

from typing import Any

from django.urls import reverse

from apps.notifications import selectors
from apps.notifications.admin import inbox, sent
from apps.rest.admin_site import site


def _unread_badge(user: Any) -> dict[str, Any]:
    return {"url": reverse("admin:notifications_notification_changelist"), "unread": selectors.unread_count(visible_to=user)}


site.notification_link = _unread_badge

__all__ = ["inbox", "sent"]
