"""The consultations app: it declares which of its rows follow a patient into a merge when it loads."""

from importlib import import_module

from django.apps import AppConfig


class ConsultationsConfig(AppConfig):
    name = "apps.consultations"

    def ready(self) -> None:
        import_module("apps.consultations.registrations")
