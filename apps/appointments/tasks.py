"""Periodic tasks of appointments."""

from celery import shared_task

from apps.access.actor import SYSTEM
from apps.appointments import services
from apps.appointments.queries.prepared import ROW_COUNTER


@shared_task
def compact_row_counter() -> int:
    """Sums up the rows of the row counter, so that reading it stays fast."""
    return ROW_COUNTER.compact()


@shared_task
def keep_waitlist() -> int:
    """Settles what has expired on the waitlist, and offers free times. Returns how many offers and entries were settled."""
    return services.keep_waitlist(by=SYSTEM)
