"""The Celery application for a test of the watch: it gives up on Redis, and on a stuck worker, within moments."""

from hims import celery, worker_watch
from hims.celery import app

celery.BROKER_ANSWERS_WITHIN = 0.3  # type: ignore[assignment]
worker_watch.EVERY = 0.2
worker_watch.PATIENCE = 1.5

__all__ = ["app"]
