"""The HTTP kit as a Django app."""

from importlib import import_module

from django.apps import AppConfig


class RestConfig(AppConfig):
    name = "apps.rest"

    def ready(self) -> None:
        import_module("apps.rest.retention")
