"""The pages of the own notifications, the link with the unread count on every page, and the notices of administrators."""

from typing import Any

from django.contrib import admin
from django.urls import reverse

from apps.notifications import selectors
from apps.notifications.admin import inbox, sent


def _unread_badge(user: Any) -> dict[str, Any]:
    return {"url": reverse("admin:notifications_notification_changelist"), "unread": selectors.unread_count(visible_to=user)}


admin.site.notification_link = _unread_badge  # type: ignore[attr-defined]

__all__ = ["inbox", "sent"]
