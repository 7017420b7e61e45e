"""The developers app."""

from django.apps import AppConfig


class DevelopersConfig(AppConfig):
    name = "apps.developers"
