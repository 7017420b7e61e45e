"""After an undone merge, what was signed in the meantime is listed, and an administrator decides whose it is."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.appointments.models import Appointment
from apps.consultations.models import Consultation
from apps.patients.models import ChartEntry, MergeTriage
from apps.terminology.tests import factories as terminology
from hims.tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def codes(db: None) -> None:
    """A part of ICD-10-CM."""
    terminology.restore()


def settle_page(merge_id: object) -> str:
    return reverse("admin:patients_merge_settle", args=[merge_id])


@pytest.mark.parametrize("owner", ["retired", "survivor"])
def test_a_diagnosis_signed_while_two_records_were_one_is_shown_and_decided(owner: str, staff: dict[str, User]) -> None:
    people = {"retired": factories.register_patient("Jon"), "survivor": factories.register_patient("John")}
    done = factories.merge(people["retired"], people["survivor"])
    visit = factories.signed(staff["doctor"], people["survivor"], "standard")
    admin, admin_browser = factories.api_client(staff["admin"]), factories.browser(staff["admin"])
    undone = admin.post(f"/patients/merges/{done.pk}/undo").json()["data"]["merge"]
    diagnosis = ChartEntry.objects.get(type="diagnosis")
    listed = {(row["model"], row["row_id"]) for row in undone["triage"]}
    assert {("patients.ChartEntry", str(diagnosis.pk)), ("consultations.Consultation", str(visit.row.pk))} <= listed
    assert diagnosis.display in admin_browser.get(settle_page(done.pk)).content.decode()
    assert _settle(admin_browser, done.pk, owner) == len(listed)
    settled = admin.get(f"/patients/merges/{done.pk}").json()["data"]["merge"]["triage"]
    assert all(row["settled_at"] for row in settled)
    for model in (ChartEntry, Consultation, Appointment):
        assert set(model.objects.values_list("patient", flat=True)) <= {people[owner].pk}
    shown = factories.api_client(staff["doctor"]).get(f"/patients/{people[owner].pk}/medical-history?type=diagnosis").json()
    assert [row["id"] for row in shown["data"]["records"]] == [str(diagnosis.pk)]


def test_a_visit_begun_before_the_merge_and_signed_after_it_goes_back_with_its_diagnosis(staff: dict[str, User]) -> None:
    retired, survivor, doctor = factories.register_patient("Jon"), factories.register_patient("John"), staff["doctor"]
    visit = factories.start_consultation(doctor, retired)
    done = factories.merge(retired, survivor)
    factories.fill(doctor, visit, 2, 6)
    reply = factories.api_client(doctor).post(
        f"/consultations/{visit.row.pk}/complete", {"override_incomplete": True, "reason": "Signed now"}
    )
    assert reply.status_code == 200, reply.content
    factories.api_client(staff["admin"]).post(f"/patients/merges/{done.pk}/undo")
    assert Consultation.objects.get().patient_id == retired.pk
    waiting = set(MergeTriage.objects.filter(merge=done).values_list("row_id", flat=True))
    assert waiting == set(map(str, ChartEntry.objects.values_list("pk", flat=True)))
    _settle(factories.browser(staff["admin"]), done.pk, "retired")
    assert set(ChartEntry.objects.values_list("patient", flat=True)) == {retired.pk}


def _settle(admin_browser: Client, merge_id: object, owner: str) -> int:
    """Say on the page that every row is the owner's. Returns how many rows waited."""
    waiting = list(MergeTriage.objects.filter(merge=merge_id, settled_at=None))
    reply = admin_browser.post(settle_page(merge_id), {f"row_{row.pk}": owner for row in waiting})
    assert reply.status_code == 302, reply.context["errors"]
    return len(waiting)
