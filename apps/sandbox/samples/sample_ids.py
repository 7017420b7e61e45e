"""The names of the API reference's samples (section 17.2), and their fixed ids. Pure values."""

from uuid import UUID, uuid5

_NAMESPACE = UUID("5a6d7c1e-0b0a-5e11-9c4e-a20c02d1b0a1")
PATIENTS = ("patient_001", "patient_002", "patient_003")
DOCTORS = ("doctor_001", "doctor_002", "doctor_003")


def fixed_id(name: str) -> UUID:
    """Returns the id of this name in every sandbox (version 5, RFC 9562)."""
    return uuid5(_NAMESPACE, name)


SAMPLE_IDS: dict[str, UUID] = {name: fixed_id(name) for name in (*PATIENTS, *DOCTORS)}

# Names of ours, for the examples of the OpenAPI file: an appointment of patient_001 next week, and three consultations of
# doctor_001: the one of now, one that was signed last week, and one that is on hold.
DRUG = "drug_001"  # lisinopril 10 mg
UPCOMING, PAST, ONGOING = "appointment_001", "visit.patient_001.past", "visit.dr.smith.ongoing"
EXAMPLE_IDS: dict[str, UUID] = {
    UPCOMING: fixed_id(UPCOMING),
    "consultation_001": fixed_id(f"consultation.{fixed_id(ONGOING)}"),
    "consultation_002": fixed_id(f"consultation.{fixed_id(PAST)}"),
    "consultation_003": fixed_id("consultation.walk-in.dr.smith"),
    DRUG: fixed_id(DRUG),
}
