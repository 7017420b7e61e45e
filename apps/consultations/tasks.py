"""Periodic tasks of consultations."""

from celery import shared_task

from apps.consultations.queries.prepared import ROW_COUNTER


@shared_task
def compact_row_counter() -> int:
    """Sums up the rows of the row counter, so that reading it stays fast."""
    return ROW_COUNTER.compact()
