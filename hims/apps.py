"""The composition root as a Django app: every process that loads Django knows the broker, not just the worker."""

from importlib import import_module

from django.apps import AppConfig


class HimsConfig(AppConfig):
    name = "hims"

    def ready(self) -> None:
        """Without this a web worker's tasks go to Celery's default broker, which is not there."""
        import_module("hims.celery")
