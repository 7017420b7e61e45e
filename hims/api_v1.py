"""Every route of /v1, collected from the apps.

Django tries the routes in turn, so the order of HIMS_APPS (hims/settings/base.py) is also a question of speed.
"""

from django.urls import include, path

from apps.common import domain

urlpatterns = [path("", include(config.api_urls)) for config in domain.installed() if config.api_urls]
