"""The exact total: what reading it costs, what writes pay for it, and whether it is still exact after everything."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psycopg

from benchmarks import databases, patient_tables, pgbench, statements
from benchmarks.measure import percentile
from benchmarks.outcome import Check, Row, at_most
from benchmarks.stage import Stage
from benchmarks.workloads import boot
from benchmarks.workloads.reading import FIRST
from hims.launch import paths
from hims.launch.errors import CannotStart

READS = 300
CLIENTS = (1, 8, 32)
COMPACT_EVERY = 1.0  # seconds
WRITERS, WRITES_EACH, KILLED_AFTER = 4, 2_500, 1.0


def run(stage: Stage) -> list[Row]:
    total = patient_tables.total_among(statements.capture(FIRST.path, stage.token).work)
    if total is None:
        raise CannotStart("No statement of the list reads its total alone: tables.total_among must learn how it is read now.")
    rows = [_read(stage, total)]
    boot.migrate()
    rows += [_drift(total)] if stage.options.check_drift else []  # first: the tax switches the upkeep off in between
    rows.append(_tax(stage))
    databases.drop(databases.SCRATCH)
    return rows


def _read(stage: Stage, total: str) -> Row:
    """The statement that HIMS sends for the total, over and over."""
    with psycopg.connect(stage.address, autocommit=True) as database:
        took = [statements.timed(database, [total]) for _ in range(READS)]
        check = _exact(database, total)
    return Row("total, read", checks=[at_most("SQL p50", percentile(took, 50), 0.5, " ms"), check], notes=[_p95(took)])


def _p95(took: Sequence[float]) -> str:
    return f"p95 {percentile(took, 95):.2f} ms."


def _exact(database: psycopg.Connection, total: str) -> Check:
    """Whether what is read is what is counted."""
    read = database.execute(total).fetchone()
    counted = database.execute(patient_tables.LISTED).fetchone()
    assert read
    assert counted
    drift = abs(int(read[-1]) - int(counted[0]))
    return Check("drift = 0", f"{drift} of {counted[0]}", drift == 0)


def _tax(stage: Stage) -> Row:
    """Inserts a second without the total's upkeep through inserts with it, in turn."""
    script = pgbench.script("insert", patient_tables.INSERT)
    taxes, notes = {}, []
    for clients in CLIENTS:
        speeds: dict[bool, list[float]] = {True: [], False: []}
        for number in range(stage.options.rounds):
            for kept in (True, False) if number % 2 else (False, True):
                speeds[kept].append(_inserts(script, clients, stage.options.seconds, kept=kept))
        counted, bare = (percentile(speeds[kept], 50) for kept in (True, False))
        taxes[clients] = bare / counted
        notes.append(f"{clients} clients: {counted:.0f} inserts/s with the upkeep of the total, {bare:.0f} without.")
    checks = [at_most(f"write tax, {CLIENTS[-1]} clients", taxes[CLIENTS[-1]], 1.4, "x")]
    return Row("total, write tax", checks=checks, notes=notes)


@contextmanager
def _compacting() -> Iterator[None]:
    """Fold the total's rows while others write, as a worker does, and ten times as often."""
    over = Event()

    def compact() -> None:
        with psycopg.connect(databases.address(databases.SCRATCH), autocommit=True) as database:
            while not over.wait(COMPACT_EVERY):
                database.execute(patient_tables.COMPACT)

    thread = Thread(target=compact)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _inserts(script: Path, clients: int, seconds: float, *, kept: bool) -> float:
    """Inserts a second, by pgbench into the scratch database."""
    with psycopg.connect(databases.address(databases.SCRATCH), autocommit=True) as database:
        for (trigger,) in database.execute(patient_tables.ROW_COUNTER_TRIGGERS).fetchall():
            database.execute(f"ALTER TABLE {patient_tables.PATIENTS} {'ENABLE' if kept else 'DISABLE'} TRIGGER {trigger}")
    with _compacting():
        return pgbench.speed(databases.SCRATCH, script, clients, seconds)


def _drift(total: str) -> Row:
    """Writers insert, deactivate and roll back; one more is killed at it. Then what is read must be what is counted."""
    with _compacting():
        _write_and_kill()
    with psycopg.connect(databases.address(databases.SCRATCH), autocommit=True) as database:
        return Row("total, drift", checks=[_exact(database, total)], notes=[_DRIFT_NOTE])


_DRIFT_NOTE = (
    f"{WRITERS * WRITES_EACH:,} mixed inserts, deactivations and rollbacks by {WRITERS} writers; "
    "one more was killed with kill -9 at work."
)


def _write_and_kill() -> None:
    doomed = _writer(1_000_000, WRITERS)
    writers = [_writer(WRITES_EACH, seed) for seed in range(WRITERS)]
    time.sleep(KILLED_AFTER)
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    if sum(abs(writer.wait()) for writer in writers):
        raise CannotStart("A writer failed: see the reason above.")


def _writer(count: int, seed: int) -> subprocess.Popen[str]:
    order = {
        "address": databases.address(databases.SCRATCH),
        "table": patient_tables.PATIENTS,
        "insert": patient_tables.INSERT,
        "count": count,
        "seed": seed,
    }
    writer = subprocess.Popen([sys.executable, "-m", "benchmarks.writer"], cwd=paths.PROJECT, stdin=subprocess.PIPE, text=True)
    assert writer.stdin is not None
    json.dump(order, writer.stdin)
    writer.stdin.close()
    return writer
