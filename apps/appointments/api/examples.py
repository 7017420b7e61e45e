"""The reference's examples, section 4, with the samples of the sandbox, and the missing ones."""

from datetime import time

from apps.rest.endpoint import Example
from apps.rest.schema.examples import Upcoming

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
        "patient_id": "patient_001",
        "doctor_id": "doctor_001",
        "appointment_type": "consultation",
        "scheduled_time": Upcoming(at=time(10)),
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

_BOOKED, _DOCTOR_001 = {"id": "appointment_001"}, {"id": "doctor_001"}
CHANGE = Example(path=_BOOKED, request={"scheduled_time": Upcoming(at=time(14, 30)), "notes": "Blood pressure check"})
CANCEL = Example(path=_BOOKED, request={"cancellation_reason": "Patient requested cancellation", "notify_patient": True})
CHECK_IN = Example(path=_BOOKED, request={"early": True})
BOOK_SERIES = {
    "patient_id": "patient_001",
    "doctor_id": "doctor_001",
    "scheduled_time": Upcoming(at=time(9)),
    "frequency": "weekly",
    "count": 4,
}
CANCEL_SERIES = Example(request={"cancellation_reason": "The wound has healed", "from": Upcoming()})
MOVE = {"date_from": Upcoming(), "date_to": Upcoming(days=1), "to_doctor_id": "doctor_002", "reason": "Ill", "dry_run": True}
SCHEDULE = Example(
    path=_DOCTOR_001,
    request={
        "slot_minutes": 15,
        "overbook_per_day": 4,
        "visit_lengths": {"procedure": 45, "vaccination": 10},
        "hours": [
            {"weekday": 0, "starts": "09:00", "ends": "17:00"},
            {"weekday": 1, "starts": "09:00", "ends": "12:30"},
        ],
    },
)
TIME_OFF = Example(path=_DOCTOR_001, request={"starts_at": Upcoming(), "ends_at": Upcoming(days=3), "reason": "Holiday"})
WAIT = {
    "patient_id": "patient_001",
    "doctor_id": "doctor_001",
    "date_from": Upcoming(),
    "date_to": Upcoming(days=13),
    "time_from": "09:00",
    "time_to": "12:00",
    "priority": "high",
    "note": "Can be here within an hour",
    "duration_minutes": 15,
}
DECLINE = Example(request={})
