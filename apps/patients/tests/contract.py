"""What patients contributes to the tests of the whole: who may call what, who opens which staff page, and sample rows."""

from datetime import date
from uuid import UUID

from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.access.tests.role_table import (
    ADMIN,
    ADMINISTRATION,
    ALL_BUT_MANAGER,
    CLINICAL,
    EVERY_ROLE,
    FRONT_OFFICE,
    MANAGEMENT,
    PatientCall,
    Samples,
)
from apps.accounts.models import User
from apps.patients import services
from apps.patients.confidentiality.models import BreakGlass, Restriction
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.models import ChartEntry, Merge, NotDuplicate, Patient
from apps.patients.tests import factories

_READS, _REGISTERS, _DESK = "y y y y r r r r", "y y y y - - - -", "y - - y - - - -"
_CHART, _EMERGENCY = "c y y - r r r -", "- y y - y - - -"  # HIMS_ADMIN_CLINICAL gives no administrator emergency access

#                                                              A D N R P L B  manager
MATRIX = {
    "GET /patients": _READS,
    "GET /patients/{id}": _READS,
    "POST /patients": _REGISTERS,
    "PUT /patients/{id}": "y y y y - - r -",
    "PATCH /patients/{id}": "y y y y - - r -",
    "POST /patients/{id}/deactivate": _DESK,
    "POST /patients/{id}/reactivate": _DESK,
    "POST /patients/{id}/portal-invite": _DESK,
    "POST /patients/match": _REGISTERS,
    "POST /patients/{id}/not-same": "y y y y - - - y",
    "GET /patients/{id}/merge-preview": ADMIN,
    "POST /patients/{id}/merge": ADMIN,
    "GET /patients/merges/{id}": ADMIN,
    "POST /patients/merges/{id}/undo": ADMIN,
    "PUT /patients/{id}/restricted": ADMIN,
    "POST /patients/{id}/break-glass": _EMERGENCY,
    "POST /patients/break-glass": _EMERGENCY,
    "GET /patients/{id}/access-log": ADMINISTRATION,
    "GET /patients/{id}/medical-history": _CHART,
    "GET /patients/{id}/medical-history/{entry}": _CHART,
    "POST /patients/{id}/medical-history": "c y y - r - - -",
    "POST /patients/{id}/medical-history/{entry}/retract": "c y y - r - - -",
}
KEY_SCOPES = {
    "GET /patients": "patients:read",
    "POST /patients": "patients:write",
    "POST /patients/match": "patients:read",
    "GET /patients/{id}": "patients:read",
    "PUT /patients/{id}": "patients:write",
    "PATCH /patients/{id}": "patients:write",
    "POST /patients/{id}/deactivate": "patients:write",
    "POST /patients/{id}/reactivate": "patients:write",
    "POST /patients/{id}/merge": None,
    "GET /patients/{id}/merge-preview": None,
    "POST /patients/merges/{id}/undo": None,
    "GET /patients/{id}/medical-history": "history:read",
    "POST /patients/{id}/medical-history": "history:write",
    "POST /patients/{id}/medical-history/{entry}/retract": "history:write",
}
_REASON = "A reason that is long enough"
PATIENT_WRITES = {
    "PUT /patients/{id}": PatientCall("receptionist", {"phone": "(213) 373-4253"}),
    "PATCH /patients/{id}": PatientCall("receptionist", {"address": {"city": "Here"}}),
    "POST /patients/{id}/deactivate": PatientCall("receptionist"),
    "POST /patients/{id}/reactivate": PatientCall("receptionist", accepted=False),
    "POST /patients/{id}/not-same": PatientCall("receptionist", {"other_id": "{other}"}),
    "POST /patients/{id}/merge": PatientCall("admin", {"into": "{other}", "reason": "The same passport"}),
    "PUT /patients/{id}/restricted": PatientCall("admin", {"restricted": True, "reason": _REASON}),
    "POST /patients/{id}/break-glass": PatientCall("doctor", {"reason": _REASON}, accepted=False),
    "POST /patients/{id}/medical-history": PatientCall("doctor", {"type": "note", "display": "Letter"}),
    "POST /patients/{id}/medical-history/{entry}/retract": PatientCall("doctor", {"reason": "Wrong"}),
}
WRITES_WITHOUT_READ = {
    "PATCH /patients/{id}": "receptionist",
    "POST /patients/{id}/deactivate": "receptionist",
    "POST /patients/{id}/reactivate": "receptionist",
    "POST /patients/{id}/medical-history": "nurse",
}
PATIENT_FORMS = {
    "patients_chartentry_add": PatientCall("doctor", {"display": "Letter", "detail_title": "Letter"}, query="&type=note"),
}
IDENTITY = {"first_name", "last_name", "middle_name", "date_of_birth", "phone", "email", "mrn", "demographics"}
STAFF_REPLIES = {"ColleagueShape"}
PAGE_PARAMETERS = {"patient", "type", "into", "other", "q", "queue"}


def samples(staff: dict[str, User]) -> Samples:
    """Return a patient with an allergy, a second patient, a restricted chart and a merge."""
    patient, other = factories.register_patient(phone="+1-555-0123"), factories.register_patient("Ann", "Roe")
    closed, entry = factories.register_patient("Dora", "Hale"), factories.chart(patient, "allergy", "Penicillin")
    merge = factories.merge(factories.register_patient("Bea", "Lee"), factories.register_patient("Cora", "Lee"))
    factories.restrict(closed, staff["lab_technician"])
    about = samples_about(patient, other=other, closed=closed, entry=entry)
    return Samples(
        ids={
            **about.ids,
            "/patients/merges/": merge.pk,
            "/patients/{id}/merge": other.pk,
            "/patients/{id}/merge-preview": patient.pk,
        },
        bodies={
            **about.bodies,
            "POST /patients/merges/{id}/undo": None,
            "POST /patients/{id}/merge": {"into": str(patient.pk), "reason": _REASON},
        },
        queries=about.queries,
        twins=_twins(patient, entry, merge),
    )


def samples_about(patient: Patient, *, other: Patient, closed: Patient, entry: ChartEntry) -> Samples:
    """Return how to call each operation about a patient; `closed` is the patient of those that restricted charts have."""
    person = {"first_name": "Eve", "last_name": "Hart", "date_of_birth": "1970-01-01", "gender": "female"}
    return Samples(
        ids={
            "/patients/": patient.pk,
            "/patients/{id}/restricted": closed.pk,
            "/patients/{id}/break-glass": closed.pk,
            "{entry}": entry.pk,
        },
        bodies={
            "POST /patients": person,
            "POST /patients/match": person,
            "PUT /patients/{id}": {"insurance": {"provider": "Blue"}},
            "PATCH /patients/{id}": {"insurance": {"provider": "Cross"}},
            "POST /patients/{id}/deactivate": None,
            "POST /patients/{id}/reactivate": None,
            "POST /patients/{id}/not-same": {"other_id": str(other.pk)},
            "POST /patients/{id}/merge": {"into": str(other.pk), "reason": _REASON},
            "PUT /patients/{id}/restricted": {"restricted": True, "care_team": [], "reason": _REASON},
            "POST /patients/{id}/break-glass": {"reason": _REASON},
            "POST /patients/break-glass": {"mrn": closed.mrn, "reason": _REASON},
            "POST /patients/{id}/medical-history": {"type": "allergy", "display": "Latex"},
            "POST /patients/{id}/medical-history/{entry}/retract": {"reason": _REASON},
        },
        queries={"GET /patients/{id}/merge-preview": f"?into={other.pk}"},
    )


def _twins(patient: Patient, entry: ChartEntry, merge: Merge) -> dict[str, str]:
    at, page = [patient.pk], "admin:patients_"
    return {
        reverse(f"{page}patient_changelist"): "GET /patients",
        reverse(f"{page}patient_change", args=at): "GET /patients/{id}",
        reverse(f"{page}patient_add"): "POST /patients",
        reverse(f"{page}patient_deactivate", args=at): "POST /patients/{id}/deactivate",
        reverse(f"{page}patient_not_same", args=at): "POST /patients/{id}/not-same",
        reverse(f"{page}patient_merge", args=at): "POST /patients/{id}/merge",
        reverse(f"{page}merge_change", args=[merge.pk]): "GET /patients/merges/{id}",
        reverse(f"{page}merge_undo", args=[merge.pk]): "POST /patients/merges/{id}/undo",
        reverse(f"{page}patient_restrict", args=at): "PUT /patients/{id}/restricted",
        reverse(f"{page}patient_break_glass"): "POST /patients/break-glass",
        reverse(f"{page}patient_history", args=at): "GET /patients/{id}/access-log",
        reverse(f"{page}restriction_changelist"): "PUT /patients/{id}/restricted",
        f"{reverse(f'{page}chartentry_changelist')}?patient={at[0]}": "GET /patients/{id}/medical-history",
        f"{reverse(f'{page}chartentry_add')}?patient={at[0]}&type=allergy": "POST /patients/{id}/medical-history",
        reverse(f"{page}chartentry_retract", args=[entry.pk]): "POST /patients/{id}/medical-history/{entry}/retract",
    }


def pages(staff: dict[str, User]) -> dict[str, frozenset[str]]:
    """Return the address of every staff page, with the roles that may open it."""
    patient = factories.register_patient()
    entry = factories.chart(patient, code_system="ICD-10-CM", code="I10")
    merge, undone = factories.merge(factories.register_patient("Ann", "Roe"), patient), undone_merge()
    pair = _duplicate_candidate()
    admin, charts, page = frozenset({"admin"}), ALL_BUT_MANAGER - {"receptionist"}, "admin:patients_"

    def at(name: str, pk: UUID | int) -> str:
        return reverse(f"{page}{name}", args=[pk])

    return _restricted_pages(staff) | {
        reverse(f"{page}patient_changelist"): EVERY_ROLE,
        reverse(f"{page}patient_add"): FRONT_OFFICE,
        at("patient_change", patient.pk): EVERY_ROLE,
        at("patient_deactivate", patient.pk): frozenset({"admin", "receptionist"}),
        at("patient_no_known_allergies", patient.pk): CLINICAL | {"pharmacist"},
        at("patient_not_same", patient.pk): FRONT_OFFICE | MANAGEMENT,
        at("patient_merge", patient.pk): admin,
        at("patient_restrict", patient.pk): admin,
        at("patient_history", patient.pk): MANAGEMENT,
        reverse(f"{page}merge_changelist"): admin,
        at("merge_change", merge.pk): admin,
        at("merge_undo", merge.pk): admin,
        at("merge_settle", undone.pk): admin,
        reverse(f"{page}duplicatecandidate_changelist"): MANAGEMENT,
        at("duplicatecandidate_change", pair.pk): MANAGEMENT,
        at("duplicatecandidate_not_same", pair.pk): MANAGEMENT,
        at("duplicatecandidate_ask_merge", pair.pk): frozenset({"manager", "receptionist"}),
        reverse(f"{page}notduplicate_changelist"): MANAGEMENT,
        at("notduplicate_change", _two_people().pk): MANAGEMENT,
        f"{reverse(f'{page}chartentry_changelist')}?patient={patient.pk}": charts,
        f"{reverse(f'{page}chartentry_add')}?patient={patient.pk}&type=diagnosis": CLINICAL,
        f"{reverse(f'{page}chartentry_add')}?patient={patient.pk}&type=allergy": CLINICAL | {"pharmacist"},
        at("chartentry_change", entry.pk): charts - {"lab_technician"},
        at("chartentry_retract", entry.pk): CLINICAL,
    }


def _restricted_pages(staff: dict[str, User]) -> dict[str, frozenset[str]]:
    restriction, access = _restriction_with_emergency_access(staff)
    admin, page = frozenset({"admin"}), "admin:patients_"
    return {
        reverse(f"{page}patient_break_glass"): frozenset({"doctor", "nurse", "pharmacist"}),
        reverse(f"{page}restriction_changelist"): admin,
        reverse(f"{page}restriction_change", args=[restriction.pk]): admin,
        reverse(f"{page}restriction_team", args=[restriction.pk]): admin,
        reverse(f"{page}restriction_lift", args=[restriction.pk]): admin,
        reverse(f"{page}patient_change", args=[restriction.patient_id]): frozenset({"nurse", "doctor"}),
        reverse(f"{page}breakglass_changelist"): MANAGEMENT,
        reverse(f"{page}breakglass_change", args=[access.pk]): MANAGEMENT,
        reverse(f"{page}breakglass_review", args=[access.pk]): MANAGEMENT,
    }


def _two_people() -> NotDuplicate:
    one, other = factories.register_patient("Bea", "Twin", date(1990, 1, 2)), factories.register_patient("Dea", "Twin")
    return services.mark_not_duplicate(by=SYSTEM, patient_id=one.pk, other_id=other.pk)


def undone_merge() -> Merge:
    """Create a merge that was undone after an entry was written; the entry waits for a decision."""
    retired = factories.register_patient("Bea", "Roe", date(1950, 1, 2))
    survivor = factories.register_patient("Cora", "Lee", date(1960, 3, 4))
    merge = factories.merge(retired, survivor)
    factories.chart(survivor)
    return services.undo_merge(by=SYSTEM, merge_id=merge.pk)


def _restriction_with_emergency_access(staff: dict[str, User]) -> tuple[Restriction, BreakGlass]:
    """Create a chart that only the nurse may see, and that the doctor opened in an emergency."""
    patient, reason = factories.register_patient("Dora", "Hale", date(1970, 7, 8)), "A colleague of ours"
    closed = services.restrict(by=staff["admin"], patient_id=patient.pk, care_team=[staff["nurse"].pk], reason=reason)
    return closed, services.break_glass(by=staff["doctor"], patient_id=patient.pk, reason="Unconscious in the hall")


def _duplicate_candidate() -> DuplicateCandidate:
    twice = [factories.register_patient(name, "Suspect", date(1970, 6, 7)) for name in ("Jon", "John")]
    services.refresh_duplicate_candidates(by=SYSTEM, patient_id=twice[0].pk)
    return DuplicateCandidate.objects.get(low__in=twice, high__in=twice)
