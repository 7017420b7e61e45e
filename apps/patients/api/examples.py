"""Examples from sections 3.1 to 3.3 of the API reference, with real UUIDs, and our own."""

from apps.rest.endpoint import Example

_ID = "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44"

LIST = Example(
    reply={
        "success": True,
        "data": {
            "patients": [
                {
                    "id": _ID,
                    "mrn": "MRN001",
                    "first_name": "John",
                    "last_name": "Doe",
                    "date_of_birth": "1980-05-15",
                    "phone": "+1-555-0123",
                    "email": "john.doe@email.com",
                    "is_active": True,
                }
            ],
            "pagination": {"page": 1, "limit": 20, "total": 150, "pages": 8, "next_cursor": "AAAAAAAAAIEBlh8OW3p8Pp1SDY9qOxxE"},
        },
    }
)
DETAIL = Example(
    reply={
        "success": True,
        "data": {
            "patient": {
                "id": _ID,
                "mrn": "MRN001",
                "demographics": {"first_name": "John", "last_name": "Doe", "date_of_birth": "1980-05-15", "gender": "male"},
                "contact": {
                    "phone": "+1-555-0123",
                    "email": "john.doe@email.com",
                    "address": {"street": "123 Main St", "city": "Anytown", "state": "CA", "zip": "12345"},
                },
                "emergency_contact": {"name": "Jane Doe", "relationship": "spouse", "phone": "+1-555-0124"},
                "insurance": {"provider": "Blue Cross", "policy_number": "BC123456", "group_number": "GRP001"},
            }
        },
    }
)
CREATE = Example(
    request={
        "mrn": "MRN002",
        "first_name": "Jane",
        "last_name": "Smith",
        "date_of_birth": "1985-03-20",
        "gender": "female",
        "phone": "+1-555-0125",
        "email": "jane.smith@email.com",
        "address": {"street": "456 Oak Ave", "city": "Anytown", "state": "CA", "zip": "12345"},
        "emergency_contact": {"name": "John Smith", "relationship": "spouse", "phone": "+1-555-0126"},
    }
)
MATCH = Example(
    request={"first_name": "Jhon", "last_name": "Doe", "date_of_birth": "1980-05-15", "gender": "male", "phone": "+1-555-0123"},
    reply={
        "success": True,
        "data": {
            "candidates": [
                {
                    "patient": {
                        "id": _ID,
                        "mrn": "MRN001",
                        "first_name": "John",
                        "last_name": "Doe",
                        "date_of_birth": "1980-05-15",
                        "phone": "+1-555-0123",
                        "email": "john.doe@email.com",
                        "is_active": True,
                    },
                    "score": 0.99,
                    "reasons": ["misspelt_name", "same_birth_date", "same_phone"],
                }
            ]
        },
    },
)

_JOHN = {"id": "patient_001"}
AMEND = Example(path=_JOHN, request={"contact": {"phone": "+1-555-0199", "address": {"street": "12 Oak Ave"}}})
ENTRY = Example(
    path=_JOHN,
    request={
        "type": "allergy",
        "code_system": "SNOMED-CT",
        "code": "91935009",
        "display": "Allergy to peanut",
        "occurred_at": "1990",
        "detail": {"severity": "severe", "reaction": "Hives"},
    },
)
RETRACT = Example(path=_JOHN, request={"reason": "Entered for the wrong patient"})
NOT_SAME = Example(path=_JOHN, request={"other_id": "patient_003"})
MERGE_REQUEST = {"into": "patient_001", "reason": "The same passport, seen today", "fields": {"phone": "retired"}}
RESTRICT_REQUEST = {"restricted": True, "care_team": ["doctor_002"], "reason": "A colleague of ours is the patient"}
