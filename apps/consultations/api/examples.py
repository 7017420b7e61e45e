"""Examples from sections 5.1 to 5.3 of the API reference, with the samples of the sandbox, and the missing ones."""

from typing import Any

from apps.rest.endpoint import Example

_ID = "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44"
_PATIENT, _DOCTOR = "01961f0e-1111-7c3e-9d52-0d8f6a3b1c44", "01961f0e-2222-7c3e-9d52-0d8f6a3b1c44"


def _entry(**fields: Any) -> dict[str, Any]:
    """Returns a step as printed, with the fields that every entry has."""
    state = "completed" if fields.get("completed") else "in_progress" if fields.get("in_progress") else "pending"
    return {"state": state, "completed": False, "in_progress": False} | fields


START = Example(
    request={
        "patient_id": "patient_001",
        "appointment_id": "appointment_001",
        "workflow_type": "adaptive",
        "early": True,
    }
)
STATE = Example(
    reply={
        "success": True,
        "data": {
            "consultation": {
                "id": _ID,
                "patient_id": _PATIENT,
                "doctor_id": _DOCTOR,
                "appointment_id": "01961f0e-3333-7c3e-9d52-0d8f6a3b1c44",
                "workflow_type": "adaptive",
                "current_step": 2,
                "total_steps": 11,
                "status": "in_progress",
                "step_data": {
                    "patient_overview": _entry(completed=True),
                    "vitals": _entry(completed=True, data={"bp": "120/80"}, parsed={"systolic": 120, "diastolic": 80}),
                    "symptoms": _entry(in_progress=True),
                    "assessment": _entry(),
                },
                "started_at": "2025-01-15T10:00:00Z",
                "completed_at": None,
                "required_steps": [2, 6],
                "missing_steps": [2, 6],
                "recommended_next": 2,
                "prompts": [],
                "alerts": [],
            }
        },
    }
)
_ONGOING, _SIGNED, _ON_HOLD = {"id": "consultation_001"}, {"id": "consultation_002"}, {"id": "consultation_003"}
STEP = Example(
    path=_ONGOING,
    request={
        "step_number": 2,
        "step_data": {
            "chief_complaint": "Headache and fatigue",
            "symptoms": [{"description": "Headache", "severity": "moderate", "duration": "3 days"}],
        },
    },
)
COMPLETE = Example(path=_ONGOING, request={"override_incomplete": True, "reason": "The patient left before the examination"})
ADDENDUM = Example(path=_SIGNED, request={"text": "The patient called: the headache is gone."})
HOLD = Example(path=_ONGOING, request={"reason": "Waits for the result of the blood test"})
RESUME = Example(path=_ON_HOLD, request={})
CANCEL = Example(path=_ONGOING, request={"reason": "The patient left unseen"})
READY = Example(path=_ONGOING, request={})
HAND_OVER = Example(path=_ONGOING, request={"doctor_id": "doctor_002", "reason": "End of the shift"})
