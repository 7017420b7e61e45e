"""Upkeep of the diary."""

from celery import shared_task

from apps.appointments import tally


@shared_task
def fold_tally() -> int:
    """Add the rows of the tally together, so that reading it stays cheap."""
    return tally.fold()
