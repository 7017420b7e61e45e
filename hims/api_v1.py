"""Every route of /v1, collected from the apps.

Django tries the routes in turn, so the order of HIMS_APPS (hims/settings/base.py) is also a question of speed. They are one list,
because at each level of nested lists Django copies what it has tried.
"""

from importlib import import_module

from apps.common import domain

urlpatterns = [route for config in domain.installed() if config.api_urls for route in import_module(config.api_urls).urlpatterns]
