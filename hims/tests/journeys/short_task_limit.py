"""The Celery application for a test of the watch: it gives a task two seconds, then it takes it for one that hangs."""

from hims import worker_watch
from hims.celery import app

worker_watch.EVERY = 0.2
worker_watch.LONGEST = 2.0

__all__ = ["app"]
