"""What follows a booking: listeners, mails and seals, done by the worker and beat that `make run` starts.

Bookings arrive at a fixed rate, first while the workers are stopped, then while they work. What the second costs more is the
follow-up work. CPU is counted until all is delivered and sealed. Mails are composed and handed to a server that drops them.
"""

import os
import signal
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from apps.audit.sealing import seals
from apps.common import clock, redis_client
from benchmarks import cpu, databases, measure, slots
from benchmarks.measure import Cost, Target
from benchmarks.outcome import Check, Row, at_least, at_most
from benchmarks.slots import Slots
from benchmarks.stage import APPLICATION, Stage, Web, sign_in

RATE = 150  # bookings a second
CLIENTS = 8
LENGTH = 5  # a round lasts so many times --seconds
SAMPLED_EVERY = 0.5  # seconds
DRAINED_WITHIN = 120.0  # seconds
ALWAYS_SOON = "40000"  # days: the doctor is notified of every booking

_WAITING = """
SELECT (SELECT count(*) FROM events_outboxevent WHERE relayed_at IS NULL)
    + (SELECT count(*) FROM events_delivery WHERE status = 'pending')
"""
_UNSEALED = """
SELECT count(*) FROM audit_auditevent a WHERE a.at >= %s AND NOT EXISTS (SELECT FROM audit_seal s WHERE s.event_id = a.id)
"""
_DELIVERED = """
SELECT count(*), coalesce(percentile_disc(0.95) WITHIN GROUP (ORDER BY d.done_at - e.occurred_at), interval '0')
FROM events_delivery d JOIN events_outboxevent e ON e.id = d.event_id WHERE d.status = 'done' AND e.occurred_at >= %s
"""
_SETTLE = (
    "UPDATE events_outboxevent SET relayed_at = now() WHERE relayed_at IS NULL",
    "UPDATE events_delivery SET status = 'done', done_at = now() WHERE status = 'pending'",
)


@dataclass(frozen=True)
class Round:
    """One round: CPU milliseconds a booking by process, the rate that was reached, and what the workers did."""

    web: float
    workers: float
    postgres: float
    redis: float
    rate: float
    milliseconds: Sequence[float]
    failed: int
    backlog: Sequence[int]
    delivered: int
    p95: float

    @property
    def total(self) -> float:
        return self.web + self.workers + self.postgres

    def cost(self) -> Cost:
        p50, p95 = (measure.percentile(self.milliseconds, percent) for percent in (50, 95))
        return Cost(self.web + self.workers, self.postgres, self.redis, p50, p95, len(self.milliseconds), self.failed)


def run(stage: Stage) -> list[Row]:
    rows: list[Row] = []
    for name, days in (("far ahead: a mail", "2"), ("soon: a mail and a notification to the doctor", ALWAYS_SOON)):
        environment = databases.environment(databases.name(stage.options.rows)) | {
            "HIMS_NOTICE_DAYS": days,
            "EMAIL_URL": "dummymail://",
        }
        web = stage.serve(f"bench-follow-up-{days}", APPLICATION, environment, "/health/ready")
        _settle(stage)
        workers = stage.workers(environment)
        time.sleep(5)  # they load
        rows += _measure(stage, name, web, workers)
        for pid in workers:
            os.killpg(pid, signal.SIGSTOP)
    return rows


def _measure(stage: Stage, name: str, web: Web, workers: list[int]) -> list[Row]:
    rounds: dict[bool, list[Round]] = {False: [], True: []}
    token = sign_in(web)
    with Slots(stage.loaded, stage.address).kept() as here:
        for number in range(stage.options.rounds):
            for working in (False, True) if number % 2 == 0 else (True, False):
                with _stopped(stage, [] if working else workers):
                    target = stage.fresh(
                        web, lambda _, seconds: [slots.booking(*here.next()) for _ in range(int(RATE * seconds) + 99)], token
                    )
                    rounds[working].append(_round(stage, target, workers, working=working))
    alone, everything = (
        sorted(rounds[working], key=lambda one: one.total)[len(rounds[working]) // 2] for working in (False, True)
    )
    return [_row(name, alone, everything, rounds[True])]


def _row(name: str, alone: Round, everything: Round, rounds: Sequence[Round]) -> Row:
    rate, p95 = (statistics.median(getattr(one, which) for one in rounds) for which in ("rate", "p95"))
    left = statistics.median(one.backlog[-1] for one in rounds)
    failed = alone.failed + sum(one.failed for one in rounds)
    checks = [
        at_most("with all follow-up work", everything.total / alone.total, 2, "x"),
        at_least("bookings a second", rate, RATE * 0.98),
        at_most("waiting at the end of the load", left, RATE),
        at_most("commit to delivered p95", p95, 1, " s"),
        *([Check("every booking is stored", f"{failed} failed", met=False)] if failed else []),
    ]
    notes = [
        f"alone {alone.total:.2f} CPU-ms (web {alone.web:.2f}, PostgreSQL {alone.postgres:.2f}); with everything "
        f"{everything.total:.2f} (web {everything.web:.2f}, workers {everything.workers:.2f}, "
        f"PostgreSQL {everything.postgres:.2f}, Redis {everything.redis:.2f}).",
        f"waiting every {SAMPLED_EVERY} s: {' '.join(map(str, everything.backlog))}; "
        f"{everything.delivered} deliveries of {len(everything.milliseconds)} bookings.",
    ]
    return Row(f"booking and its follow-up, {name}", hims=everything.cost(), floor=alone.cost(), checks=checks, notes=notes)


def _round(stage: Stage, target: Target, workers: list[int], *, working: bool) -> Round:
    seconds = stage.options.seconds * LENGTH
    watched = {"web": [target.web], "workers": workers, "postgres": [target.postgres], "redis": [target.redis]}
    begun, before = clock.now(), _spent(watched)
    with _sampled(stage) as backlog:
        seen = measure.drive(target, seconds, CLIENTS, RATE)
    if working:
        _wait_until_done(stage, begun)
    bookings = len(seen["milliseconds"])
    spent = {name: (late - before[name]) * 1000 / bookings for name, late in _spent(watched).items()}
    with psycopg.connect(stage.address) as database:
        delivered, p95 = database.execute(_DELIVERED, [begun]).fetchone() or (0, None)
    return Round(
        **spent,
        rate=bookings / seen["seconds"],
        milliseconds=seen["milliseconds"],
        failed=bookings - seen["statuses"].get("201", 0),
        backlog=backlog or [0],
        delivered=delivered,
        p95=p95.total_seconds() if p95 else 0.0,
    )


def _spent(watched: dict[str, list[int]]) -> dict[str, float]:
    return {name: sum(map(cpu.seconds, pids)) for name, pids in watched.items()}


@contextmanager
def _sampled(stage: Stage) -> Iterator[list[int]]:
    """How many events and deliveries wait, while the block runs."""
    backlog: list[int] = []
    over = threading.Event()

    def sample() -> None:
        with psycopg.connect(stage.address, autocommit=True) as database:
            while not over.wait(SAMPLED_EVERY):
                backlog.append((database.execute(_WAITING).fetchone() or [0])[0])

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    yield backlog
    over.set()
    thread.join()


def _wait_until_done(stage: Stage, begun: datetime) -> None:
    until = time.monotonic() + DRAINED_WITHIN
    with psycopg.connect(stage.address, autocommit=True) as database:
        for statement, values in ((_WAITING, []), (_UNSEALED, [begun])):
            while (database.execute(statement, values).fetchone() or [0])[0] and time.monotonic() < until:
                time.sleep(0.25)


@contextmanager
def _stopped(stage: Stage, workers: list[int]) -> Iterator[None]:
    """The workers sleep for the length of the block, and find nothing to do afterwards."""
    for pid in workers:
        os.killpg(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if workers:
            _settle(stage)
        for pid in workers:
            os.killpg(pid, signal.SIGCONT)


def _settle(stage: Stage) -> None:
    """Nothing waits of what came before."""
    with psycopg.connect(stage.address, autocommit=True) as database:
        for statement in _SETTLE:
            database.execute(statement)
    redis_client.run(lambda client: client.delete("default", "mail", "hims:relay:awake"))
    seals.seal()
