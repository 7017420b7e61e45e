"""The composition root as a Django app: every process that loads Django knows the broker, not just the worker."""

from importlib import import_module

from django.apps import AppConfig


class HimsConfig(AppConfig):
    name = "hims"

    def ready(self) -> None:
        """Register what no app can: tasks go to our broker, and /health/ready asks apps that do not know each other."""
        import_module("hims.celery")
        import_module("hims.readiness")
        import_module("hims.roles").watch_connections()
