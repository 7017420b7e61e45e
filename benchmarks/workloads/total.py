"""The exact total: what reading it costs, what writes pay for it, and whether it is still exact after everything."""

# ruff: noqa: S603, S608 (commands and table names are our own)

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from benchmarks import databases, tables
from benchmarks.measure import percentile
from benchmarks.outcome import Check, Row, at_most
from benchmarks.stage import Stage
from benchmarks.workloads import boot
from hims.launch import binaries, places
from hims.launch.errors import CannotStart

READS = 300
CLIENTS = (1, 8, 32)
WRITERS, WRITES_EACH, KILLED_AFTER = 4, 2_500, 1.0


def run(stage: Stage) -> list[Row]:
    with psycopg.connect(stage.address, autocommit=True) as database:
        took = [_read(database) for _ in range(READS)]
    rows = [
        Row(
            "total, read",
            checks=[at_most("SQL p50", percentile(took, 50), 0.5, " ms")],
            notes=[f"p95 {percentile(took, 95):.2f} ms."],
        )
    ]
    boot.migrate()
    rows += [_drift()] if stage.options.check_drift else []  # first: the tax is measured with the upkeep switched off in between
    rows.append(_tax(stage))
    databases.drop(databases.SCRATCH)
    return rows


def _read(database: psycopg.Connection) -> float:
    began = time.perf_counter()
    database.execute(tables.TOTAL, prepare=False).fetchone()
    return (time.perf_counter() - began) * 1000


def _tax(stage: Stage) -> Row:
    """Inserts a second without the total's upkeep through inserts with it, in turn."""
    script = places.data_dir() / "insert.sql"
    script.write_text(tables.INSERT)
    script.chmod(0o644)
    taxes, notes = {}, []
    for clients in CLIENTS:
        speeds: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(stage.options.rounds):
            for kept in (True, False):
                speeds[kept].append(_inserts(script, clients, stage.options.seconds, kept=kept))
        counted, bare = (percentile(speeds[kept], 50) for kept in (True, False))
        taxes[clients] = bare / counted
        notes.append(f"{clients} clients: {counted:.0f} inserts/s with the upkeep of the total, {bare:.0f} without.")
    checks = [at_most(f"write tax, {CLIENTS[-1]} clients", taxes[CLIENTS[-1]], 1.4, "x")]
    return Row("total, write tax", checks=checks, notes=notes)


def _inserts(script: Path, clients: int, seconds: float, *, kept: bool) -> float:
    """Inserts a second, by pgbench into the scratch database."""
    with psycopg.connect(databases.address(databases.SCRATCH), autocommit=True) as database:
        for (trigger,) in database.execute(tables.TALLY_TRIGGERS).fetchall():
            database.execute(f"ALTER TABLE {tables.PATIENTS} {'ENABLE' if kept else 'DISABLE'} TRIGGER {trigger}")
    program = binaries.find_postgres().folder / "pgbench"
    if not program.exists():
        raise CannotStart(f"There is no pgbench in {program.parent}: the write tax cannot be measured.")
    server = ["-h", str(places.socket_dir()), "-p", str(places.POSTGRES_PORT), "-U", places.DATABASE, databases.SCRATCH]
    load = [
        "-n",
        "-M",
        "prepared",
        "-c",
        str(clients),
        "-j",
        str(min(clients, 2)),
        "-T",
        str(max(1, round(seconds))),
        "-f",
        str(script),
    ]
    said = subprocess.run([str(program), *load, *server], capture_output=True, text=True, check=False)
    speed = re.search(r"tps = ([\d.]+)", said.stdout)
    if speed is None:
        raise CannotStart(f"pgbench failed: {said.stderr[-1000:]}")
    return float(speed[1])


def _drift() -> Row:
    """Writers insert, deactivate and roll back; one more is killed at it. Then what is read must be what is counted."""
    with psycopg.connect(databases.address(databases.SCRATCH), autocommit=True) as database:
        _write_and_kill()
        read = database.execute(tables.TOTAL).fetchone()
        counted = database.execute(f"SELECT count(*) FROM {tables.PATIENTS}").fetchone()
    assert read
    assert counted
    drift = abs(int(read[0]) - int(counted[0]))
    return Row("total, drift", checks=[Check("drift = 0", f"{drift} of {counted[0]}", drift == 0)], notes=[_SAID])


_SAID = (
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
        raise CannotStart("A writer failed: the reason stands above.")


def _writer(count: int, seed: int) -> subprocess.Popen:
    order = {
        "address": databases.address(databases.SCRATCH),
        "table": tables.PATIENTS,
        "insert": tables.INSERT,
        "count": count,
        "seed": seed,
    }
    writer = subprocess.Popen([sys.executable, "-m", "benchmarks.writer"], cwd=places.PROJECT, stdin=subprocess.PIPE, text=True)
    assert writer.stdin is not None
    json.dump(order, writer.stdin)
    writer.stdin.close()
    return writer
