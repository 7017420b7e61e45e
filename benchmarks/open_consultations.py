"""Appointments for starting consultations and saving steps: in years before the others, and all removed afterwards."""

# ruff: noqa: S608 (table names are our own)

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import ceil
from urllib.parse import urlencode
from uuid import UUID

import psycopg

from apps.consultations.apps import ROW_COUNTER
from apps.patients.confidentiality.models import CareTeamMember
from benchmarks import appointment_tables, consultation_tables
from benchmarks.load import Loaded
from benchmarks.measure import CONNECTIONS, Request

FROM, UNTIL = datetime(1950, 1, 2, tzinfo=UTC), datetime(1990, 1, 1, tzinfo=UTC)
PATIENTS = 200
LIVE_EACH = 12  # visits of a connection, in which it saves in turn
FASTEST = {"hims": 400, "floor": 2_500}  # answers a second that no server reaches
_TEAM = CareTeamMember._meta.db_table
_GUARDS = {
    consultation_tables.CONSULTATIONS: "consultations_keep_signed",
    consultation_tables.STEPS: "consultations_only_added",
    consultation_tables.STATUS_CHANGES: "consultations_only_added",
}
_JSON = {"Content-Type": "application/json"}
_AT = f"timestamptz '{FROM:%Y-%m-%d}' + n * interval '30 minutes'"


class OpenConsultations:
    """Of one database. The doctor is the one who signs in."""

    def __init__(self, loaded: Loaded, address: str, doctor: str) -> None:
        self.address, self.booked, self.saved = address, 0, 0
        self.live: list[UUID] = []
        sample = loaded.sample(min(loaded.rows, 2 * PATIENTS))
        self.patients = [one["id"] for one in sample if one["is_active"] == "t"][:PATIENTS]
        with psycopg.connect(address) as database:
            row = database.execute("SELECT id FROM accounts_user WHERE username = %s", [doctor]).fetchone()
        assert row is not None
        self.doctor: UUID = row[0]

    def starts(self, connections: int, seconds: float) -> list[Request]:
        """Consultations to begin over the API, more than can be begun in that time."""
        return [starting(*one) for one in self._waiting(_enough("hims", connections, seconds))]

    def bare_starts(self, connections: int, seconds: float) -> list[Request]:
        """The same for the floor."""
        return [_bare("e-start", appointment=one) for one, _ in self._waiting(_enough("floor", connections, seconds))]

    def saves(self, connections: int, seconds: float) -> list[Request]:
        """A step of a visit with several, never the same twice running; no two connections are in one visit."""
        return [saving(visit, data) for visit, data in self._typed(connections, _enough("hims", connections, seconds))]

    def bare_saves(self, connections: int, seconds: float) -> list[Request]:
        typed = self._typed(connections, _enough("floor", connections, seconds))
        return [_bare("e-save", visit=one, data=json.dumps(data)) for one, data in typed]

    def sample(self, count: int) -> list[UUID]:
        """Signed consultations from all over."""
        query = f"SELECT id FROM {consultation_tables.CONSULTATIONS} WHERE status = 'completed' ORDER BY md5(id::text) LIMIT %s"
        with psycopg.connect(self.address) as database:
            return [one for (one,) in database.execute(query, [count]).fetchall()]

    @contextmanager
    def kept(self) -> Iterator["OpenConsultations"]:
        """Keeps what starts in the block until its end, and then removes it."""
        self._take_back()
        team = f"INSERT INTO {_TEAM} (patient_id, user_id, because, added_at) VALUES (%s, %s, 'visit', %s) ON CONFLICT DO NOTHING"
        with psycopg.connect(self.address, autocommit=True) as database:
            database.cursor().executemany(team, [(one, self.doctor, FROM) for one in self.patients])
            self.live = [self._begun(database, one) for one, _ in self._waiting(LIVE_EACH * CONNECTIONS)]
        try:
            yield self
        finally:
            self._take_back()

    def compact(self) -> None:
        """Sums up the rows of the counter, as a worker does every ten seconds. Without it, a list counts every write so far."""
        with psycopg.connect(self.address, autocommit=True) as database:
            database.execute(consultation_tables.COMPACT)
            database.execute(f"VACUUM {ROW_COUNTER.table}")

    def _waiting(self, count: int) -> list[tuple[UUID, UUID]]:
        """So many checked-in appointments, and whose they are."""
        row = {
            "patient_id": "(%(patients)s::uuid[])[1 + n %% %(many)s]",
            "doctor_id": "%(doctor)s::uuid",
            "scheduled_time": _AT,
            "ends_at": f"{_AT} + interval '30 minutes'",
            "status": "'checked_in'",
            "checked_in_at": "now()",
        }
        parameters = {"patients": self.patients, "many": len(self.patients), "doctor": self.doctor}
        parameters |= {"first": self.booked, "last": self.booked + count - 1}
        self.booked += count
        sql = f"{appointment_tables.insert(**row)} FROM generate_series(%(first)s::int, %(last)s::int) n RETURNING id, patient_id"
        with psycopg.connect(self.address) as database:
            return [(one, whose) for one, whose in database.execute(sql, parameters).fetchall()]

    def _begun(self, database: psycopg.Connection, appointment: UUID) -> UUID:
        """A visit in progress, with all the steps but the vital signs."""
        row = database.execute(consultation_tables.FLOORS["visit-start"], [appointment]).fetchone()
        assert row is not None
        visit = json.loads(row[0])
        steps = [one for one in consultation_tables.steps_of({**visit, "content_sha256": "0"}) if one["number"] != 1]
        columns = {**consultation_tables.STEP_COLUMNS, "outcome": "{}"}
        insert = f"INSERT INTO {consultation_tables.STEPS} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"
        database.cursor().executemany(insert, [[one.get(name, "{}") for name in columns] for one in steps])
        return UUID(visit["id"])

    def _typed(self, connections: int, count: int) -> Iterator[tuple[UUID, dict[str, object]]]:
        each = count // connections
        for connection in range(connections):
            mine = self.live[connection % CONNECTIONS * LIVE_EACH :][:LIVE_EACH]
            for turn in range(each):
                self.saved += 1
                pulse = 50 + (self.saved + turn // LIVE_EACH) % 50
                yield mine[turn % LIVE_EACH], {"bp": f"{110 + self.saved % 30}/75", "pulse": pulse, "temperature_c": 36.8}

    def _take_back(self) -> None:
        """A consultation is never deleted: its guards step aside for these, within the transaction."""
        ours = f"SELECT id FROM {appointment_tables.APPOINTMENTS} WHERE scheduled_time >= %s AND scheduled_time < %s"
        begun = f"SELECT id FROM {consultation_tables.CONSULTATIONS} WHERE appointment_id IN ({ours})"
        when = [FROM, UNTIL]
        with psycopg.connect(self.address) as database:
            database.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table, guard in _GUARDS.items():
                database.execute(f"ALTER TABLE {table} DISABLE TRIGGER {guard}")
            for table in (consultation_tables.STEPS, consultation_tables.STATUS_CHANGES):
                database.execute(f"DELETE FROM {table} WHERE consultation_id IN ({begun})", when)
            database.execute(f"DELETE FROM {consultation_tables.CONSULTATIONS} WHERE appointment_id IN ({ours})", when)
            for table, guard in _GUARDS.items():
                database.execute(f"ALTER TABLE {table} ENABLE TRIGGER {guard}")
            database.execute(f"DELETE FROM {appointment_tables.HISTORY} WHERE appointment_id IN ({ours})", when)
            database.execute(
                f"DELETE FROM {appointment_tables.APPOINTMENTS} WHERE scheduled_time >= %s AND scheduled_time < %s", when
            )
            database.execute(
                f"DELETE FROM {_TEAM} WHERE user_id = %s AND patient_id = ANY(%s::uuid[])", [self.doctor, self.patients]
            )
            waiting = "relayed_at IS NULL AND (name LIKE 'consultation.%%' OR name = 'appointment.updated')"
            database.execute(f"DELETE FROM events_outboxevent WHERE {waiting}", [])
        with psycopg.connect(self.address, autocommit=True) as database:
            for statement in (
                appointment_tables.COMPACT,
                consultation_tables.COMPACT,
                *(f"VACUUM (ANALYZE) {table}" for table in _GUARDS),
            ):
                database.execute(statement)


def starting(appointment: UUID, patient: UUID) -> Request:
    body = {"patient_id": str(patient), "appointment_id": str(appointment), "workflow_type": "adaptive"}
    return Request("/v1/consultations", "POST", json.dumps(body), _JSON)


def saving(visit: UUID, data: dict[str, object]) -> Request:
    return Request(f"/v1/consultations/{visit}/step", "PUT", json.dumps({"step_number": 1, "step_data": data}), _JSON)


def _bare(statement: str, **values: object) -> Request:
    return Request(f"/{statement}?{urlencode(values)}")


def _enough(whose: str, connections: int, seconds: float) -> int:
    """So many that no connection comes to where another began."""
    return connections * (ceil(FASTEST[whose] * seconds / connections) + 50)
