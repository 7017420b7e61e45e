"""Periodic tasks of the kit."""

from celery import shared_task

from apps.rest import idempotency


@shared_task
def forget_kept_replies() -> int:
    """Deletes expired stored replies. Returns how many."""
    return idempotency.forget_expired()
