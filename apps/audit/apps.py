"""The audit app. It registers its listener when it loads."""

from importlib import import_module

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "apps.audit"

    def ready(self) -> None:
        import_module("apps.audit.listeners")
        import_module("apps.audit.retention.purging")
