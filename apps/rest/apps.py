"""The HTTP kit as a Django app."""

from django.apps import AppConfig


class RestConfig(AppConfig):
    name = "apps.rest"
