"""Periodic tasks of appointments."""

from celery import shared_task

from apps.access.actor import SYSTEM
from apps.appointments import services


@shared_task
def keep_waitlist() -> int:
    """Settles what has expired on the waitlist, and offers free times. Returns how many offers and entries were settled."""
    return services.keep_waitlist(by=SYSTEM)
