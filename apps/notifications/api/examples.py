"""Examples from sections 9.1 and 9.3 of the API reference, with the samples of the sandbox."""

from apps.rest.endpoint import Example

_ID = "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44"

LIST = Example(
    reply={
        "success": True,
        "data": {
            "notifications": [
                {
                    "id": _ID,
                    "type": "info",
                    "title": "Lab Results Available",
                    "message": "CBC results for John Doe are ready for review",
                    "priority": "medium",
                    "category": "lab",
                    "is_read": False,
                    "created_at": "2025-01-15T14:30:00Z",
                    "action_url": "/lab/results/123",
                }
            ],
            "unread_count": 5,
            "pagination": {"page": 1, "limit": 20, "total": 9, "pages": 1, "next_cursor": None},
        },
    }
)
SEND = Example(
    request={
        "recipient_ids": ["doctor_001", "doctor_002"],
        "type": "warning",
        "title": "System Maintenance",
        "message": "System will be unavailable from 2-4 AM",
        "priority": "high",
        "category": "system",
        "action_url": "/maintenance-schedule",
    }
)
