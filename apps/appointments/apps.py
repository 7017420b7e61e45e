"""The appointments app: it declares which of its rows follow a patient into a merge, and listens, when it loads."""

from importlib import import_module

from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    name = "apps.appointments"

    def ready(self) -> None:
        import_module("apps.appointments.registrations")
        import_module("apps.appointments.listeners")
        import_module("apps.appointments.retention")
