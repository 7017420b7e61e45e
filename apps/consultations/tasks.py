"""Upkeep of the list of consultations."""

from celery import shared_task

from apps.consultations.queries.prepared import ROW_COUNTER


@shared_task
def compact_row_counter() -> int:
    """Add the rows of the row counter up, so that reading it stays cheap."""
    return ROW_COUNTER.compact()
