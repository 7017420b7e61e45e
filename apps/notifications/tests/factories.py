"""Notifications for tests."""

from typing import Any

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.notifications import services
from apps.notifications.models import Message, Notification
from apps.notifications.services import Notice


def notice(title: str = "System Maintenance", message: str = "From 2 to 4 AM", **details: Any) -> Notice:
    return Notice(title=title, message=message, **details)


def tell(*people: User, title: str = "System Maintenance", **details: Any) -> Message:
    """A message that these people have."""
    message = services.notify(by=SYSTEM, notice=notice(title, **details), ids=[one.pk for one in people])
    assert message is not None
    return message


def copy_of(message: Message, person: User) -> Notification:
    return Notification.objects.get(message=message, user=person)
