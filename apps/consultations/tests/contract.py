"""What consultations contributes to the tests of the whole: who may call what, who opens which staff page, and sample rows."""

from django.urls import reverse

from apps.access.tests.role_table import CLINICAL, PatientCall, Samples
from apps.accounts.models import User
from apps.consultations import services
from apps.consultations.tests import factories
from apps.patients.tests.factories import register_patient
from apps.terminology.tests import factories as terminology

_READS, _DOCTORS, _PAUSES = "c y y - - - r -", "c o - - - - - -", "c o y - - - - -"

#                                                              A D N R P L B  manager
MATRIX = {
    "GET /consultations": _READS,
    "GET /consultations/{id}": _READS,
    "POST /consultations": "c y y - - - - -",
    "PUT /consultations/{id}/step": "c o r - - - - -",
    "POST /consultations/{id}/complete": _DOCTORS,
    "POST /consultations/{id}/addenda": _DOCTORS,
    "POST /consultations/{id}/hold": _PAUSES,
    "POST /consultations/{id}/resume": _PAUSES,
    "POST /consultations/{id}/cancel": _PAUSES,
    "POST /consultations/{id}/ready": "c - y - - - - -",
    "POST /consultations/{id}/hand-over": _DOCTORS,
}
KEY_SCOPES = {
    "POST /consultations": "consultations:write",
    "GET /consultations": "consultations:read",
    "GET /consultations/{id}": "consultations:read",
    "PUT /consultations/{id}/step": "consultations:write",
    "POST /consultations/{id}/complete": None,
    "POST /consultations/{id}/addenda": None,
    "POST /consultations/{id}/hold": "consultations:write",
    "POST /consultations/{id}/resume": "consultations:write",
    "POST /consultations/{id}/cancel": "consultations:write",
    "POST /consultations/{id}/ready": "consultations:write",
    "POST /consultations/{id}/hand-over": None,
}
_REASON = "A reason that is long enough"
PATIENT_WRITES = {"POST /consultations": PatientCall("doctor", {"patient_id": "{patient}"})}
PAGE_PARAMETERS = {"patient", "appointment", "q"}
WRITES_WITHOUT_READ = {"POST /consultations": "doctor"}
PATIENT_FORMS = {"consultations_consultation_add": PatientCall("doctor", {"workflow_type": "standard"})}


def samples(staff: dict[str, User]) -> Samples:
    """Return a consultation of the doctor that is in progress."""
    patient, doctor = register_patient("Gus", "Park"), staff["doctor"]
    row = factories.start_consultation(doctor, patient).row
    page, at = "admin:consultations_consultation_", [row.pk]
    return Samples(
        ids={"/consultations/": row.pk},
        bodies={
            "POST /consultations": {"patient_id": str(patient.pk), "doctor_id": str(doctor.pk)},
            "PUT /consultations/{id}/step": {"step_number": 0, "step_data": {"identity_confirmed": True}},
            "POST /consultations/{id}/complete": {},
            "POST /consultations/{id}/addenda": {"text": _REASON},
            "POST /consultations/{id}/hold": {"reason": _REASON},
            "POST /consultations/{id}/resume": {},
            "POST /consultations/{id}/cancel": {"reason": _REASON},
            "POST /consultations/{id}/ready": {},
            "POST /consultations/{id}/hand-over": {"doctor_id": str(doctor.pk)},
        },
        twins={
            reverse(f"{page}changelist"): "GET /consultations",
            f"{reverse(f'{page}add')}?patient={patient.pk}": "POST /consultations",
            reverse(f"{page}change", args=at): "GET /consultations/{id}",
            reverse(f"{page}step", args=[row.pk, 1]): "PUT /consultations/{id}/step",
            reverse(f"{page}complete", args=at): "POST /consultations/{id}/complete",
            reverse(f"{page}hold", args=at): "POST /consultations/{id}/hold",
            reverse(f"{page}cancel", args=at): "POST /consultations/{id}/cancel",
            reverse(f"{page}ready", args=at): "POST /consultations/{id}/ready",
            reverse(f"{page}hand_over", args=at): "POST /consultations/{id}/hand-over",
        },
    )


def pages(staff: dict[str, User]) -> dict[str, frozenset[str]]:
    """Return the address of every staff page, with the roles that may open it: in progress, on hold and signed."""
    terminology.restore()
    patient, doctor, page = register_patient("Gil", "Moss"), staff["doctor"], "admin:consultations_consultation_"
    going_on, waits = factories.start_consultation(doctor, patient).row, factories.start_consultation(doctor, patient).row
    services.hold(by=doctor, consultation_id=waits.pk)
    over, doctors = factories.signed(doctor, patient).row, frozenset({"doctor", "admin"})
    return {
        reverse(f"{page}changelist"): CLINICAL | {"billing"},
        f"{reverse(f'{page}add')}?patient={patient.pk}": CLINICAL,
        reverse(f"{page}change", args=[going_on.pk]): CLINICAL | {"billing"},
        reverse(f"{page}step", args=[going_on.pk, 1]): CLINICAL,
        reverse(f"{page}complete", args=[going_on.pk]): doctors,
        reverse(f"{page}hand_over", args=[going_on.pk]): doctors,
        reverse(f"{page}ready", args=[going_on.pk]): frozenset({"nurse", "admin"}),
        reverse(f"{page}hold", args=[going_on.pk]): CLINICAL,
        reverse(f"{page}cancel", args=[going_on.pk]): CLINICAL,
        reverse(f"{page}resume", args=[waits.pk]): CLINICAL,
        reverse(f"{page}addendum", args=[over.pk]): doctors,
    }
