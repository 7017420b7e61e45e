"""Free slots for bookings that must succeed: in years without other appointments, each used once, all removed afterwards."""

# ruff: noqa: S608 (table names are our own)

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from math import ceil
from urllib.parse import urlencode
from uuid import UUID, uuid4

import psycopg

from apps.appointments.models.appointments import LIVE
from apps.patients.confidentiality.models import CareTeamMember
from benchmarks import appointment_tables, schedules
from benchmarks.load import Loaded
from benchmarks.measure import Request

FIRST = date(2040, 1, 2)  # a Monday
FROM = datetime(2040, 1, 1, tzinfo=UTC)
EACH = 4  # patients of a doctor; each comes at every fourth slot
FASTEST = {"hims": 1_000, "floor": 5_000}  # answers a second that no server reaches
_TEAM = CareTeamMember._meta.db_table


class Slots:
    """The slots of one database. Every doctor has their own patients, seen before."""

    def __init__(self, loaded: Loaded, address: str) -> None:
        self.address, self.schedule = address, loaded.schedule
        sample = loaded.sample(min(loaded.rows, self.schedule.doctors * EACH * 2 + 100))
        self.patients = [one["id"] for one in sample if one["is_active"] == "t"]
        self.turn = count()

    def next(self) -> tuple[UUID, str, datetime]:
        """Returns a doctor, a patient and a free time."""
        place, doctor = divmod(next(self.turn), self.schedule.doctors)
        return schedules.doctor_id(doctor), self._patient(doctor, place), time_of(place)

    def bookings(self, connections: int, seconds: float) -> list[Request]:
        """Bookings over the API, more than can be answered in that time."""
        return [booking(*self.next()) for _ in range(_enough("hims", connections, seconds))]

    def bare(self, statement: str) -> Callable[[int, float], list[Request]]:
        """The same for a floor."""
        return lambda connections, seconds: [
            _bare(statement, *self.next()) for _ in range(_enough("floor", connections, seconds))
        ]

    @contextmanager
    def kept(self) -> Iterator["Slots"]:
        """Keeps what is booked in the block until its end, and then removes it."""
        self._take_back()
        with psycopg.connect(self.address, autocommit=True) as database:
            pairs = {
                (self._patient(doctor, place), schedules.doctor_id(doctor)) for doctor in self._all() for place in range(EACH)
            }
            columns = "patient_id, user_id, because, added_at"
            team = f"INSERT INTO {_TEAM} ({columns}) VALUES (%s, %s, 'visit', %s) ON CONFLICT DO NOTHING"
            database.cursor().executemany(team, [(*pair, FROM) for pair in pairs])
        try:
            yield self
        finally:
            self._take_back()

    def _all(self) -> range:
        return range(self.schedule.doctors)

    def _patient(self, doctor: int, place: int) -> str:
        return self.patients[(doctor * EACH + place % EACH) % len(self.patients)] or ""

    def _take_back(self) -> None:
        ours = f"SELECT id FROM {appointment_tables.APPOINTMENTS} WHERE scheduled_time >= %s"
        with psycopg.connect(self.address, autocommit=True) as database:
            database.execute(f"DELETE FROM {appointment_tables.HISTORY} WHERE appointment_id IN ({ours})", [FROM])
            database.execute("DELETE FROM events_outboxevent WHERE relayed_at IS NULL AND name = 'appointment.created'")
            database.execute("DELETE FROM events_outboxevent WHERE relayed_at IS NULL AND name LIKE '%care_team%'")
            database.execute(f"DELETE FROM {appointment_tables.APPOINTMENTS} WHERE scheduled_time >= %s", [FROM])
            database.execute(f"DELETE FROM {_TEAM} WHERE because = 'visit' AND user_id = ANY(%s)", [self._doctors()])
            database.execute(appointment_tables.COMPACT)
            database.execute(f"VACUUM (ANALYZE) {appointment_tables.APPOINTMENTS}")

    def _doctors(self) -> list[UUID]:
        return [schedules.doctor_id(number) for number in self._all()]


def time_of(place: int) -> datetime:
    """Returns the start of the slot of this number in any doctor's schedule of those years."""
    day, slot = divmod(place, schedules.SLOTS_A_DAY)
    weeks, weekday = divmod(day, schedules.WORKING_DAYS)
    return schedules.opening(FIRST + timedelta(weeks=weeks, days=weekday)) + timedelta(minutes=schedules.MINUTES * slot)


def booking(doctor: UUID, patient: str, at: datetime) -> Request:
    body = {
        "patient_id": patient,
        "doctor_id": str(doctor),
        "scheduled_time": at.isoformat(),
        "duration_minutes": schedules.MINUTES,
    }
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    return Request("/v1/appointments", "POST", json.dumps(body), headers)


def _bare(statement: str, doctor: UUID, patient: str, at: datetime) -> Request:
    values = {"patient": patient, "doctor": doctor, "at": at.isoformat(), "key": uuid4()}
    return Request(f"/{statement}?{urlencode(values)}")


def _enough(whose: str, connections: int, seconds: float) -> int:
    """So many that no connection comes to where another began."""
    return connections * (ceil(FASTEST[whose] * seconds / connections) + 50)


def booked(address: str) -> int:
    """Visits that stand in those years."""
    with psycopg.connect(address) as database:
        row = database.execute(
            f"SELECT count(*) FROM {appointment_tables.APPOINTMENTS} WHERE scheduled_time >= %s", [FROM]
        ).fetchone()
    return row[0] if row else 0


def overlaps(address: str) -> int:
    """Pairs of live visits in those years that meet at a doctor's or at a patient's."""
    pairs = f"""
    SELECT count(*) FROM {appointment_tables.APPOINTMENTS} a JOIN {appointment_tables.APPOINTMENTS} b ON a.id < b.id
        AND (a.doctor_id = b.doctor_id OR a.patient_id = b.patient_id)
        AND a.scheduled_time < b.ends_at AND b.scheduled_time < a.ends_at
    WHERE a.scheduled_time >= %s AND b.scheduled_time >= %s AND a.status = ANY(%s) AND b.status = ANY(%s)"""
    live: Sequence[str] = LIVE
    with psycopg.connect(address) as database:
        row = database.execute(pairs, [FROM, FROM, live, live]).fetchone()
    return row[0] if row else 0
