"""The Celery application: workers relay events and run work that no request waits for."""

import os
import sys
from importlib import import_module
from typing import Any

from celery import Celery, signals
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from hims import env
from hims.worker_watch import Watch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", env.settings_module())

app = Celery("hims")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(Watch)

BROKER_ANSWERS_WITHIN = 60  # seconds


@signals.celeryd_init.connect
def wait_for_the_broker(conf: Any, **_: Any) -> None:
    """Makes a worker wait for a Redis that hangs; a request does not wait (`CELERY_BROKER_TRANSPORT_OPTIONS`).

    An acknowledgement that times out is logged and forgotten, and counts against the prefetch limit for ever: with a limit of 1
    the worker takes no further task (celery/celery#8091 and #10302). `worker_watch` restarts a worker to which it happens
    nevertheless.
    """
    conf.broker_transport_options = conf.broker_transport_options | {"socket_timeout": BROKER_ANSWERS_WITHIN}


@signals.task_prerun.connect
def check_the_database_connections(**_: Any) -> None:
    """Drops dead connections, as Django does before a request. CELERY_DB_REUSE_MAX keeps them open from task to task.

    The health check is needed: without it Django treats a connection as usable if no error was seen on it (celery/celery#9824).
    """
    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()
        connection.close_if_health_check_failed()


@signals.worker_init.connect
@signals.beat_init.connect
def check_roles(**_: Any) -> None:
    """Celery logs what its signals' receivers raise and goes on; only an exit stops it."""
    try:
        import_module("hims.roles").check_at_boot()
    except ImproperlyConfigured as error:
        sys.exit(f"HIMS does not start: {error}")
