import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from apps.common import clock, redis_client
from apps.common.tests.concurrency import run_concurrently
from apps.events import listeners, relay, tasks
from apps.events.listeners import after_commit
from apps.events.models import Delivery, OutboxEvent
from apps.events.relay import DeliveryAttempt
from apps.events.services import emit
from apps.events.tests.conftest import Nurse

PENDING, DONE, DEAD_LETTERED = Delivery.Status.PENDING, Delivery.Status.DONE, Delivery.Status.DEAD_LETTERED
at_the_same_time = pytest.mark.django_db(transaction=True)


def send_probe(probe: Any, times: int = 1) -> None:
    with transaction.atomic():
        for number in range(times):
            emit(probe(number=number), by=Nurse())


def only() -> Delivery:
    return Delivery.objects.get()


def make_due() -> None:
    Delivery.objects.update(next_attempt_at=clock.now() - timedelta(seconds=1))


def run_out(attempts: list[DeliveryAttempt]) -> None:
    """Run these turns, and whatever falls due, until nothing is pending."""
    with time_machine.travel(clock.now(), tick=False) as traveller:
        while attempts:
            for turn in attempts:
                relay.deliver(turn.delivery_id, turn.attempt)
            traveller.shift(timedelta(minutes=11))
            attempts = relay.due_deliveries()


@pytest.mark.django_db
def test_each_listener_gets_a_delivery_of_its_own(probe: Any) -> None:
    doctor, nurse = [], []
    listeners._after_commit["test.probe_sent"] = {"ward.doctor": doctor.append, "ward.nurse": nurse.append}
    send_probe(probe, times=3)
    attempts = relay.claim_waiting()
    assert len(attempts) == Delivery.objects.count() == 6
    assert {turn.attempt for turn in attempts} == {1}
    assert all(relay.deliver(turn.delivery_id, turn.attempt) for turn in attempts)
    assert [event.number for event in doctor] == [event.number for event in nurse] == [0, 1, 2]


@pytest.mark.django_db
def test_facts_are_claimed_oldest_first_and_once(probe: Any) -> None:
    after_commit(probe)(lambda event: None)
    send_probe(probe, times=5)
    beds = [
        Delivery.objects.get(pk=turn.delivery_id).event.payload["number"]
        for turn in [*relay.claim_waiting(3), *relay.claim_waiting(3)]
    ]
    assert beds == [0, 1, 2, 3, 4]
    assert relay.claim_waiting() == []


@at_the_same_time
def test_two_relays_at_once_make_one_delivery_a_fact(probe: Any) -> None:
    after_commit(probe)(lambda event: None)
    OutboxEvent.objects.bulk_create([OutboxEvent(name="test.probe_sent", payload={"number": number}) for number in range(1_000)])

    def claim_all(_: int) -> list[DeliveryAttempt]:
        claimed: list[DeliveryAttempt] = []
        while OutboxEvent.objects.filter(relayed_at=None).exists():
            claimed += relay.claim_waiting()
        return claimed

    first, second = run_concurrently(2, claim_all)
    assert first
    assert second
    assert len({*first, *second}) == len(first) + len(second) == 1_000
    assert Delivery.objects.count() == 1_000


@at_the_same_time
def test_eight_workers_with_the_same_task_run_it_once(probe: Any) -> None:
    received: list[Any] = []
    after_commit(probe)(received.append)
    send_probe(probe)
    [turn] = relay.claim_waiting()
    assert sorted(run_concurrently(8, lambda _: relay.deliver(turn.delivery_id, turn.attempt))) == [False] * 7 + [True]
    assert len(received) == 1
    assert (only().status, only().attempts) == (DONE, 1)


@pytest.mark.django_db
def test_a_task_that_comes_again_runs_nothing(probe: Any) -> None:
    received: list[Any] = []
    after_commit(probe)(received.append)
    send_probe(probe)
    [turn] = relay.claim_waiting()
    assert relay.deliver(turn.delivery_id, turn.attempt)
    for attempt in range(1, 8):
        assert not relay.deliver(turn.delivery_id, attempt)
    assert len(received) == 1
    assert only().status == DONE


@pytest.mark.django_db
def test_a_task_that_comes_again_after_a_failure_waits_for_its_time(probe: Any) -> None:
    tries: list[int] = []
    after_commit(probe)(lambda event: tries.append(1) or 1 / 0)
    send_probe(probe)
    [turn] = relay.claim_waiting()
    assert not any(relay.deliver(turn.delivery_id, turn.attempt) for _ in range(10))
    assert len(tries) == only().attempts == 1


@at_the_same_time
def test_what_is_being_run_is_neither_taken_nor_dead_lettered_by_another(probe: Any) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(event: Any) -> None:
        begun.set()
        may_end.wait(10)

    after_commit(probe)(slow)
    send_probe(probe)
    [turn] = relay.claim_waiting()
    worker = threading.Thread(target=lambda: (relay.deliver(turn.delivery_id, turn.attempt), connection.close()))
    worker.start()
    begun.wait(10)
    with time_machine.travel(clock.now() + timedelta(hours=1)):  # long after its lease
        assert relay.due_deliveries() == []
        assert not relay.deliver(turn.delivery_id, turn.attempt)
    assert not may_end.is_set()  # no caller waited for the one that is running
    may_end.set()
    worker.join()
    assert (only().status, only().attempts) == (DONE, 1)


@pytest.mark.django_db
def test_a_failed_listener_leaves_nothing_behind(probe: Any) -> None:
    def half(event: Any) -> None:
        OutboxEvent.objects.create(name="half", payload={})
        raise RuntimeError("the other half failed")

    after_commit(probe)(half)
    send_probe(probe)
    [turn] = relay.claim_waiting()
    assert not relay.deliver(turn.delivery_id, turn.attempt)
    assert not OutboxEvent.objects.filter(name="half").exists()
    assert (only().status, only().last_error) == (PENDING, "RuntimeError: the other half failed")


@pytest.mark.django_db
def test_a_failure_is_tried_again_later_and_later(probe: Any) -> None:
    after_commit(probe)(lambda event: 1 / 0)
    send_probe(probe)
    [turn] = relay.claim_waiting()
    waits = []
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for _ in range(4):
            relay.deliver(turn.delivery_id, turn.attempt)
            waits.append(only().next_attempt_at - clock.now())
            traveller.shift(waits[-1] - timedelta(seconds=1))
            assert relay.due_deliveries() == []
            traveller.shift(timedelta(seconds=2))
            [turn] = relay.due_deliveries()
        assert turn.attempt == 5
    assert waits == [timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10)]


@pytest.mark.django_db
def test_what_is_handed_out_is_not_handed_out_again_at_the_next_sweep(probe: Any) -> None:
    after_commit(probe)(lambda event: None)
    send_probe(probe)
    relay.claim_waiting()
    assert relay.due_deliveries() == []
    make_due()
    assert len(relay.due_deliveries()) == 1
    assert relay.due_deliveries() == []


@pytest.mark.django_db
def test_a_lost_task_is_due_again_when_its_lease_is_over(probe: Any) -> None:
    received: list[Any] = []
    after_commit(probe)(received.append)
    send_probe(probe)
    relay.claim_waiting()  # and its tasks are lost
    with time_machine.travel(clock.now() + relay.LEASE + timedelta(seconds=1)):
        [turn] = relay.due_deliveries()
        assert relay.deliver(turn.delivery_id, turn.attempt)
    assert len(received) == 1


@pytest.mark.django_db
def test_one_poisonous_fact_is_dead_lettered_and_the_others_are_heard(probe: Any) -> None:
    received: list[int] = []
    tries: list[int] = []

    def listen(event: Any) -> None:
        if event.number == 77:
            tries.append(event.number)
            raise RuntimeError("poison")
        received.append(event.number)

    after_commit(probe)(listen)
    send_probe(probe, times=200)
    run_out(relay.claim_waiting(200))
    dead_lettered = Delivery.objects.select_related("event").get(status=DEAD_LETTERED)
    assert (dead_lettered.event.payload["number"], dead_lettered.attempts, dead_lettered.last_error) == (
        77,
        5,
        "RuntimeError: poison",
    )
    assert len(tries) == 5
    assert sorted(received) == [number for number in range(200) if number != 77]
    assert Delivery.objects.filter(status=DONE).count() == 199


@pytest.mark.django_db
@pytest.mark.parametrize(
    "spoil", [{"name": "test.nobody_tells_this"}, {"payload": {"number": 1, "until": []}, "name": "delivery.retried"}]
)
def test_a_fact_that_cannot_be_read_is_dead_lettered(probe: Any, spoil: dict[str, Any]) -> None:
    name = spoil["name"]
    row = OutboxEvent.objects.create(**({"payload": {}} | spoil))
    listeners._after_commit.setdefault(name, {})["ward.nurse"] = lambda event: event.patient.hex
    try:
        run_out(relay.claim_waiting())
    finally:
        del listeners._after_commit[name]["ward.nurse"]
    assert (only().event_id, only().status) == (row.pk, DEAD_LETTERED)


@pytest.mark.django_db
def test_a_listener_that_kills_its_worker_is_dead_lettered_too(probe: Any) -> None:
    def die(event: Any) -> None:
        raise SystemExit

    after_commit(probe)(die)
    send_probe(probe)
    attempts = relay.claim_waiting()
    deaths = 0
    while attempts:
        try:
            relay.deliver(attempts[0].delivery_id, attempts[0].attempt)
        except SystemExit:
            deaths += 1
        make_due()
        attempts = relay.due_deliveries()
    assert (only().status, deaths) == (DEAD_LETTERED, 5)
    assert only().last_error


@pytest.mark.django_db
def test_a_listener_that_the_code_no_longer_has_is_done_with(probe: Any) -> None:
    after_commit(probe)(lambda event: None)
    send_probe(probe)
    [turn] = relay.claim_waiting()
    listeners._after_commit["test.probe_sent"].clear()
    assert relay.deliver(turn.delivery_id, turn.attempt)
    assert only().status == DONE


@pytest.mark.django_db
def test_the_tasks_carry_a_fact_to_its_listener(probe: Any) -> None:
    received: list[Any] = []
    after_commit(probe)(received.append)
    send_probe(probe, times=250)  # more than a batch
    relayed = 0
    while deliveries := tasks.relay_waiting():  # a task ends after a while, and others go on
        relayed += deliveries
    assert (relayed, tasks.dispatch_due()) == (250, 0)
    assert [event.number for event in received] == list(range(250))


def write(event: Any) -> None:
    """What a listener of the house does: insert a row."""
    OutboxEvent.objects.create(name=f"heard {event.number}", payload={}, relayed_at=clock.now())


def beds_written() -> list[int]:
    names = OutboxEvent.objects.filter(name__startswith="heard ").values_list("name", flat=True)
    return sorted(int(name.removeprefix("heard ")) for name in names)


def transaction_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        return int(cursor.fetchone()[0])


def ids(attempts: list[DeliveryAttempt]) -> list[UUID]:
    return [turn.delivery_id for turn in attempts]


@at_the_same_time
@pytest.mark.parametrize(("policy", "transactions"), [(listeners.SHARED_TRANSACTION, 1), (listeners.DEFAULT_POLICY, 3)])
def test_a_batch_shares_a_transaction_where_the_listener_allows_it(
    probe: Any, policy: listeners.RetryPolicy, transactions: int
) -> None:
    seen: list[int] = []
    after_commit(probe, policy=policy)(lambda event: seen.append(transaction_id()))
    send_probe(probe, times=3)
    assert relay.deliver_batch(ids(relay.claim_waiting())) == 3
    assert len(seen) == 3
    assert len(set(seen)) == transactions
    assert set(Delivery.objects.values_list("status", "attempts")) == {(DONE, 1)}


@at_the_same_time
def test_a_poisonous_fact_in_a_batch_undoes_no_other_and_is_dead_lettered(probe: Any) -> None:
    def listen(event: Any) -> None:
        write(event)
        if event.number == 4:
            raise RuntimeError("poison")

    after_commit(probe, policy=listeners.SHARED_TRANSACTION)(listen)
    send_probe(probe, times=10)
    attempts = relay.claim_waiting()
    assert relay.deliver_batch(ids(attempts)) == 9
    assert beds_written() == [number for number in range(10) if number != 4]  # each once, though the batch was rolled back before
    make_due()
    run_out(relay.due_deliveries())
    assert list(Delivery.objects.exclude(status=DONE).values_list("status", "attempts", "event__payload__number")) == [
        (DEAD_LETTERED, 5, 4)
    ]
    assert len(beds_written()) == 9


@at_the_same_time
def test_a_deadly_listener_in_a_batch_is_dead_lettered_and_the_others_are_heard(probe: Any) -> None:
    def die(event: Any) -> None:
        if event.number == 2:
            raise SystemExit
        write(event)

    after_commit(probe, policy=listeners.SHARED_TRANSACTION)(die)
    send_probe(probe, times=6)
    with pytest.raises(SystemExit):
        relay.deliver_batch(ids(relay.claim_waiting()))
    assert beds_written() == []
    for _ in range(10):
        make_due()
        for turn in relay.due_deliveries():
            with suppress(SystemExit):
                relay.deliver(turn.delivery_id, turn.attempt)
    assert beds_written() == [0, 1, 3, 4, 5]
    assert Delivery.objects.get(status=DEAD_LETTERED).event.payload["number"] == 2


@at_the_same_time
def test_a_batch_that_comes_again_runs_nothing(probe: Any) -> None:
    after_commit(probe, policy=listeners.SHARED_TRANSACTION)(write)
    send_probe(probe, times=8)
    attempts = relay.claim_waiting()
    assert sum(run_concurrently(4, lambda _: relay.deliver_batch(ids(attempts)))) == 8
    assert relay.deliver_batch(ids(attempts)) == 0
    assert beds_written() == list(range(8))


@at_the_same_time
def test_what_waits_in_a_slow_batch_is_not_due_for_others(probe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "LEASE", timedelta(milliseconds=100))
    due: list[Any] = []

    def slow(event: Any) -> None:
        due.append(Delivery.objects.get(event__payload__number=1).next_attempt_at)
        if event.number == 0:
            time.sleep(0.2)

    after_commit(probe)(slow)
    send_probe(probe, times=2)
    assert relay.deliver_batch(ids(relay.claim_waiting())) == 2
    first, second = due
    assert second > first + timedelta(milliseconds=100)  # the lease began anew after the slow one


@at_the_same_time
def test_deliveries_of_another_queue_are_handed_out_in_batches(probe: Any) -> None:
    received: list[int] = []
    after_commit(probe, policy=listeners.RetryPolicy(queue="mail"))(lambda event: received.append(event.number))
    send_probe(probe, times=60)
    assert tasks.relay_waiting() == 60
    assert not received
    assert redis_client.run(lambda client: client.llen("mail")) == 3
    waiting = [str(pk) for pk in Delivery.objects.order_by("id").values_list("pk", flat=True)]
    assert tasks.deliver_batch(delivery_ids=waiting) == 60
    assert received == list(range(60))


@pytest.mark.django_db
def test_a_delivery_of_nothing_is_refused() -> None:
    assert not relay.deliver(uuid4(), 1)


def around_the_service(**delivery: Any) -> Callable[[], Delivery]:
    event = OutboxEvent.objects.create(name="test.probe_sent", payload={})
    return lambda: Delivery.objects.create(event=event, **({"listener": "ward.nurse"} | delivery))


@pytest.mark.django_db
def test_the_database_knows_one_delivery_a_listener() -> None:
    create = around_the_service()
    create()
    with pytest.raises(IntegrityError, match="delivery_once_per_listener"), transaction.atomic():
        create()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("delivery", "constraint"),
    [({"status": "lost"}, "delivery_status_known"), ({"status": DONE}, "delivery_done_has_time"), ({"attempts": -1}, "attempts")],
)
def test_the_database_refuses_an_impossible_delivery(delivery: dict[str, Any], constraint: str) -> None:
    create = around_the_service(**delivery)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        create()
