"""Joining a care team, as a claim: of two simultaneous ones, one adds the row."""

from datetime import datetime
from uuid import UUID

from apps.common import prepared

# Prepared: every booking calls it, and mostly the doctor is a member already.
_JOIN = """
INSERT INTO patients_careteammember (patient_id, user_id, because, added_by_id, added_at)
SELECT %(patient)s, %(user)s, %(because)s::varchar, %(by)s, %(at)s WHERE NOT EXISTS (
    SELECT FROM patients_careteammember WHERE patient_id = %(patient)s AND user_id = %(user)s AND because = %(because)s::varchar)
ON CONFLICT DO NOTHING
"""


def join_care_team(*, patient_id: UUID, user_id: UUID, because: str, by_id: UUID | None, at: datetime) -> bool:
    """Adds the user to the patient's care team for this reason. Returns False if they are a member for it already."""
    with prepared.cursor() as cursor:
        cursor.execute(_JOIN, {"patient": patient_id, "user": user_id, "because": because, "by": by_id, "at": at})
        return bool(cursor.rowcount)
