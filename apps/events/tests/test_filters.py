"""Listeners that name a filter: what concerns none of them costs no delivery and no task."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from apps.common import redis_client
from apps.events import listeners, relay
from apps.events.listeners import after_commit
from apps.events.models import Delivery, OutboxEvent
from apps.events.services import emit
from apps.events.tests.conftest import Nurse

pytestmark = pytest.mark.django_db(transaction=True)


def send_probe(probe: Any, by: Nurse | None = None, **fact: Any) -> None:
    with transaction.atomic():
        emit(probe(**fact), by=by or Nurse())


def tasks_waiting() -> int:
    return redis_client.run(lambda client: client.llen("default"))


def test_a_fact_that_concerns_no_listener_starts_no_task(probe: Any) -> None:
    after_commit(probe, when=lambda event: event.number > 5)(lambda event: None)
    send_probe(probe, number=1)
    assert OutboxEvent.objects.get().relayed_at is not None
    assert (relay.claim_waiting(), tasks_waiting()) == ([], 0)


def test_only_the_listener_that_the_fact_concerns_gets_a_delivery(probe: Any) -> None:
    received: list[Any] = []
    listeners._after_commit["test.probe_sent"] = {"ward.doctor": received.append}
    after_commit(probe, when=lambda event: event.number > 5)(lambda event: None)
    send_probe(probe, number=1)
    [turn] = relay.claim_waiting()
    assert Delivery.objects.get().listener == "ward.doctor"
    assert relay.deliver(turn.delivery_id, turn.attempt)
    assert received == [probe(number=1)]


def test_a_filter_knows_when_and_by_which_user_the_event_was_announced(probe: Any) -> None:
    seen: list[tuple[Any, ...]] = []

    def concerns(event: Any) -> bool:
        seen.append((event.event_id, event.announced_at, event.announced_by))
        return True

    after_commit(probe, when=concerns)(lambda event: None)
    nurse = Nurse(id=uuid4())
    send_probe(probe, by=nurse)
    relay.claim_waiting()
    row = OutboxEvent.objects.get()
    assert seen == [(row.pk, row.occurred_at, nurse.id)] * 2


def test_what_is_announced_is_left_as_it_is_by_the_filters(probe: Any) -> None:
    after_commit(probe, when=lambda event: True)(lambda event: None)
    fact = probe(number=3)
    with transaction.atomic():
        emit(fact, by=Nurse(id=uuid4()))
    assert (fact.event_id, fact.announced_at, fact.announced_by) == (None, None, None)


def test_a_filter_that_fails_refuses_no_change_and_its_listener_runs(probe: Any) -> None:
    received: list[Any] = []
    after_commit(probe, when=lambda event: 1 / 0)(received.append)
    send_probe(probe, number=2)
    [turn] = relay.claim_waiting()
    assert relay.deliver(turn.delivery_id, turn.attempt)
    assert received == [probe(number=2)]


def test_a_fact_that_cannot_be_read_fails_where_a_person_sees_it(probe: Any) -> None:
    after_commit(probe, when=lambda event: False)(lambda event: None)
    OutboxEvent.objects.create(name="test.probe_sent", payload=["not", "a", "fact"])
    [turn] = relay.claim_waiting()
    assert not relay.deliver(turn.delivery_id, turn.attempt)
    assert Delivery.objects.get().last_error


def test_events_without_listeners_hold_up_none_behind_them(probe: Any) -> None:
    after_commit(probe, when=lambda event: event.number > 5)(lambda event: None)
    OutboxEvent.objects.bulk_create(
        [OutboxEvent(name="test.probe_sent", payload={"number": number}) for number in (1, 2, 3, 4, 9)]
    )
    assert len(relay.claim_waiting(2)) == 1
    assert Delivery.objects.get().event.payload == {"number": 9}


def test_a_filter_asks_no_database(probe: Any, django_assert_num_queries: Any) -> None:
    after_commit(probe, when=lambda event: event.number > 5)(lambda event: None)
    with transaction.atomic(), django_assert_num_queries(1):  # the rows of outbox and audit log
        emit(probe(number=1), by=Nurse())


def test_a_listener_takes_its_filter_and_policy_along_when_it_leaves(probe: Any) -> None:
    policy = listeners.RetryPolicy(queue="mail")

    def listen(_: Any) -> None: ...

    after_commit(probe, policy=policy, when=lambda event: False)(listen)
    (path,) = listeners.names_for(probe.name)
    assert (listeners.filters_exist(probe.name), listeners.policy_of(path)) == (True, policy)
    listeners.unregister(probe, path)
    after_commit(probe)(listen)
    assert (listeners.filters_exist(probe.name), listeners.policy_of(path)) == (False, listeners.DEFAULT_POLICY)
