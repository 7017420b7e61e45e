"""The relay's work, queue by queue. Arguments are ids; the logic is in `relay`."""

from uuid import UUID

from celery import shared_task

from apps.events import relay
from apps.events.relay import Turn


@shared_task
def relay_waiting() -> int:
    """Relay everything that waits and hand each delivery to a task. Answers how many were handed out."""
    relay.fall_asleep()
    handed_out = 0
    while turns := relay.claim_waiting():
        handed_out += _hand_out(turns)
    return handed_out


@shared_task
def hand_out_due() -> int:
    """The sweep: facts and deliveries that a dead broker or worker left behind."""
    return relay_waiting() + _hand_out(relay.due_deliveries())


@shared_task
def deliver(*, delivery_id: str, attempt: int) -> bool:
    """Run one attempt of one delivery."""
    return relay.deliver(UUID(delivery_id), attempt)


def _hand_out(turns: list[Turn]) -> int:
    for turn in turns:
        deliver.apply_async(kwargs={"delivery_id": str(turn.delivery_id), "attempt": turn.attempt}, queue=turn.queue, retry=False)
    return len(turns)
