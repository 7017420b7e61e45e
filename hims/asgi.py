"""The ASGI entry point. HIMS is measured and run under WSGI."""

import os

from django.core.asgi import get_asgi_application

from hims import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", env.settings_module())

application = get_asgi_application()
