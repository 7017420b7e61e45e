"""What happens to a delivery that fails: when it is tried again, when it is given up, and who tries it again after that."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection, transaction

from apps.common import clock, redis_client
from apps.common.sql import set_local
from apps.events import listeners, relay, services, tasks
from apps.events.event import DeliveryRetried
from apps.events.listeners import RetryPolicy, after_commit
from apps.events.models import Delivery, OutboxEvent
from apps.events.services import NotDeadLettered, emit
from apps.events.tests.conftest import Nurse

pytestmark = pytest.mark.django_db
NOW = clock.now()
PENDING, DONE, DEAD_LETTERED = Delivery.Status.PENDING, Delivery.Status.DONE, Delivery.Status.DEAD_LETTERED


def emitted(probe: Any) -> Delivery:
    """Emits an event and makes its deliveries. Returns the first."""
    with transaction.atomic():
        emit(probe(), by=Nurse())
    (attempt, *_) = relay.claim_waiting()
    return Delivery.objects.get(pk=attempt.delivery_id)


def fail(_: Any) -> None:
    raise ValueError("the printer is on fire")


@pytest.mark.parametrize(
    "waits", [(1,), (5, 30, 120), tuple(range(1, 12))], ids=["two attempts", "four attempts", "twelve attempts"]
)
def test_each_failure_waits_as_the_policy_says_and_the_last_is_given_up(probe: Any, waits: tuple[int, ...]) -> None:
    policy = RetryPolicy(backoff=tuple(timedelta(seconds=wait) for wait in waits))
    after_commit(probe, policy=policy)(fail)
    with time_machine.travel(NOW, tick=False):
        delivery = emitted(probe)
        for attempt, wait in enumerate((*waits, waits[-1]), start=1):
            assert not relay.deliver(delivery.pk, attempt)
            delivery.refresh_from_db()
            assert (delivery.attempts, delivery.next_attempt_at) == (attempt, NOW + timedelta(seconds=wait))
            assert delivery.status == (DEAD_LETTERED if attempt == len(waits) + 1 else PENDING)
    assert policy.attempts == len(waits) + 1
    assert delivery.last_error == "ValueError: the printer is on fire"
    assert delivery.done_at is None


def test_the_usual_policy_has_five_attempts_within_a_quarter_of_an_hour() -> None:
    assert listeners.DEFAULT_POLICY.attempts == 5
    assert [wait.total_seconds() for wait in listeners.DEFAULT_POLICY.backoff] == [5, 30, 120, 600]
    assert listeners.policy_of("a.listener.that.is.gone") is listeners.DEFAULT_POLICY


def test_a_success_forgets_the_failures_before_it(probe: Any) -> None:
    calls: list[int] = []

    def succeed_at_last(_: Any) -> None:
        calls.append(1)
        if len(calls) < 3:
            raise ValueError("not yet")

    after_commit(probe)(succeed_at_last)
    delivery = emitted(probe)
    assert [relay.deliver(delivery.pk, attempt) for attempt in (1, 2, 3)] == [False, False, True]
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.last_error) == (DONE, 3, "")
    assert delivery.done_at is not None


def test_an_error_is_stored_without_the_values_of_a_row_and_in_part(probe: Any) -> None:
    def write_nonsense(_: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'Jane Doe'::int")

    after_commit(probe)(write_nonsense)
    delivery = emitted(probe)
    relay.deliver(delivery.pk, 1)
    delivery.refresh_from_db()
    assert "Jane Doe" not in delivery.last_error
    assert "22P02" in delivery.last_error


def test_a_long_error_is_stored_in_part(probe: Any) -> None:
    def complain(_: Any) -> None:
        raise ValueError("x" * 5_000)

    after_commit(probe)(complain)
    delivery = emitted(probe)
    assert not relay.deliver(delivery.pk, 1)
    delivery.refresh_from_db()
    assert len(delivery.last_error) == 500


def test_the_delivery_that_waited_longest_is_taken_first(probe: Any) -> None:
    after_commit(probe)(fail)
    pks = [emitted(probe).pk for _ in range(3)]
    for pk, minutes in zip(pks, (1, 3, 2), strict=True):
        Delivery.objects.filter(pk=pk).update(next_attempt_at=clock.now() - timedelta(minutes=minutes), attempts=minutes)
    assert [(one.delivery_id, one.attempt) for one in relay.due_deliveries(limit=1)] == [(pks[1], 4)]
    assert {one.delivery_id for one in relay.due_deliveries()} == {pks[0], pks[2]}
    assert relay.due_deliveries() == []


@pytest.mark.parametrize(
    ("kinds", "asynchronous"), [((True, True), "off"), ((True, False), "on"), ((False,), "on"), ((True,), "off")]
)
def test_a_commit_waits_for_the_disk_unless_every_listener_may_run_twice(
    probe: Any, kinds: tuple[bool, ...], asynchronous: str
) -> None:
    for number, kind in enumerate(kinds):

        def listener(_: Any) -> None: ...

        listener.__qualname__ = f"listener_{number}"
        after_commit(probe, policy=RetryPolicy(shared=True, asynchronous_commit=kind))(listener)
    emitted(probe)
    with transaction.atomic():
        set_local("synchronous_commit", "on")  # the servers of the tests wait for no disk
        relay.deliver_batch([row.pk for row in Delivery.objects.all()])
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone() == (asynchronous,)
    assert set(Delivery.objects.values_list("status", flat=True)) == {DONE}


def dead_lettered(probe: Any) -> Delivery:
    after_commit(probe)(fail)
    delivery = emitted(probe)
    Delivery.objects.filter(pk=delivery.pk).update(
        status=DEAD_LETTERED, attempts=5, next_attempt_at=clock.now() + timedelta(days=1)
    )
    return delivery


def test_an_administrator_gives_a_failed_delivery_all_its_attempts_again(probe: Any) -> None:
    delivery, nurse = dead_lettered(probe), Nurse(id=uuid4())
    services.retry_delivery(by=nurse, delivery_id=delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (PENDING, 0)
    assert [(one.delivery_id, one.attempt) for one in relay.due_deliveries()] == [(delivery.pk, 1)]
    retried = OutboxEvent.objects.get(name=DeliveryRetried.name)
    assert (retried.payload, retried.actor_id) == ({"delivery_id": str(delivery.pk)}, nurse.id)
    assert DeliveryRetried(delivery_id=delivery.pk).subject_id == delivery.pk


@pytest.mark.parametrize("status", [PENDING, DONE])
def test_only_a_failed_delivery_is_tried_again(probe: Any, status: str) -> None:
    delivery = dead_lettered(probe)
    Delivery.objects.filter(pk=delivery.pk).update(status=status, done_at=clock.now())
    for pk in (delivery.pk, uuid4()):
        with pytest.raises(NotDeadLettered):
            services.retry_delivery(by=Nurse(), delivery_id=pk)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (status, 5)
    assert not OutboxEvent.objects.filter(name=DeliveryRetried.name).exists()


@pytest.mark.parametrize(("seconds", "asks_again"), [(-1.0, True), (60.0, False)])
def test_a_relay_that_works_for_long_lets_others_run_and_asks_to_go_on(
    probe: Any, monkeypatch: pytest.MonkeyPatch, seconds: float, asks_again: bool
) -> None:
    monkeypatch.setattr(tasks, "YIELD_AFTER", seconds)
    after_commit(probe)(lambda event: None)
    with transaction.atomic():
        emit(probe(), by=Nurse())
    redis_client.run(lambda client: client.delete(relay.WAKE))
    assert tasks.relay_waiting() == 1
    assert bool(redis_client.run(lambda client: client.exists(relay.WAKE))) is asks_again
