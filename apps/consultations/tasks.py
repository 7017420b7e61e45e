"""Upkeep of the list of consultations."""

from celery import shared_task

from apps.consultations.queries import row_counter


@shared_task
def compact_row_counter() -> int:
    """Add the rows of the tally together, so that reading it stays cheap."""
    return row_counter.compact()
