"""The WSGI entry point. Settings follow HIMS_ENV; unset means production."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

from hims import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", env.settings_module())

application = get_wsgi_application()
import_module("hims.roles").check_at_boot()  # which needs Django's apps
