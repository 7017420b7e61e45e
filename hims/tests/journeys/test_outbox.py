"""Facts on their way to real workers, who are killed in the middle of it."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.db import transaction

from apps.events import tasks
from apps.events.models import Delivery
from hims.tests import live
from hims.tests.journeys import bell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard_in(tmp_path: Path) -> Iterator[Path]:
    with bell.hung_up():
        yield tmp_path / "heard"


def work(heard_in: Path, takes: float = 0.0, **environment: str):
    log = heard_in.with_name("worker.log")
    return live.worker(log, **{bell.HEARD_IN: str(heard_in), bell.TAKES: str(takes)}, **environment)


def ring(beds: range) -> None:
    for bed in beds:
        with transaction.atomic():
            bell.ring(bed)


def swept() -> bool:
    """What the beat does every five seconds: a batch that was lost with its worker is due again when its lease is over."""
    tasks.hand_out_due.apply_async(retry=False)
    time.sleep(0.5)
    return True


def sweep_until_heard(path: Path, beds: int, within: float = 60.0) -> None:
    """What the beat does every five seconds, here twice a second, until every bed was heard and nothing is pending."""

    def all_is_done() -> bool:
        swept()
        waiting = Delivery.objects.filter(status=Delivery.Status.PENDING).exists()
        return len(set(bell.heard(path))) >= beds and not waiting

    log = path.with_name("worker.log")
    assert live.eventually(all_is_done, within=within), f"heard {len(set(bell.heard(path)))} of {beds}: {log.read_text()[-3000:]}"


def test_a_committed_fact_reaches_its_listener_without_a_sweep(heard_in: Path) -> None:
    ring(range(5))  # while nobody works: the broker keeps the wake-up
    with work(heard_in):
        assert live.eventually(lambda: len(bell.heard(heard_in)) == 5)
        ring(range(5, 10))
        assert live.eventually(lambda: len(bell.heard(heard_in)) == 10)  # nobody sweeps here: the commits woke the worker
        assert live.eventually(lambda: Delivery.objects.filter(status=Delivery.Status.DONE).count() == 10)
    assert sorted(bell.heard(heard_in)) == list(range(10))
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
    assert re.search(r"^\S+ \S+ INFO - celery\S*: .*ready", heard_in.with_name("worker.log").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("beds", "kills"), [(20, 1), pytest.param(500, 10, marks=pytest.mark.full)])
def test_nothing_is_lost_when_the_worker_is_killed_in_the_middle(heard_in: Path, beds: int, kills: int) -> None:
    ring(range(beds))
    for _ in range(kills):
        before = len(bell.heard(heard_in))
        with work(heard_in, takes=0.1) as worker:
            assert live.eventually(lambda: swept() and len(bell.heard(heard_in)) > before + 5, within=60)  # noqa: B023
            live.kill(worker)
    with work(heard_in):
        sweep_until_heard(heard_in, beds)
    again = [bed for bed, times in Counter(bell.heard(heard_in)).items() if times > 1]
    assert set(bell.heard(heard_in)) == set(range(beds))
    assert len(again) <= kills * 2  # two at a time
    assert Delivery.objects.filter(status=Delivery.Status.DONE).count() == beds


@pytest.mark.full
def test_the_worker_goes_on_when_redis_comes_back_empty(heard_in: Path) -> None:
    """Redis is killed and comes back without its data: what it held was in PostgreSQL all along.

    A worker that holds an unacknowledged task when the connection breaks may end: kombu cannot give the task back then, and
    raises an AttributeError while it closes the channel. `make run` and Docker start the worker again; so does this test.
    """
    log, schedule = heard_in.with_name("beat.log"), str(heard_in.with_name("schedule"))
    beat = ["celery", "-A", "hims.celery:app", "beat", "--schedule", schedule, "--pidfile", ""]
    with live.own_redis() as redis, live.process(*beat, log=log, REDIS_URL=redis.url), ExitStack() as stack:
        workers = [stack.enter_context(work(heard_in, takes=0.05, REDIS_URL=redis.url))]

        def all_heard() -> bool:
            if workers[-1].poll() is not None:
                workers.append(stack.enter_context(work(heard_in, takes=0.05, REDIS_URL=redis.url)))
            return set(bell.heard(heard_in)) == set(range(60))

        ring(range(40))
        assert live.eventually(lambda: len(bell.heard(heard_in)) > 10, within=30)
        redis.kill()
        ring(range(40, 60))
        time.sleep(5)
        redis.start()
        assert live.eventually(all_heard, within=60)
        assert live.eventually(lambda: Delivery.objects.filter(status=Delivery.Status.DONE).count() == 60)
