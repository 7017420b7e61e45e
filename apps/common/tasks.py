"""Upkeep of the common floor's tables."""

from celery import shared_task

from apps.common import domain


@shared_task
def compact_row_counters() -> int:
    """Compacts every row counter, so that reading it stays cheap. Returns how many blocks had several rows."""
    return domain.compact_row_counters()
