"""How visits are stored, listed and booked: all that this package knows of the tables of `apps.appointments`.

Columns come from the models. The statements are the floors': what a program of a few lines would send for the same answer.
"""

# ruff: noqa: S608 (table and column names of our own models)

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from django.db import models

from apps.access.roles import Role
from apps.accounts.models import Doctor, User
from apps.appointments import migrations
from apps.appointments.apps import ROW_COUNTER
from apps.appointments.models import Appointment, DoctorSchedule, Room, StatusChange, WorkingHours
from apps.appointments.models.appointments import LIVE
from apps.appointments.queries import prepared
from apps.rest.paging import COUNTED_UP_TO
from benchmarks import patient_tables, schedules

APPOINTMENTS = Appointment._meta.db_table
HISTORY = StatusChange._meta.db_table
APPOINTMENT_COLUMNS = patient_tables.columns(Appointment)
COMPACT = ROW_COUNTER.compact_sql
"""What a worker does every ten seconds: adds the rows of the total together."""


def appointment_line(visit: schedules.AppointmentRow) -> str:
    """A visit as a line of COPY."""
    return _line(APPOINTMENT_COLUMNS, visit)


def staff(schedule: schedules.Schedule) -> Iterable[tuple[str, Iterable[str], list[str]]]:
    """The doctors, their rooms and their weeks: tables, columns and lines of COPY, in the order of their keys."""
    numbers = range(schedule.doctors)
    schedule_rows = [{"doctor_id": schedules.doctor_id(number), "slot_minutes": schedules.MINUTES} for number in numbers]
    practices = [
        {"user_id": schedules.doctor_id(number), "specialty": "Family medicine", "languages": "{en}"} for number in numbers
    ]
    yield _rows(User, [_doctor(number) for number in numbers])
    yield _rows(Doctor, practices)
    yield _rows(Room, [{"id": schedules.room_id(one), "name": f"Room {one + 1}", "location": "Benchmark"} for one in numbers])
    yield _rows(DoctorSchedule, schedule_rows)
    yield _rows(WorkingHours, [_hours(number, weekday) for number in numbers for weekday in range(schedules.WORKING_DAYS)])


def _doctor(number: int) -> dict[str, Any]:
    name = f"bench.doctor.{number + 1}"
    known = {"username": name, "email": f"{name}@example.org", "first_name": "Dr.", "last_name": f"Bench {number + 1}"}
    return known | {"id": schedules.doctor_id(number), "role": Role.DOCTOR.value, "password": "!"}


def _hours(number: int, weekday: int) -> dict[str, Any]:
    return {"schedule_id": schedules.doctor_id(number), "weekday": weekday, "starts": "09:00", "ends": "17:00"}


def _rows(model: type[models.Model], rows: list[dict[str, Any]]) -> tuple[str, Iterable[str], list[str]]:
    known = patient_tables.columns(model)
    if isinstance(model._meta.pk, models.BigAutoField):
        del known[str(model._meta.pk.column)]
    return model._meta.db_table, known, [_line(known, row) for row in rows]


def _line(known: Mapping[str, str], row: Mapping[str, Any]) -> str:
    return (
        "\t".join([patient_tables.text(row.get(name, default)) if name in row else default for name, default in known.items()])
        + "\n"
    )


def fingerprint() -> str:
    """Changes when what would be loaded changes: the generator or the tables."""
    first = next(schedules.Schedule(1_000, date(2026, 1, 5)).block(0))
    parts = [str(schedules.VERSION), appointment_line(first | {"id": ""})]
    parts += [path.read_text() for path in sorted(Path(migrations.__path__[0]).glob("*.py"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


# --- The floors' statements. `%s` are given in the order of the query string; each answers one JSON text. ---

_LISTED = ", ".join(prepared.COLUMNS)
_LIVE = ",".join(LIVE)
_ORDER = "ORDER BY scheduled_time DESC, id DESC"
_OF_DOCTOR = "doctor_id = %s::uuid"
_PERIOD = f"{_OF_DOCTOR} AND scheduled_time >= %s::timestamptz AND scheduled_time < %s::timestamptz"


def _page(where: str, limit: int) -> str:
    total = f"(SELECT count(*) FROM (SELECT FROM {APPOINTMENTS} WHERE {where} LIMIT {COUNTED_UP_TO + 1}) c)"
    return _answer(total, f"WHERE {where} {_ORDER} LIMIT {limit}")


def _answer(total: str, rest: str) -> str:
    rows = f"SELECT {_LISTED} FROM {APPOINTMENTS} {rest}"
    return f"SELECT json_build_object('appointments', coalesce(json_agg(t), '[]'), 'total', {total})::text FROM ({rows}) t"


_ADDED = {
    "id": "gen_random_uuid()",
    "created_at": "now()",
    "updated_at": "now()",
    "patient_id": "%s::uuid",
    "doctor_id": "%s::uuid",
    "scheduled_time": "%s::timestamptz",
    "duration_minutes": str(schedules.MINUTES),
    "ends_at": f"%s::timestamptz + interval '{schedules.MINUTES} minutes'",
}


def insert(table: str = APPOINTMENTS, **values: str) -> str:
    """One more visit; a clash adds nothing. `values` are expressions for columns; the others have those of the models."""
    known = {name: f"'{default}'" for name, default in APPOINTMENT_COLUMNS.items() if default != r"\N"} | _ADDED | values
    return f"INSERT INTO {table} ({', '.join(known)}) SELECT {', '.join(known.values())}"


FLOORS = {
    "day": _page(_PERIOD, 20),
    "day-status": _page(f"{_PERIOD} AND status = %s", 20),
    "week": _page(_PERIOD, 100),
    "doctor": _page(_OF_DOCTOR, 20),
    "newest": _answer("(SELECT sum(total) FROM appointments_rowcounter)", f"{_ORDER} LIMIT 20"),
    "slots": (
        "SELECT json_build_object('taken', (SELECT json_agg(json_build_array(scheduled_time, ends_at) ORDER BY scheduled_time) "
        f"FROM {APPOINTMENTS} WHERE {_PERIOD} AND status = ANY('{{{_LIVE}}}')), 'hours', "
        f"(SELECT json_agg(h) FROM {WorkingHours._meta.db_table} h WHERE schedule_id = %s::uuid))::text"
    ),
}
