"""What each role reads and writes of a patient: the kinds of chart entry, and the part of the record that it sees."""

from typing import Any, NamedTuple

import pytest
from django.urls import reverse

from apps.access.tests.role_table import ROLES
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser
from apps.patients.models import ChartEntry, Patient
from apps.patients.tests import factories

pytestmark = pytest.mark.django_db

# Which kinds of chart entry a role reads, and writes (same row of the contract, its brackets). The administrator: all, or none.
ALL = {"allergy", "medication", "diagnosis", "procedure", "immunization", "lab_result", "vital_sign", "note"}
READS = {
    "doctor": ALL,
    "nurse": ALL,
    "pharmacist": {"allergy", "medication", "diagnosis"},
    "lab_technician": {"lab_result", "allergy"},
    "billing": {"diagnosis", "procedure"},
}
WRITES = {"doctor": ALL, "nurse": ALL, "pharmacist": {"allergy"}}

# What a reader's role leaves out of a patient ("r on patients").
WHOLE = {
    "id",
    "mrn",
    "is_active",
    "demographics",
    "contact",
    "contact.address",
    "emergency_contact",
    "insurance",
    "allergy_status",
    "created_at",
    "updated_at",
}
_NO_PAPERS = {"contact.address", "emergency_contact", "insurance"}
LEFT_OUT = {
    "doctor": set[str](),
    "nurse": set[str](),
    "receptionist": {"allergy_status"},
    "pharmacist": _NO_PAPERS,
    "lab_technician": _NO_PAPERS,
    "billing": {"emergency_contact", "allergy_status"},
}
EIGHT = {"id", "mrn", "first_name", "last_name", "date_of_birth", "phone", "email", "is_active"}


class Scene(NamedTuple):
    """A patient with an allergy."""

    patient: Patient
    entry: ChartEntry


@pytest.fixture
def scene(db: None) -> Scene:
    details = {"street": "1 A St", "emergency_name": "Jane", "insurance_provider": "Blue", "phone": "+1-555-0123"}
    patient = factories.register_patient(**details)
    return Scene(patient, factories.chart(patient, "allergy", "Penicillin"))


@pytest.mark.parametrize("admin_clinical", [True, False])
def test_every_role_reads_and_writes_its_kinds_of_entry(
    staff: dict[str, User], scene: Scene, settings: Any, admin_clinical: bool
) -> None:
    settings.HIMS_ADMIN_CLINICAL = admin_clinical
    admins = {"admin": ALL} if admin_clinical else {}
    for role in ROLES:
        who, path = api_client(staff[role]), f"/patients/{scene.patient.pk}/medical-history"
        reads = {kind for kind in ALL if who.get(f"{path}?type={kind}").status_code == 200}
        writes = {kind for kind in ALL if who.post(path, {"type": kind, "display": "x"}).status_code == 201}
        assert (reads, writes) == ((READS | admins).get(role, set()), (WRITES | admins).get(role, set())), role


def keys(patient: dict[str, Any]) -> set[str]:
    return set(patient) | ({"contact.address"} if "address" in patient["contact"] else set())


@pytest.mark.parametrize("role", sorted(LEFT_OUT))
def test_each_role_sees_exactly_its_part_of_a_patient_wherever_one_is_answered(
    staff: dict[str, User], scene: Scene, role: str
) -> None:
    who, address, part = api_client(staff[role]), f"/patients/{scene.patient.pk}", WHOLE - LEFT_OUT[role]
    assert keys(who.get(address).json()["data"]["patient"]) == part
    assert {frozenset(row) for row in who.get("/patients").json()["data"]["patients"]} == {frozenset(EIGHT)}
    assert {frozenset(row) for row in who.get("/patients?search=doe").json()["data"]["patients"]} == {frozenset(EIGHT)}
    changed = who.put(address, {"insurance": {"provider": "Red"}})
    if changed.status_code == 200:
        assert keys(changed.json()["data"]["patient"]) == part
        assert who.call("PATCH", address, {"insurance": {"provider": "Blue"}}).json()["data"]["patient"].keys() <= part
    body = {"first_name": "John", "last_name": "Doe", "date_of_birth": "1980-05-15", "gender": "male"}
    registered = who.post("/patients", body)
    if registered.status_code == 201:
        assert keys(registered.json()["data"]["patient"]) == part
        warned = registered.json()["warnings"][0]["patients"]
        candidates = [row["patient"] for row in who.post("/patients/match", body).json()["data"]["candidates"]]
        assert {frozenset(row) for row in [*warned, *candidates]} == {frozenset(EIGHT)}
    if role == "receptionist":
        assert keys(who.post(f"{address}/deactivate").json()["data"]["patient"]) == part


def test_the_administrator_sees_the_allergy_status_where_he_acts_clinically(
    staff: dict[str, User], scene: Scene, settings: Any
) -> None:
    for admin_clinical, part in ((True, WHOLE), (False, WHOLE - {"allergy_status"})):
        settings.HIMS_ADMIN_CLINICAL = admin_clinical
        assert keys(api_client(staff["admin"]).get(f"/patients/{scene.patient.pk}").json()["data"]["patient"]) == part


def test_billing_reads_codes_and_no_narrative(staff: dict[str, User], scene: Scene) -> None:
    coded = factories.chart(scene.patient, code_system="ICD-10-CM", code="I10", detail={"note": "drinks"})
    factories.chart(scene.patient, display="Drinks too much")
    path = f"/patients/{scene.patient.pk}/medical-history"
    billing = api_client(staff["billing"])
    (row,) = billing.get(path).json()["data"]["records"]
    assert (row["id"], row["detail"]) == (str(coded.pk), {})
    assert billing.get(f"{path}/{scene.entry.pk}").status_code == 404
    page = browser(staff["billing"]).get(reverse("admin:patients_chartentry_change", args=[coded.pk])).content.decode()
    assert "drinks" not in page


@pytest.mark.parametrize("role", sorted(LEFT_OUT))
def test_the_pages_of_a_patient_show_the_same_part(staff: dict[str, User], scene: Scene, role: str) -> None:
    client, pages = browser(staff[role]), ""
    for name in ("change", "details"):
        reply = client.get(reverse(f"admin:patients_patient_{name}", args=[scene.patient.pk]), follow=True)
        assert reply.status_code == 200
        pages += reply.content.decode()
    shown = {"contact.address": "1 A St", "emergency_contact": "Jane", "insurance": "Blue", "allergy_status": "ALLERGIES"}
    assert {part for part, words in shown.items() if words not in pages} == LEFT_OUT[role]
