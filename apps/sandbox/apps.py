"""The sandbox app: where it is installed, the API accepts the names of the samples and is ready only after they are loaded."""

from importlib import import_module

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "apps.sandbox"

    def ready(self) -> None:
        import_module("apps.sandbox.registrations")
