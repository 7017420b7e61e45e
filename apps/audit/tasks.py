"""The maintenance of the audit log."""

from celery import shared_task

from apps.access.actor import SYSTEM
from apps.audit import services
from apps.audit.monitoring import unusual_access
from apps.audit.retention import purging
from apps.audit.sealing import seals
from apps.audit.verification import full_verification


@shared_task
def make_partitions() -> list[str]:
    """Creates the tables of the coming months."""
    return services.make_partitions()


@shared_task
def seal(*, thorough: bool = False) -> int:
    """Seals the visible rows; thorough: also those whose transaction took long."""
    return seals.seal(thorough=thorough)


@shared_task
def look_for_unusual_reading() -> int:
    """Emits events for users who opened more charts within an hour than care explains."""
    return unusual_access.announce_unusual_reading()


@shared_task
def verify() -> int:
    """Verifies the next part of the whole log. Returns how many seals the current pass has verified."""
    return full_verification.verify_next()


@shared_task
def purge() -> int:
    """Deletes rows that have passed their retention period. Returns how many.

    One task does a share of the work and starts the next one, so that the tasks behind it, an alert among them, wait for seconds
    only.
    """
    return purging.purge_share(by=SYSTEM, start_next=lambda: purge.apply_async(retry=False))
