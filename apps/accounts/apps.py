"""The accounts app. It registers its listeners when it loads."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    verbose_name = "Staff"

    def ready(self) -> None:
        import_module("apps.accounts.listeners")
        import_module("apps.accounts.authentication.retention")
