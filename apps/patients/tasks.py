"""The maintenance of the patient list."""

from celery import shared_task

from apps.patients.search import vocabulary


@shared_task
def note_common_prefixes() -> int:
    """Records which beginnings of words are so common that a search need not count them."""
    return vocabulary.note_common()
