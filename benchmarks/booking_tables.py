"""Two copies of the table of visits, of the same size: one has the constraints against double bookings, the other does not."""

# ruff: noqa: S608 (table names are our own)

import re

import psycopg

from benchmarks import appointment_tables
from benchmarks.stage import Stage

GUARDED, BARE = "bench.guarded", "bench.bare"
_KEYS = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND (contype IN ('p', 'u') OR contype = 'x' AND %s)
"""
_INDEXES = """
SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i
WHERE i.indrelid = %s::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""


def create_copies(stage: Stage) -> None:
    """The copies are made where this run has not made them, and go with it."""
    with psycopg.connect(stage.address, autocommit=True) as database:
        if database.execute("SELECT to_regclass(%s)", [BARE]).fetchone() == (None,):
            stage.stack.callback(drop, stage.address)
            database.execute("SET maintenance_work_mem = '512MB'")
            for table in (GUARDED, BARE):
                _copy(database, table)


def drop(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as database:
        database.execute(f"DROP TABLE IF EXISTS {GUARDED}, {BARE}")
        database.execute("DROP SEQUENCE IF EXISTS bench.slot")


def _copy(database: psycopg.Connection, table: str) -> None:
    database.execute(f"DROP TABLE IF EXISTS {table}")
    database.execute(f"CREATE TABLE {table} (LIKE {appointment_tables.APPOINTMENTS} INCLUDING CONSTRAINTS)")
    database.execute(f"INSERT INTO {table} SELECT * FROM {appointment_tables.APPOINTMENTS}")
    for (definition,) in database.execute(_KEYS, [appointment_tables.APPOINTMENTS, table == GUARDED]).fetchall():
        database.execute(f"ALTER TABLE {table} ADD {definition}")
    for (definition,) in database.execute(_INDEXES, [appointment_tables.APPOINTMENTS]).fetchall():
        database.execute(re.sub(r"INDEX \S+ ON \S+", f"INDEX ON {table}", definition))
    database.execute("CREATE SEQUENCE IF NOT EXISTS bench.slot")
    database.execute(f"VACUUM (ANALYZE) {table}")


def _uuid(kind: int, number: str) -> str:
    return f"('{kind}0000000-0000-4000-8000-' || lpad(to_hex(({number})::bigint), 12, '0'))::uuid"


def spread(table: str, doctors: int) -> str:
    """Returns SQL that books the next free slot of the next doctor, with a patient and a room."""
    who, at = f"(n % {doctors})", f"timestamptz '2040-01-02' + n / {doctors} * interval '30 minutes'"
    return (
        appointment_tables.insert(
            table,
            patient_id=_uuid(1, who),
            doctor_id=_uuid(2, who),
            room_id=_uuid(3, who),
            scheduled_time=at,
            ends_at=f"{at} + interval '30 minutes'",
        )
        + " FROM nextval('bench.slot') n ON CONFLICT DO NOTHING;"
    )


_AT = "timestamptz '2040-01-02' + :slot::bigint * interval '30 minutes'"
_END = f"{_AT} + interval '30 minutes'"
_DICE = "\\set slot random(1, 1000000)\n\\set patient random(1, 1000000)\n"


def hot(table: str) -> str:
    """Book any slot of one doctor, as the service does: in one statement, and the constraints decide."""
    return f"{_DICE}{_hot(table)} ON CONFLICT DO NOTHING;"


def hot_in_line(table: str, doctor: object) -> str:
    """The same as it is often written: hold the doctor's row, look, insert."""
    free = f"NOT EXISTS (SELECT FROM {table} WHERE doctor_id = {_uuid(2, '0')} AND scheduled_time < {_END} AND ends_at > {_AT}"
    look = f"{free} AND scheduled_time > {_AT} - interval '8 hours' AND status IN ('scheduled', 'confirmed'))"
    lock = f"SELECT id FROM accounts_user WHERE id = '{doctor}' FOR UPDATE"
    return f"{_DICE}BEGIN;\n{lock};\n{_hot(table)} WHERE {look};\nCOMMIT;"


def _hot(table: str) -> str:
    whose = {"patient_id": _uuid(1, ":patient"), "doctor_id": _uuid(2, "0")}
    return appointment_tables.insert(table, **whose, scheduled_time=_AT, ends_at=_END)
