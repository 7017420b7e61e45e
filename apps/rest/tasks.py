"""Upkeep of the kit."""

from celery import shared_task

from apps.rest import idempotency


@shared_task
def forget_kept_replies() -> int:
    """Delete the replies whose day is over. Answers how many."""
    gone = 0
    while batch := idempotency.forget_expired():
        gone += batch
    return gone
