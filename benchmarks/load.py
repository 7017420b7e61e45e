"""Puts the patients and their appointments into a database by COPY, once: a marker records what was loaded."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from multiprocessing import get_context
from typing import Any

import psycopg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from apps.common import clock
from benchmarks import appointment_tables, consultation_tables, patient_tables, people, schedules

PROCESSES = 2
CHUNK = 10  # blocks copied in one transaction

KEEPS = timedelta(weeks=6)  # then all future appointments are past, and everything is loaded anew

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS bench;
CREATE TABLE bench.row_count (rows bigint);
CREATE TABLE bench.marker (rows bigint, fingerprint text, first_seq bigint, first_mrn bigint, monday date);
"""
_AFTERWARDS = (f"INSERT INTO bench.row_count {patient_tables.LISTED}", appointment_tables.COMPACT, consultation_tables.COMPACT)


@dataclass(frozen=True)
class Loaded:
    """What a database contains: so many patients, whose first ones have these numbers; appointments around this Monday."""

    rows: int
    first_seq: int
    first_mrn: int
    monday: date

    @property
    def schedule(self) -> schedules.Schedule:
        return schedules.Schedule(self.rows, self.monday)

    def sample(self, count: int) -> list[people.Person]:
        """Patients from all over."""
        return people.sample(self.rows, count, first_seq=self.first_seq, first_mrn=self.first_mrn)


def already_loaded(address: str) -> Loaded | None:
    """What was loaded into the database, unless nothing, by another generator than this, or too long ago."""
    with psycopg.connect(address) as connection:
        if connection.execute("SELECT to_regclass('bench.marker') IS NULL").fetchone() == (True,):
            return None
        row = connection.execute("SELECT fingerprint, to_jsonb(m) - 'fingerprint' FROM bench.marker m").fetchone()
    if row is None or row[0] != fingerprint():
        return None
    loaded = Loaded(**row[1] | {"monday": date.fromisoformat(row[1]["monday"])})
    return loaded if clock.today() - loaded.monday < KEEPS else None


def fingerprint() -> str:
    """Changes when what would be loaded changes."""
    return f"{patient_tables.fingerprint()} {appointment_tables.fingerprint()} {consultation_tables.fingerprint()}"


def load(address: str, rows: int) -> Loaded:
    """Fill a migrated database; its sample patients keep their numbers, ours come after them. Shows its progress."""
    with psycopg.connect(address) as connection:
        connection.execute(_SCHEMA)
        firsts = {name: _next(connection, sequence) for name, sequence in patient_tables.SEQUENCES.items()}
        loaded = Loaded(rows, **firsts, monday=schedules.monday_of(clock.today()))
        for table, columns, lines in appointment_tables.staff(loaded.schedule):
            send(connection, table, columns, lines)
    with _without_indexes(address, patient_tables.WORDS):
        _copy_all("Patients", loaded, partial(_copy_people, address, loaded))
    with _without_indexes(address, appointment_tables.APPOINTMENTS):
        _copy_all("Appointments of patients", loaded, partial(_copy_visits, address, loaded))
    with _open_to_loading(address):
        _copy_all("Consultations of patients", loaded, partial(_copy_consultations, address, loaded))
    with psycopg.connect(address, autocommit=True) as connection:
        _settle(connection, loaded)
    return loaded


def _next(connection: psycopg.Connection, sequence: str) -> int:
    row = connection.execute("SELECT nextval(%s)", [sequence]).fetchone()
    assert row is not None
    return int(row[0])


def _copy_all(what: str, loaded: Loaded, copy: Callable[[range], int]) -> None:
    blocks = people.blocks(loaded.rows)
    chunks = [blocks[start : start + CHUNK] for start in range(0, len(blocks), CHUNK)]
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("fork")) as pool:
        waiting = [pool.submit(copy, chunk) for chunk in chunks]
        with Progress(*columns) as progress:
            bar = progress.add_task("", total=loaded.rows)
            for one in waiting:
                progress.advance(bar, one.result())


def _copy_people(address: str, loaded: Loaded, blocks: range) -> int:
    """Writes a chunk of patients in one transaction. Returns their number."""
    first = {"first_seq": loaded.first_seq, "first_mrn": loaded.first_mrn, "of": loaded.rows}
    with psycopg.connect(address, options="-c synchronous_commit=off") as connection:
        crowd = [person for block in blocks for person in people.persons(block, **first)]
        send(connection, patient_tables.PATIENTS, patient_tables.PATIENT_COLUMNS, map(patient_tables.patient_line, crowd))
        send(connection, patient_tables.WORDS, patient_tables.WORD_COLUMNS, map(patient_tables.word_lines, crowd))
    return len(crowd)


def _copy_visits(address: str, loaded: Loaded, blocks: range) -> int:
    """Writes the appointments of a chunk in one transaction. Returns the number of patients."""
    with psycopg.connect(address, options="-c synchronous_commit=off") as connection:
        lines = [appointment_tables.appointment_line(visit) for block in blocks for visit in loaded.schedule.block(block)]
        send(connection, appointment_tables.APPOINTMENTS, appointment_tables.APPOINTMENT_COLUMNS, lines)
    return len(lines) // schedules.EACH


def _copy_consultations(address: str, loaded: Loaded, blocks: range) -> int:
    """Writes the consultations of a chunk in one transaction. Returns the number of patients."""
    seen = [visit for block in blocks for visit in loaded.schedule.block(block)]
    rows = [consultation for visit in seen if (consultation := consultation_tables.of(visit))]
    with psycopg.connect(address, options="-c synchronous_commit=off") as connection:
        send_consultations(connection, rows)
    return len(seen) // schedules.EACH


def send_consultations(connection: psycopg.Connection, rows: list[dict[str, Any]]) -> None:
    """Signed visits with their steps and their history."""
    send(
        connection,
        consultation_tables.CONSULTATIONS,
        consultation_tables.COLUMNS,
        (consultation_tables.line(consultation_tables.COLUMNS, row) for row in rows),
    )
    steps = (
        consultation_tables.line(consultation_tables.STEP_COLUMNS, step)
        for row in rows
        for step in consultation_tables.steps_of(row)
    )
    send(connection, consultation_tables.STEPS, consultation_tables.STEP_COLUMNS, steps)
    status_changes = (
        consultation_tables.line(consultation_tables.STATUS_CHANGE_COLUMNS, one)
        for row in rows
        for one in consultation_tables.status_changes_of(row)
    )
    send(connection, consultation_tables.STATUS_CHANGES, consultation_tables.STATUS_CHANGE_COLUMNS, status_changes)


@contextmanager
def _open_to_loading(address: str) -> Iterator[None]:
    """The tables of consultations without indexes, and without the trigger that keeps a signed visit's steps."""
    trigger, table = consultation_tables.OPEN_ONLY
    with ExitStack() as stack:
        for one in (consultation_tables.CONSULTATIONS, consultation_tables.STEPS, consultation_tables.STATUS_CHANGES):
            stack.enter_context(_without_indexes(address, one))
        with psycopg.connect(address) as connection:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        yield
        with psycopg.connect(address) as connection:
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


def send(connection: psycopg.Connection, table: str, columns: Iterable[str], lines: Iterable[str]) -> None:
    """Lines of COPY into a table."""
    with connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        copy.write("".join(lines))


# What refers to rows comes last. A key that other tables refer to stays where it is.
_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint c
WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'x', 'f')
    AND NOT EXISTS (
        SELECT FROM pg_constraint other WHERE other.contype = 'f' AND other.conindid = c.conindid AND c.contype <> 'f')
ORDER BY contype = 'f'
"""
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
WHERE i.indrelid = %s::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""


@contextmanager
def _without_indexes(address: str, table: str) -> Iterator[None]:
    """Take a table's indexes away and build them again afterwards: half the time, and as dense as after a REINDEX."""
    with psycopg.connect(address) as connection:
        keys = connection.execute(_CONSTRAINTS, [table]).fetchall()
        indexes = connection.execute(_INDEXES, [table]).fetchall()
        for name, _ in keys:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
    yield
    with psycopg.connect(address, options="-c maintenance_work_mem=512MB") as connection:
        for name, definition in keys:
            connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        for _, definition in indexes:
            connection.execute(definition)


def _settle(connection: psycopg.Connection, loaded: Loaded) -> None:
    """Move the sequences past what was loaded, index, vacuum, and write the marker last."""
    for name, sequence in patient_tables.SEQUENCES.items():
        connection.execute("SELECT setval(%s, %s)", [sequence, getattr(loaded, name) + loaded.rows - 1])
    connection.execute("SET maintenance_work_mem = '512MB'")
    for statement in (*patient_tables.AFTER_LOADING, *_AFTERWARDS, "VACUUM (ANALYZE)", patient_tables.NOTE_COMMON, "CHECKPOINT"):
        connection.execute(statement)
    values = [loaded.rows, fingerprint(), loaded.first_seq, loaded.first_mrn, loaded.monday]
    connection.execute("INSERT INTO bench.marker VALUES (%s, %s, %s, %s, %s)", values)
