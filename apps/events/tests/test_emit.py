from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from apps.common import context, redis_client
from apps.common.context import RequestContext
from apps.events import listeners, relay, tasks
from apps.events.listeners import after_commit
from apps.events.models import OutboxEvent
from apps.events.services import NotInTransaction, emit
from apps.events.tests.conftest import Nurse

pytestmark = pytest.mark.django_db(transaction=True)


def messages() -> int:
    """Tasks that wait for a worker."""
    return redis_client.run(lambda client: client.llen("default"))


def send_probe(probe: Any, **fact: Any) -> None:
    with transaction.atomic():
        emit(probe(**fact), by=Nurse())


def test_an_event_is_announced_only_inside_its_transaction(probe: Any) -> None:
    with pytest.raises(NotInTransaction, match=r"test\.probe_sent"):
        emit(probe(), by=Nurse())
    assert not OutboxEvent.objects.exists()


def test_a_change_that_is_rolled_back_is_never_announced(probe: Any) -> None:
    received: list[Any] = []
    after_commit(probe)(received.append)
    for _ in range(100):
        with suppress(ZeroDivisionError), transaction.atomic():
            emit(probe(), by=Nurse())
            _ = 1 / 0
    assert not OutboxEvent.objects.exists()
    assert relay.claim_waiting() == []
    assert messages() == 0
    assert redis_client.run(lambda client: client.get(relay.WAKE)) is None


def test_a_savepoint_that_is_rolled_back_takes_its_fact_along(probe: Any) -> None:
    after_commit(probe)(lambda event: None)
    with transaction.atomic():
        emit(probe(number=1), by=Nurse())
        with suppress(ZeroDivisionError), transaction.atomic():
            emit(probe(number=2), by=Nurse())
            _ = 1 / 0
    assert list(OutboxEvent.objects.values_list("payload__number", flat=True)) == [1]


def test_the_in_step_listener_may_refuse_the_whole_change(probe: Any) -> None:
    def refuse(fact: Any, by: Any, event_id: Any) -> Any:
        raise PermissionError

    listeners.synchronous(refuse)
    try:
        with pytest.raises(PermissionError):
            send_probe(probe)
    finally:
        listeners._synchronous.remove(refuse)
    assert not OutboxEvent.objects.exists()


def test_a_row_says_who_and_under_which_request(probe: Any) -> None:
    nurse = Nurse(id=uuid4())
    context.enter(RequestContext(request_id="req_12345678"))
    try:
        with transaction.atomic():
            emit(probe(), by=nurse)
    finally:
        context.enter(None)
    row = OutboxEvent.objects.get()
    assert (row.name, row.actor_id, row.request_id, row.payload) == ("test.probe_sent", nurse.id, "req_12345678", {"number": 1})


def test_an_event_without_listeners_never_waits(probe: Any) -> None:
    send_probe(probe)
    assert OutboxEvent.objects.get().relayed_at is not None
    assert messages() == 0


def test_a_commit_wakes_the_relay_once_however_many_facts(probe: Any) -> None:
    after_commit(probe)(lambda event: None)
    for _ in range(3):
        with transaction.atomic():
            emit(probe(), by=Nurse())
            emit(probe(), by=Nurse())
            assert messages() <= 1
    assert messages() == 1


def test_a_relay_that_works_can_be_woken_again(probe: Any) -> None:
    after_commit(probe)(lambda event: None)
    send_probe(probe)
    tasks.relay_waiting()
    waiting = messages()
    send_probe(probe)
    assert messages() == waiting + 1


@pytest.mark.parametrize("url", ["unix:///nowhere/redis.sock", "redis://127.0.0.1:1/0"])
def test_a_dead_bus_refuses_no_change_and_the_sweep_finds_it(
    probe: Any, settings: Any, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    received: list[Any] = []
    after_commit(probe)(received.append)
    alive, settings.REDIS_URL = settings.REDIS_URL, url
    send_probe(probe, number=4)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    settings.REDIS_URL = alive
    redis_client.breaker.reset()
    assert not received
    assert tasks.dispatch_due() == 1
    assert received == [probe(number=4)]


def test_the_sweep_itself_survives_a_dead_bus(probe: Any, settings: Any) -> None:
    after_commit(probe)(lambda event: None)
    send_probe(probe)
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    assert len(relay.claim_waiting()) == 1
    relay.clear_wake_flag()  # raises nothing
    redis_client.breaker.reset()
