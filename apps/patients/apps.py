"""The patients app. It registers its listeners when it loads."""

from importlib import import_module

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "apps.patients"

    def ready(self) -> None:
        import_module("apps.patients.listeners")
        import_module("apps.patients.registrations")
