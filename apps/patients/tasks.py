"""Upkeep of the patient list."""

from celery import shared_task

from apps.patients import tally, vocabulary


@shared_task
def fold_tally() -> int:
    """Add the rows of the tally together, so that reading it stays cheap."""
    return tally.fold()


@shared_task
def note_common_prefixes() -> int:
    """Note which beginnings of words are so common that a search need not count them."""
    return vocabulary.note_common()
