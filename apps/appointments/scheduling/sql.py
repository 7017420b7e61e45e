"""When a doctor can be booked and is booked, prepared: every booking runs these statements."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.access.roles import Role
from apps.appointments import rules
from apps.appointments.models.appointments import LIVE
from apps.common import prepared

_LONGEST = timedelta(minutes=rules.LONGEST)

_FOR_DOCTOR = """
SELECT coalesce(v.minutes, s.slot_minutes, %s), coalesce(s.slot_minutes, %s), coalesce(s.overbook_per_day, %s),
    (SELECT json_agg(json_build_array(h.weekday, h.starts, h.ends, h.valid_from, h.valid_until))
     FROM appointments_workinghours h WHERE h.schedule_id = u.id),
    (SELECT array_agg(ARRAY[o.starts_at, o.ends_at] ORDER BY o.starts_at)
     FROM appointments_timeoff o WHERE o.doctor_id = u.id AND o.ends_at > %s AND o.starts_at < %s)
FROM accounts_user u
LEFT JOIN appointments_doctorschedule s ON s.doctor_id = u.id
LEFT JOIN appointments_appointmentlength v ON v.schedule_id = u.id AND v.appointment_type = %s
WHERE u.id = %s AND u.is_active AND u.role = %s
"""


def for_doctor(doctor_id: UUID, *, start: datetime, end: datetime, appointment_type: str) -> tuple[Any, ...] | None:
    """Returns the minutes, the slot length, the overbook seats a day, the hours and the time off between two instants.

    None if the user is not an active doctor.
    """
    usual = [rules.SLOT_MINUTES, rules.SLOT_MINUTES, rules.OVERBOOK_PER_DAY]
    with prepared.cursor() as cursor:
        cursor.execute(_FOR_DOCTOR, [*usual, start, end, appointment_type, doctor_id, Role.DOCTOR.value])
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


_TAKEN = """
SELECT scheduled_time, ends_at FROM appointments_appointment
WHERE {whose} AND scheduled_time > %s AND scheduled_time < %s AND ends_at > %s AND status = ANY(%s) ORDER BY scheduled_time
"""
_DOCTOR = "doctor_id = %s AND overbook_seat IS NULL"
_DOCTOR_PATIENT_OR_ROOM = f"(({_DOCTOR}) OR patient_id = %s OR (room_id = %s AND overbook_seat IS NULL))"


def taken_by_doctor(doctor_id: UUID, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Returns the beginning and end of each time at which the doctor is booked, in order."""
    return _taken(_DOCTOR, [doctor_id], start, end)


def taken_by_any(
    doctor_id: UUID, patient_id: UUID, room_id: UUID | None, start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """Returns the same for the times at which the doctor, the patient or the room is booked."""
    return _taken(_DOCTOR_PATIENT_OR_ROOM, [doctor_id, patient_id, room_id], start, end)


def _taken(whose: str, ids: Sequence[Any], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    with prepared.cursor() as cursor:
        cursor.execute(_TAKEN.format(whose=whose), [*ids, start - _LONGEST, end, start, LIVE])
        return list(cursor.fetchall())
