"""Which doctors belong to a patient's care team by their appointments or consultations. Higher apps register how they find them
when they load.

care_team_doctors.register_doctors(CareTeamMember.Because.VISIT, selectors.doctors_of)
"""

from collections.abc import Callable
from uuid import UUID

DoctorFinder = Callable[[UUID], set[UUID]]

_finders: dict[str, DoctorFinder] = {}


def register_doctors(because: str, finder: DoctorFinder) -> None:
    """Registers a function that returns the doctors who are members for this reason, by the patient."""
    _finders[str(because)] = finder


def doctors_by_reason(patient_id: UUID) -> dict[str, set[UUID]]:
    """Returns, for each reason, the doctors who have such an appointment or consultation with the patient."""
    return {because: finder(patient_id) for because, finder in _finders.items()}
