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

from apps.common import bus, clock
from apps.common.tests.crowd import at_once
from apps.events import listeners, relay, tasks
from apps.events.listeners import after_commit
from apps.events.models import Delivery, OutboxEvent
from apps.events.relay import Turn
from apps.events.services import emit
from apps.events.tests.conftest import Nurse

PENDING, DONE, PARKED = Delivery.Status.PENDING, Delivery.Status.DONE, Delivery.Status.PARKED
at_the_same_time = pytest.mark.django_db(transaction=True)


def ring(bell: Any, times: int = 1) -> None:
    with transaction.atomic():
        for bed in range(times):
            emit(bell(bed=bed), by=Nurse())


def only() -> Delivery:
    return Delivery.objects.get()


def make_due() -> None:
    Delivery.objects.update(next_attempt_at=clock.now() - timedelta(seconds=1))


def run_out(turns: list[Turn]) -> None:
    """Run these turns, and whatever falls due, until nothing is pending."""
    with time_machine.travel(clock.now(), tick=False) as traveller:
        while turns:
            for turn in turns:
                relay.deliver(turn.delivery_id, turn.attempt)
            traveller.shift(timedelta(minutes=11))
            turns = relay.due_deliveries()


@pytest.mark.django_db
def test_each_listener_gets_a_delivery_of_its_own(bell: Any) -> None:
    doctor, nurse = [], []
    listeners._after_commit["test.bell_rang"] = {"ward.doctor": doctor.append, "ward.nurse": nurse.append}
    ring(bell, times=3)
    turns = relay.claim_waiting()
    assert len(turns) == Delivery.objects.count() == 6
    assert {turn.attempt for turn in turns} == {1}
    assert all(relay.deliver(turn.delivery_id, turn.attempt) for turn in turns)
    assert [event.bed for event in doctor] == [event.bed for event in nurse] == [0, 1, 2]


@pytest.mark.django_db
def test_facts_are_claimed_oldest_first_and_once(bell: Any) -> None:
    after_commit(bell)(lambda event: None)
    ring(bell, times=5)
    beds = [
        Delivery.objects.get(pk=turn.delivery_id).event.payload["bed"]
        for turn in [*relay.claim_waiting(3), *relay.claim_waiting(3)]
    ]
    assert beds == [0, 1, 2, 3, 4]
    assert relay.claim_waiting() == []


@at_the_same_time
def test_two_relays_at_once_make_one_delivery_a_fact(bell: Any) -> None:
    after_commit(bell)(lambda event: None)
    OutboxEvent.objects.bulk_create([OutboxEvent(name="test.bell_rang", payload={"bed": bed}) for bed in range(1_000)])

    def claim_all(_: int) -> list[Turn]:
        claimed: list[Turn] = []
        while OutboxEvent.objects.filter(relayed_at=None).exists():
            claimed += relay.claim_waiting()
        return claimed

    first, second = at_once(2, claim_all)
    assert first
    assert second
    assert len({*first, *second}) == len(first) + len(second) == 1_000
    assert Delivery.objects.count() == 1_000


@at_the_same_time
def test_eight_workers_with_the_same_task_run_it_once(bell: Any) -> None:
    heard: list[Any] = []
    after_commit(bell)(heard.append)
    ring(bell)
    [turn] = relay.claim_waiting()
    assert sorted(at_once(8, lambda _: relay.deliver(turn.delivery_id, turn.attempt))) == [False] * 7 + [True]
    assert len(heard) == 1
    assert (only().status, only().attempts) == (DONE, 1)


@pytest.mark.django_db
def test_a_task_that_comes_again_runs_nothing(bell: Any) -> None:
    heard: list[Any] = []
    after_commit(bell)(heard.append)
    ring(bell)
    [turn] = relay.claim_waiting()
    assert relay.deliver(turn.delivery_id, turn.attempt)
    for attempt in range(1, 8):
        assert not relay.deliver(turn.delivery_id, attempt)
    assert len(heard) == 1
    assert only().status == DONE


@pytest.mark.django_db
def test_a_task_that_comes_again_after_a_failure_waits_for_its_time(bell: Any) -> None:
    tries: list[int] = []
    after_commit(bell)(lambda event: tries.append(1) or 1 / 0)
    ring(bell)
    [turn] = relay.claim_waiting()
    assert not any(relay.deliver(turn.delivery_id, turn.attempt) for _ in range(10))
    assert len(tries) == only().attempts == 1


@at_the_same_time
def test_what_is_being_run_is_neither_taken_nor_parked_by_another(bell: Any) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(event: Any) -> None:
        begun.set()
        may_end.wait(10)

    after_commit(bell)(slow)
    ring(bell)
    [turn] = relay.claim_waiting()
    worker = threading.Thread(target=lambda: (relay.deliver(turn.delivery_id, turn.attempt), connection.close()))
    worker.start()
    begun.wait(10)
    with time_machine.travel(clock.now() + timedelta(hours=1)):  # long after its lease
        assert relay.due_deliveries() == []
        assert not relay.deliver(turn.delivery_id, turn.attempt)
    assert not may_end.is_set()  # nobody waited for the one that is being run
    may_end.set()
    worker.join()
    assert (only().status, only().attempts) == (DONE, 1)


@pytest.mark.django_db
def test_a_failed_listener_leaves_nothing_behind(bell: Any) -> None:
    def half(event: Any) -> None:
        OutboxEvent.objects.create(name="half", payload={})
        raise RuntimeError("the other half failed")

    after_commit(bell)(half)
    ring(bell)
    [turn] = relay.claim_waiting()
    assert not relay.deliver(turn.delivery_id, turn.attempt)
    assert not OutboxEvent.objects.filter(name="half").exists()
    assert (only().status, only().last_error) == (PENDING, "RuntimeError: the other half failed")


@pytest.mark.django_db
def test_a_failure_is_tried_again_later_and_later(bell: Any) -> None:
    after_commit(bell)(lambda event: 1 / 0)
    ring(bell)
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
def test_what_is_handed_out_is_not_handed_out_again_at_the_next_sweep(bell: Any) -> None:
    after_commit(bell)(lambda event: None)
    ring(bell)
    relay.claim_waiting()
    assert relay.due_deliveries() == []
    make_due()
    assert len(relay.due_deliveries()) == 1
    assert relay.due_deliveries() == []


@pytest.mark.django_db
def test_a_lost_task_is_due_again_when_its_lease_is_over(bell: Any) -> None:
    heard: list[Any] = []
    after_commit(bell)(heard.append)
    ring(bell)
    relay.claim_waiting()  # and its tasks are lost
    with time_machine.travel(clock.now() + relay.LEASE + timedelta(seconds=1)):
        [turn] = relay.due_deliveries()
        assert relay.deliver(turn.delivery_id, turn.attempt)
    assert len(heard) == 1


@pytest.mark.django_db
def test_one_poisonous_fact_is_parked_and_the_others_are_heard(bell: Any) -> None:
    heard: list[int] = []
    tries: list[int] = []

    def listen(event: Any) -> None:
        if event.bed == 77:
            tries.append(event.bed)
            raise RuntimeError("poison")
        heard.append(event.bed)

    after_commit(bell)(listen)
    ring(bell, times=200)
    run_out(relay.claim_waiting(200))
    parked = Delivery.objects.select_related("event").get(status=PARKED)
    assert (parked.event.payload["bed"], parked.attempts, parked.last_error) == (77, 5, "RuntimeError: poison")
    assert len(tries) == 5
    assert sorted(heard) == [bed for bed in range(200) if bed != 77]
    assert Delivery.objects.filter(status=DONE).count() == 199


@pytest.mark.django_db
@pytest.mark.parametrize(
    "spoil", [{"name": "test.nobody_tells_this"}, {"payload": {"bed": 1, "until": []}, "name": "delivery.retried"}]
)
def test_a_fact_that_cannot_be_read_is_parked(bell: Any, spoil: dict[str, Any]) -> None:
    name = spoil["name"]
    row = OutboxEvent.objects.create(**({"payload": {}} | spoil))
    listeners._after_commit.setdefault(name, {})["ward.nurse"] = lambda event: event.patient.hex
    try:
        run_out(relay.claim_waiting())
    finally:
        del listeners._after_commit[name]["ward.nurse"]
    assert (only().event_id, only().status) == (row.pk, PARKED)


@pytest.mark.django_db
def test_a_listener_that_kills_its_worker_is_parked_too(bell: Any) -> None:
    def die(event: Any) -> None:
        raise SystemExit

    after_commit(bell)(die)
    ring(bell)
    turns = relay.claim_waiting()
    deaths = 0
    while turns:
        try:
            relay.deliver(turns[0].delivery_id, turns[0].attempt)
        except SystemExit:
            deaths += 1
        make_due()
        turns = relay.due_deliveries()
    assert (only().status, deaths) == (PARKED, 5)
    assert only().last_error


@pytest.mark.django_db
def test_a_listener_that_the_code_no_longer_has_is_done_with(bell: Any) -> None:
    after_commit(bell)(lambda event: None)
    ring(bell)
    [turn] = relay.claim_waiting()
    listeners._after_commit["test.bell_rang"].clear()
    assert relay.deliver(turn.delivery_id, turn.attempt)
    assert only().status == DONE


@pytest.mark.django_db
def test_the_tasks_carry_a_fact_to_its_listener(bell: Any) -> None:
    heard: list[Any] = []
    after_commit(bell)(heard.append)
    ring(bell, times=250)  # more than a batch
    relayed = 0
    while deliveries := tasks.relay_waiting():  # a task ends after a while, and others go on
        relayed += deliveries
    assert (relayed, tasks.hand_out_due()) == (250, 0)
    assert [event.bed for event in heard] == list(range(250))


def write(event: Any) -> None:
    """What a listener of the house does: insert a row."""
    OutboxEvent.objects.create(name=f"heard {event.bed}", payload={}, relayed_at=clock.now())


def beds_written() -> list[int]:
    names = OutboxEvent.objects.filter(name__startswith="heard ").values_list("name", flat=True)
    return sorted(int(name.removeprefix("heard ")) for name in names)


def transaction_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        return int(cursor.fetchone()[0])


def ids(turns: list[Turn]) -> list[UUID]:
    return [turn.delivery_id for turn in turns]


@at_the_same_time
@pytest.mark.parametrize(("terms", "transactions"), [(listeners.SHARED, 1), (listeners.USUAL, 3)])
def test_a_batch_shares_a_transaction_where_the_listener_allows_it(bell: Any, terms: listeners.Terms, transactions: int) -> None:
    seen: list[int] = []
    after_commit(bell, terms=terms)(lambda event: seen.append(transaction_id()))
    ring(bell, times=3)
    assert relay.deliver_batch(ids(relay.claim_waiting())) == 3
    assert len(seen) == 3
    assert len(set(seen)) == transactions
    assert set(Delivery.objects.values_list("status", "attempts")) == {(DONE, 1)}


@at_the_same_time
def test_a_poisonous_fact_in_a_batch_undoes_no_other_and_is_parked(bell: Any) -> None:
    def listen(event: Any) -> None:
        write(event)
        if event.bed == 4:
            raise RuntimeError("poison")

    after_commit(bell, terms=listeners.SHARED)(listen)
    ring(bell, times=10)
    turns = relay.claim_waiting()
    assert relay.deliver_batch(ids(turns)) == 9
    assert beds_written() == [bed for bed in range(10) if bed != 4]  # each once, though the batch was rolled back before
    make_due()
    run_out(relay.due_deliveries())
    assert list(Delivery.objects.exclude(status=DONE).values_list("status", "attempts", "event__payload__bed")) == [
        (PARKED, 5, 4)
    ]
    assert len(beds_written()) == 9


@at_the_same_time
def test_a_deadly_listener_in_a_batch_is_parked_and_the_others_are_heard(bell: Any) -> None:
    def die(event: Any) -> None:
        if event.bed == 2:
            raise SystemExit
        write(event)

    after_commit(bell, terms=listeners.SHARED)(die)
    ring(bell, times=6)
    with pytest.raises(SystemExit):
        relay.deliver_batch(ids(relay.claim_waiting()))
    assert beds_written() == []
    for _ in range(10):
        make_due()
        for turn in relay.due_deliveries():
            with suppress(SystemExit):
                relay.deliver(turn.delivery_id, turn.attempt)
    assert beds_written() == [0, 1, 3, 4, 5]
    assert Delivery.objects.get(status=PARKED).event.payload["bed"] == 2


@at_the_same_time
def test_a_batch_that_comes_again_runs_nothing(bell: Any) -> None:
    after_commit(bell, terms=listeners.SHARED)(write)
    ring(bell, times=8)
    turns = relay.claim_waiting()
    assert sum(at_once(4, lambda _: relay.deliver_batch(ids(turns)))) == 8
    assert relay.deliver_batch(ids(turns)) == 0
    assert beds_written() == list(range(8))


@at_the_same_time
def test_what_waits_in_a_slow_batch_is_not_due_for_others(bell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "LEASE", timedelta(milliseconds=100))
    due: list[Any] = []

    def slow(event: Any) -> None:
        due.append(Delivery.objects.get(event__payload__bed=1).next_attempt_at)
        if event.bed == 0:
            time.sleep(0.2)

    after_commit(bell)(slow)
    ring(bell, times=2)
    assert relay.deliver_batch(ids(relay.claim_waiting())) == 2
    first, second = due
    assert second > first + timedelta(milliseconds=100)  # the lease began anew after the slow one


@at_the_same_time
def test_deliveries_of_another_queue_are_handed_out_in_batches(bell: Any) -> None:
    heard: list[int] = []
    after_commit(bell, terms=listeners.Terms(queue="mail"))(lambda event: heard.append(event.bed))
    ring(bell, times=60)
    assert tasks.relay_waiting() == 60
    assert not heard
    assert bus.run(lambda client: client.llen("mail")) == 3
    waiting = [str(pk) for pk in Delivery.objects.order_by("id").values_list("pk", flat=True)]
    assert tasks.deliver_batch(delivery_ids=waiting) == 60
    assert heard == list(range(60))


@pytest.mark.django_db
def test_a_delivery_of_nothing_is_refused() -> None:
    assert not relay.deliver(uuid4(), 1)


def around_the_service(**delivery: Any) -> Callable[[], Delivery]:
    event = OutboxEvent.objects.create(name="test.bell_rang", payload={})
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
