"""Upkeep of the list of consultations."""

from celery import shared_task

from apps.consultations import tally


@shared_task
def fold_tally() -> int:
    """Add the rows of the tally together, so that reading it stays cheap."""
    return tally.fold()
