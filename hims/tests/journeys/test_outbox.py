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
from hims.tests.journeys import outbox_probe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def probe_file(tmp_path: Path) -> Iterator[Path]:
    with outbox_probe.registered():
        yield tmp_path / "received"


def work(probe_file: Path, takes: float = 0.0, **environment: str):
    log = probe_file.with_name("worker.log")
    return live.worker(
        log, **{outbox_probe.FILE_VARIABLE: str(probe_file), outbox_probe.SECONDS_VARIABLE: str(takes)}, **environment
    )


def send_probe(numbers: range) -> None:
    for number in numbers:
        with transaction.atomic():
            outbox_probe.send_probe(number)


def swept() -> bool:
    """What the beat does every five seconds: a batch that was lost with its worker is due again when its lease is over."""
    tasks.dispatch_due.apply_async(retry=False)
    time.sleep(0.5)
    return True


def sweep_until_received(path: Path, numbers: int, within: float = 60.0) -> None:
    """What the beat does every five seconds, here twice a second, until every bed was heard and nothing is pending."""

    def all_is_done() -> bool:
        swept()
        waiting = Delivery.objects.filter(status=Delivery.Status.PENDING).exists()
        return len(set(outbox_probe.received(path))) >= numbers and not waiting

    log = path.with_name("worker.log")
    assert live.eventually(all_is_done, within=within), (
        f"heard {len(set(outbox_probe.received(path)))} of {numbers}: {log.read_text()[-3000:]}"
    )


def test_a_committed_fact_reaches_its_listener_without_a_sweep(probe_file: Path) -> None:
    send_probe(range(5))  # without workers: the broker keeps the wake-up
    with work(probe_file):
        assert live.eventually(lambda: len(outbox_probe.received(probe_file)) == 5)
        send_probe(range(5, 10))
        assert live.eventually(lambda: len(outbox_probe.received(probe_file)) == 10)  # no sweep here: the commits woke the worker
        assert live.eventually(lambda: Delivery.objects.filter(status=Delivery.Status.DONE).count() == 10)
    assert sorted(outbox_probe.received(probe_file)) == list(range(10))
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
    assert re.search(r"^\S+ \S+ INFO - celery\S*: .*ready", probe_file.with_name("worker.log").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("numbers", "kills"), [(20, 1), pytest.param(500, 10, marks=pytest.mark.full)])
def test_nothing_is_lost_when_the_worker_is_killed_in_the_middle(probe_file: Path, numbers: int, kills: int) -> None:
    send_probe(range(numbers))
    for _ in range(kills):
        before = len(outbox_probe.received(probe_file))
        with work(probe_file, takes=0.1) as worker:
            assert live.eventually(lambda: swept() and len(outbox_probe.received(probe_file)) > before + 5, within=60)  # noqa: B023
            live.kill(worker)
    with work(probe_file):
        sweep_until_received(probe_file, numbers)
    again = [number for number, times in Counter(outbox_probe.received(probe_file)).items() if times > 1]
    assert set(outbox_probe.received(probe_file)) == set(range(numbers))
    assert len(again) <= kills * 2  # two at a time
    assert Delivery.objects.filter(status=Delivery.Status.DONE).count() == numbers


@pytest.mark.full
def test_the_worker_goes_on_when_redis_comes_back_empty(probe_file: Path) -> None:
    """Redis is killed and comes back without its data: its content was in PostgreSQL all along.

    A worker that holds an unacknowledged task when the connection breaks may end: kombu cannot give the task back then, and
    raises an AttributeError while it closes the channel. `make run` and Docker start the worker again; so does this test.
    """
    log, schedule = probe_file.with_name("beat.log"), str(probe_file.with_name("schedule"))
    beat = ["celery", "-A", "hims.celery:app", "beat", "--schedule", schedule, "--pidfile", ""]
    with live.own_redis() as redis, live.process(*beat, log=log, REDIS_URL=redis.url), ExitStack() as stack:
        workers = [stack.enter_context(work(probe_file, takes=0.05, REDIS_URL=redis.url))]

        def all_heard() -> bool:
            if workers[-1].poll() is not None:
                workers.append(stack.enter_context(work(probe_file, takes=0.05, REDIS_URL=redis.url)))
            return set(outbox_probe.received(probe_file)) == set(range(60))

        send_probe(range(40))
        assert live.eventually(lambda: len(outbox_probe.received(probe_file)) > 10, within=30)
        redis.kill()
        send_probe(range(40, 60))
        time.sleep(5)
        redis.start()
        assert live.eventually(all_heard, within=60)
        assert live.eventually(lambda: Delivery.objects.filter(status=Delivery.Status.DONE).count() == 60)
