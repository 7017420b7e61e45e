"""How long recent appointments took, for the estimates of the queue."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from apps.common import prepared

# For each doctor and type it reads the latest appointments by the doctor's own index, and the two events of each.
_RECENT = """
SELECT k.doctor_id, k.kind, array_agg(took.minutes)
FROM unnest(%s::uuid[], %s::text[]) AS k (doctor_id, kind)
CROSS JOIN LATERAL (
    SELECT a.id FROM appointments_appointment a
    WHERE a.doctor_id = k.doctor_id AND a.appointment_type = k.kind AND a.status = 'completed'
      AND a.scheduled_time > %s AND a.scheduled_time < %s
    ORDER BY a.scheduled_time DESC, a.id DESC LIMIT %s
) seen
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM max(c.at) FILTER (WHERE c.to_status = 'completed')
                            - max(c.at) FILTER (WHERE c.to_status = 'in_progress'))::float8 / 60 AS minutes
    FROM appointments_statuschange c WHERE c.appointment_id = seen.id
) took
WHERE took.minutes > 0
GROUP BY k.doctor_id, k.kind
"""


def recent_minutes(
    kinds: Sequence[tuple[UUID, str]], *, since: datetime, until: datetime, limit: int
) -> list[tuple[UUID, str, list[float]]]:
    """Returns doctor, type and the minutes from start to signature of the latest appointments, at most `limit` of each."""
    doctors, types = [doctor for doctor, _ in kinds], [kind for _, kind in kinds]
    with prepared.cursor() as cursor:
        cursor.execute(_RECENT, [doctors, types, since, until, limit])
        return list(cursor.fetchall())
