"""The reference's examples, section 4."""

from apps.rest.endpoint import Example

_DOCTOR, _PATIENT = "3f0a9a3c-7c1e-5e11-9c4e-a20c02d1b0a1", "7d3b1b1e-2f40-5d0c-8a3d-0c5c9d1d2a44"
_ROW = {
    "id": "01a20660-b19a-73ec-b298-0cd2a0d026eb",
    "patient_id": _PATIENT,
    "doctor_id": _DOCTOR,
    "room_id": None,
    "series_id": None,
    "appointment_type": "consultation",
    "status": "scheduled",
    "scheduled_time": "2025-01-15T10:00:00Z",
    "ends_at": "2025-01-15T10:15:00Z",
    "duration_minutes": 15,
    "notes": "Follow-up visit",
    "overbook_reason": "",
    "triage": "routine",
    "queue_number": None,
    "checked_in_at": None,
    "cancelled_at": None,
    "cancellation_reason": "",
}
BOOK = Example(
    request={
        "patient_id": _PATIENT,
        "doctor_id": _DOCTOR,
        "appointment_type": "consultation",
        "scheduled_time": "2025-01-15T10:00:00Z",
        "duration_minutes": 15,
        "notes": "Follow-up visit",
    },
    reply={
        "success": True,
        "data": {
            "appointment": {
                **_ROW,
                "triage_reason": "",
                "created_at": "2025-01-10T08:00:00Z",
                "updated_at": "2025-01-10T08:00:00Z",
            }
        },
    },
)
LIST = Example(
    reply={
        "success": True,
        "data": {"appointments": [_ROW], "pagination": {"page": 1, "limit": 20, "total": 1, "pages": 1, "next_cursor": None}},
    }
)
