"""The Celery application: workers relay facts and do what need not be waited for."""

import os

from celery import Celery

from hims import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", env.settings_module())

app = Celery("hims")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
