"""The relay's work, queue by queue. Arguments are ids; the logic is in `relay`."""

from uuid import UUID

from celery import shared_task

from apps.events import relay


@shared_task(queue="default")
def relay_waiting() -> int:
    """Relay everything that waits and hand each delivery to a task. Answers how many were handed out."""
    relay.fall_asleep()
    handed_out = 0
    while ids := relay.claim_waiting():
        handed_out += _hand_out(ids)
    return handed_out


@shared_task(queue="default")
def hand_out_due() -> int:
    """The sweep: facts and deliveries that a dead broker or worker left behind."""
    return relay_waiting() + _hand_out(relay.due_deliveries())


@shared_task(queue="default")
def deliver(*, delivery_id: str) -> bool:
    """Run one delivery."""
    return relay.deliver(UUID(delivery_id))


def _hand_out(ids: list[UUID]) -> int:
    for delivery_id in ids:
        deliver.apply_async(kwargs={"delivery_id": str(delivery_id)}, retry=False)
    return len(ids)
