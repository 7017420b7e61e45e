"""How long events and their deliveries are stored."""

from datetime import timedelta
from typing import Any

import pytest

from apps.common import clock, retention
from apps.events import retention as ours
from apps.events.models import Delivery, OutboxEvent

pytestmark = pytest.mark.django_db
BEFORE = clock.now() - timedelta(days=30)
OLD, NEW = BEFORE - timedelta(seconds=1), BEFORE + timedelta(seconds=1)


def expired(name: str) -> set[Any]:
    (rule,) = [rule for rule in retention.rules() if rule.name == name]
    return {row.pk for row in rule.expired(BEFORE)}


def event(relayed_at: Any = OLD) -> OutboxEvent:
    return OutboxEvent.objects.create(name="lamp.lit", payload={}, relayed_at=relayed_at)


def delivery(status: str, **times: Any) -> Delivery:
    return Delivery.objects.create(event=event(), listener="a.b", status=status, **times)


def test_a_delivery_is_deleted_a_period_after_it_was_done() -> None:
    done = delivery("done", done_at=OLD)
    delivery("done", done_at=BEFORE)
    delivery("done", done_at=NEW)
    delivery("pending", next_attempt_at=OLD)
    delivery("parked", done_at=OLD, next_attempt_at=OLD)
    assert expired("deliveries") == {done.pk}


def test_a_failed_delivery_is_deleted_a_period_after_its_last_attempt() -> None:
    failed = delivery("parked", next_attempt_at=OLD)
    delivery("parked", next_attempt_at=NEW)
    delivery("pending", next_attempt_at=OLD)
    delivery("done", done_at=OLD, next_attempt_at=OLD)
    assert expired("deliveries_failed") == {failed.pk}


def test_an_event_is_deleted_only_without_deliveries() -> None:
    alone = event()
    event(relayed_at=NEW)
    event(relayed_at=None)
    for status in ("pending", "parked"):
        delivery(status)
    delivery("done", done_at=OLD)
    assert expired("outbox_events") == {alone.pk}


@pytest.mark.parametrize(("days", "failed_days"), [(30, 365), (400, 400)])
def test_a_failed_delivery_is_stored_for_at_least_a_year(settings: Any, days: int, failed_days: int) -> None:
    settings.HIMS_KEEP_EVENTS = timedelta(days=days)
    keep = {rule.name: rule.keep() for rule in retention.rules()}
    assert (keep["deliveries"].days, keep["outbox_events"].days, keep["deliveries_failed"].days) == (days, days, failed_days)


def test_deliveries_are_deleted_before_their_events() -> None:
    assert ours.Delivery is Delivery
    names = [rule.name for rule in retention.rules()]
    assert names.index("deliveries") < names.index("deliveries_failed") < names.index("outbox_events")
