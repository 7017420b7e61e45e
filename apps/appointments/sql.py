"""Claims: a time for an appointment, and a number in the queue of a day."""

from datetime import date

from django.db import connection

from apps.appointments.models import Appointment
from apps.common import prepared

_COLUMNS = [str(field.column) for field in Appointment._meta.concrete_fields]
# One statement inserts the appointment and the first row of its history. A conflict is no error: the statement inserts nothing.
# An INSERT that fails on the constraint can cause deadlocks when many users book one doctor.
_CLAIM = f"""
WITH booked AS (
    INSERT INTO appointments_appointment ({", ".join(_COLUMNS)}) VALUES ({", ".join(["%s"] * len(_COLUMNS))})
    ON CONFLICT DO NOTHING RETURNING id, status, created_at, booked_by_id)
INSERT INTO appointments_statuschange (appointment_id, from_status, to_status, at, by_id, reason)
SELECT id, '', status, created_at, booked_by_id, '' FROM booked
"""


def claim(row: Appointment) -> bool:
    """Inserts the appointment and the first row of its history. Returns False, and inserts nothing, if a constraint refuses."""
    with prepared.cursor() as cursor:
        cursor.execute(_CLAIM, [getattr(row, field.attname) for field in Appointment._meta.concrete_fields])
        return bool(cursor.rowcount)


_NEXT_TOKEN = """
INSERT INTO appointments_queue AS q (day, last_number) VALUES (%s, 1)
ON CONFLICT (day) DO UPDATE SET last_number = q.last_number + 1 RETURNING last_number
"""  # noqa: S105


def next_queue_number(day: date) -> int:
    """Returns the next number of the queue of this day; the first is 1."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_TOKEN, [day])
        return int(cursor.fetchone()[0])


_RAISE_LAST_NUMBER = """
INSERT INTO appointments_queue AS q (day, last_number) VALUES (%s, %s)
ON CONFLICT (day) DO UPDATE SET last_number = greatest(q.last_number, excluded.last_number)
"""


def raise_last_number(day: date, number: int) -> None:
    """Lets the queue of this day go on after this number, unless it is further already."""
    with connection.cursor() as cursor:
        cursor.execute(_RAISE_LAST_NUMBER, [day, number])
