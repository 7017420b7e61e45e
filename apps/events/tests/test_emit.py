from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from apps.common import bus, context
from apps.common.context import RequestContext
from apps.events import listeners, relay, tasks
from apps.events.listeners import after_commit
from apps.events.models import OutboxEvent
from apps.events.services import NotInTransaction, emit
from apps.events.tests.conftest import Nurse

pytestmark = pytest.mark.django_db(transaction=True)


def messages() -> int:
    """Tasks that wait for a worker."""
    return bus.run(lambda client: client.llen("default"))


def ring(bell: Any, **fact: Any) -> None:
    with transaction.atomic():
        emit(bell(**fact), by=Nurse())


def test_a_fact_is_told_only_inside_the_transaction_that_makes_it_true(bell: Any) -> None:
    with pytest.raises(NotInTransaction, match=r"test\.bell_rang"):
        emit(bell(), by=Nurse())
    assert not OutboxEvent.objects.exists()


def test_a_change_that_is_rolled_back_was_never_told(bell: Any) -> None:
    heard: list[Any] = []
    after_commit(bell)(heard.append)
    for _ in range(100):
        with suppress(ZeroDivisionError), transaction.atomic():
            emit(bell(), by=Nurse())
            _ = 1 / 0
    assert not OutboxEvent.objects.exists()
    assert relay.claim_waiting() == []
    assert messages() == 0
    assert bus.run(lambda client: client.get(relay.WAKE)) is None


def test_a_savepoint_that_is_rolled_back_takes_its_fact_along(bell: Any) -> None:
    after_commit(bell)(lambda event: None)
    with transaction.atomic():
        emit(bell(bed=1), by=Nurse())
        with suppress(ZeroDivisionError), transaction.atomic():
            emit(bell(bed=2), by=Nurse())
            _ = 1 / 0
    assert list(OutboxEvent.objects.values_list("payload__bed", flat=True)) == [1]


def test_the_in_step_listener_may_refuse_the_whole_change(bell: Any) -> None:
    def refuse(fact: Any, by: Any, event_id: Any) -> None:
        raise PermissionError

    listeners.in_step(refuse)
    try:
        with pytest.raises(PermissionError):
            ring(bell)
    finally:
        listeners._in_step.remove(refuse)
    assert not OutboxEvent.objects.exists()


def test_a_row_says_who_and_under_which_request(bell: Any) -> None:
    nurse = Nurse(id=uuid4())
    context.enter(RequestContext(request_id="req_12345678"))
    try:
        with transaction.atomic():
            emit(bell(), by=nurse)
    finally:
        context.enter(None)
    row = OutboxEvent.objects.get()
    assert (row.name, row.actor_id, row.request_id, row.payload) == ("test.bell_rang", nurse.id, "req_12345678", {"bed": 1})


def test_a_fact_that_nobody_awaits_never_waits(bell: Any) -> None:
    ring(bell)
    assert OutboxEvent.objects.get().relayed_at is not None
    assert messages() == 0


def test_a_commit_wakes_the_relay_once_however_many_facts(bell: Any) -> None:
    after_commit(bell)(lambda event: None)
    for _ in range(3):
        with transaction.atomic():
            emit(bell(), by=Nurse())
            emit(bell(), by=Nurse())
            assert messages() <= 1
    assert messages() == 1


def test_a_relay_that_works_can_be_woken_again(bell: Any) -> None:
    after_commit(bell)(lambda event: None)
    ring(bell)
    tasks.relay_waiting()
    waiting = messages()
    ring(bell)
    assert messages() == waiting + 1


@pytest.mark.parametrize("url", ["unix:///nowhere/redis.sock", "redis://127.0.0.1:1/0"])
def test_a_dead_bus_refuses_no_change_and_the_sweep_finds_it(
    bell: Any, settings: Any, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Any] = []
    after_commit(bell)(heard.append)
    alive, settings.REDIS_URL = settings.REDIS_URL, url
    ring(bell, bed=4)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    settings.REDIS_URL = alive
    bus.breaker.reset()
    assert not heard
    assert tasks.hand_out_due() == 1
    assert heard == [bell(bed=4)]


def test_the_sweep_itself_survives_a_dead_bus(bell: Any, settings: Any) -> None:
    after_commit(bell)(lambda event: None)
    ring(bell)
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    assert len(relay.claim_waiting()) == 1
    relay.fall_asleep()  # raises nothing
    bus.breaker.reset()
