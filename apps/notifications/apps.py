"""The notifications app. It registers its listeners when it loads."""

from importlib import import_module

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "apps.notifications"

    def ready(self) -> None:
        import_module("apps.notifications.listeners")
        import_module("apps.notifications.account_changes.listeners")
        import_module("apps.notifications.messages.retention")
