"""The terminology app."""

from django.apps import AppConfig


class TerminologyConfig(AppConfig):
    name = "apps.terminology"
    verbose_name = "Terminology"
