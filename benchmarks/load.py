"""Puts the patients and their appointments into a database by COPY, once: a marker says what stands there."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import psycopg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import people, tables

PROCESSES = 2
CHUNK = 10  # blocks copied in one transaction

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS bench;
CREATE TABLE bench.appointment (
    id bigint, patient_seq bigint, patient_id uuid, doctor smallint, starts_at timestamptz, ends_at timestamptz, status text
);
CREATE TABLE bench.tally (rows bigint);
CREATE TABLE bench.marker (rows bigint, fingerprint text, first_seq bigint, first_mrn bigint);
"""
_AFTERWARDS = (
    "ALTER TABLE bench.appointment ADD PRIMARY KEY (id)",
    "CREATE INDEX ON bench.appointment (doctor, starts_at)",
    "CREATE INDEX ON bench.appointment (patient_seq)",
    f"INSERT INTO bench.tally {tables.LISTED}",
)


@dataclass(frozen=True)
class Loaded:
    """What stands in a database: so many patients, the first of which got these numbers."""

    rows: int
    first_seq: int
    first_mrn: int

    def sample(self, count: int) -> list[people.Person]:
        """Patients from all over."""
        return people.sample(self.rows, count, first_seq=self.first_seq, first_mrn=self.first_mrn)


def what_stands(address: str) -> Loaded | None:
    """What was loaded into the database, unless nothing, or by another generator than this."""
    with psycopg.connect(address) as connection:
        if connection.execute("SELECT to_regclass('bench.marker') IS NULL").fetchone() == (True,):
            return None
        row = connection.execute("SELECT rows, first_seq, first_mrn, fingerprint FROM bench.marker").fetchone()
    return Loaded(*row[:3]) if row and row[3] == tables.fingerprint() else None


def load(address: str, rows: int) -> Loaded:
    """Fill a migrated database; its sample patients keep their numbers, ours come after them. Shows its progress."""
    with psycopg.connect(address) as connection:
        connection.execute(_SCHEMA)
        loaded = Loaded(rows, **{name: _next(connection, sequence) for name, sequence in tables.SEQUENCES.items()})
    with _without_indexes(address, tables.WORDS):
        _copy_all(address, loaded)
    with psycopg.connect(address, autocommit=True) as connection:
        _settle(connection, loaded)
    return loaded


def _next(connection: psycopg.Connection, sequence: str) -> int:
    row = connection.execute("SELECT nextval(%s)", [sequence]).fetchone()
    assert row is not None
    return row[0]


def _copy_all(address: str, loaded: Loaded) -> None:
    blocks = people.blocks(loaded.rows)
    chunks = [blocks[start : start + CHUNK] for start in range(0, len(blocks), CHUNK)]
    columns = (TextColumn("Patients and appointments"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("fork")) as pool:
        waiting = [pool.submit(_copy, address, loaded, chunk) for chunk in chunks]
        with Progress(*columns) as progress:
            bar = progress.add_task("", total=loaded.rows)
            for one in waiting:
                progress.advance(bar, one.result())


def _copy(address: str, loaded: Loaded, blocks: range) -> int:
    """One chunk, in one transaction. Answers how many patients it has."""
    first = {"first_seq": loaded.first_seq, "of": loaded.rows}
    with psycopg.connect(address, options="-c synchronous_commit=off") as connection:
        crowd = [person for block in blocks for person in people.persons(block, first_mrn=loaded.first_mrn, **first)]
        _send(connection, tables.PATIENTS, tables.PATIENT_COLUMNS, map(tables.patient_line, crowd))
        _send(connection, tables.WORDS, tables.WORD_COLUMNS, map(tables.word_lines, crowd))
        visits = (visit for block in blocks for visit in people.visits(block, **first))
        _send(connection, "bench.appointment", (), ("\t".join(visit) + "\n" for visit in visits))
    return len(crowd)


def _send(connection: psycopg.Connection, table: str, columns: object, lines: Iterator[str]) -> None:
    named = f"({', '.join(columns)})" if columns else ""  # type: ignore[arg-type]
    with connection.cursor().copy(f"COPY {table} {named} FROM STDIN") as copy:
        copy.write("".join(lines))


_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('p', 'u')
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
    for name, sequence in tables.SEQUENCES.items():
        connection.execute("SELECT setval(%s, %s)", [sequence, getattr(loaded, name) + loaded.rows - 1])
    connection.execute("SET maintenance_work_mem = '512MB'")
    for statement in (*tables.AFTER_LOADING, *_AFTERWARDS, "VACUUM (ANALYZE)", tables.NOTE_COMMON, "CHECKPOINT"):
        connection.execute(statement)
    values = [loaded.rows, tables.fingerprint(), loaded.first_seq, loaded.first_mrn]
    connection.execute("INSERT INTO bench.marker VALUES (%s, %s, %s, %s)", values)
