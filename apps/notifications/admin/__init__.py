"""One's notifications, the bell on every page that leads to them, and what administrators send."""

from typing import Any

from django.contrib import admin
from django.urls import reverse

from apps.notifications import selectors
from apps.notifications.admin import inbox, sent


def _bell(user: Any) -> dict[str, Any]:
    return {"url": reverse("admin:notifications_notification_changelist"), "unread": selectors.unread_count(visible_to=user)}


admin.site.bell = _bell  # type: ignore[attr-defined]

__all__ = ["inbox", "sent"]
