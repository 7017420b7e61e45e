"""Upkeep of the trail."""

from celery import shared_task

from apps.access.actor import SYSTEM
from apps.audit import retention, sealing, services, watch, whole


@shared_task
def make_partitions() -> list[str]:
    """Have the tables of the coming months ready."""
    return services.make_partitions()


@shared_task
def seal(*, thorough: bool = False) -> int:
    """Seal the rows that came to light; thorough: also those whose transaction took long."""
    return sealing.seal(thorough=thorough)


@shared_task
def look_for_unusual_reading() -> int:
    """Announce who opened more charts within an hour than care explains."""
    return watch.announce_unusual_reading()


@shared_task
def verify() -> int:
    """Verify the next part of the whole log. Returns how many seals the present pass has verified."""
    done = whole.step()
    return done.verified if done else 0


@shared_task
def purge() -> int:
    """Remove rows whose time is over. Returns how many.

    One task does a share of the work and asks for the next one, so that the tasks that wait behind it, an alert among them, wait
    for seconds only.
    """
    done = retention.purge(by=SYSTEM, most=retention.SHARE)
    if not all(purged.is_done for purged in done):
        purge.apply_async(retry=False)
    return sum(purged.rows for purged in done)
