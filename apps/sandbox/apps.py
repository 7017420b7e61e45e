"""The sandbox app: where it is installed, the API knows its samples by name and waits for them before it is ready."""

from importlib import import_module

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "apps.sandbox"

    def ready(self) -> None:
        import_module("apps.sandbox.registrations")
