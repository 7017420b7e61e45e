"""The maintenance of the patient list."""

from celery import shared_task

from apps.patients.lists.row_counter import ROW_COUNTER
from apps.patients.search import vocabulary


@shared_task
def compact_row_counter() -> int:
    """Compacts the row counter, so that reading it stays cheap."""
    return ROW_COUNTER.compact()


@shared_task
def note_common_prefixes() -> int:
    """Records which beginnings of words are so common that a search need not count them."""
    return vocabulary.note_common()
