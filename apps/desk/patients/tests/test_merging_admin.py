"""Merging in the admin, without a script: choose who stays, compare, say why; take it back; decide what is left."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.audit.models import AuditEvent
from apps.desk.drafts import services as drafts
from apps.desk.models import Draft
from apps.desk.patients.tests.test_admin import sendable
from apps.patients import services
from apps.patients.models import ChartEntry, Merge, MergeTriage, Patient
from apps.patients.tests.factories import chart, merge, register_patient

pytestmark = pytest.mark.django_db
MERGES = "/admin/patients/merge/"


@pytest.fixture
def admin_browser(staff: dict[str, User]) -> Client:
    return browser(staff["admin"])


def page(patient: Patient, name: str = "change") -> str:
    return reverse(f"admin:patients_patient_{name}", args=[patient.pk])


def into(retired: Patient, survivor: Patient) -> str:
    return f"{page(retired, 'merge')}?into={survivor.pk}"


def undone(staff: dict[str, User], retired: Patient, survivor: Patient, **changes: Any) -> tuple[Merge, ChartEntry]:
    """A merge that was taken back after an entry and a change."""
    done = merge(retired, survivor)
    entry = chart(survivor, "note", "Letter of the employer")
    services.amend(by=staff["admin"], patient_id=survivor.pk, changes=changes)
    return services.undo_merge(by=staff["admin"], merge_id=done.pk), entry


def test_the_record_that_stays_is_found_and_compared_before_anything_happens(admin_browser: Client) -> None:
    retired, survivor = (
        register_patient("Jon", phone="5550101"),
        register_patient("John", phone="5550102", mrn="STAYS-1", gender="female"),
    )
    chart(retired)
    assert page(retired, "merge") in admin_browser.get(page(retired)).content.decode()
    choose = admin_browser.get(page(retired, "merge"), {"q": "stays-1"})
    assert [row.pk for row in choose.context["matches"]] == [survivor.pk]
    assert f"?into={survivor.pk}" in choose.content.decode()
    shown = admin_browser.get(into(retired, survivor)).content.decode()
    for text in ("5550101", "5550102", "STAYS-1", retired.mrn, "The genders differ: male and female", "chart entries 1"):
        assert text in shown, text
    assert not Merge.objects.exists()
    assert AuditEvent.objects.filter(action="patient.merge_previewed", patient_id=retired.pk).exists()
    assert "No other patient found" in admin_browser.get(page(retired, "merge"), {"q": "zzz"}).content.decode()


def test_the_chosen_values_are_kept_and_the_old_page_leads_to_the_survivor(admin_browser: Client) -> None:
    retired, survivor = register_patient("Jon", phone="5550101"), register_patient("John", phone="5550102")
    answers = {"first_name": "survivor", "phone": "retired", "reason": "The same passport"}
    assert admin_browser.post(into(retired, survivor), answers).status_code == 302
    survivor.refresh_from_db()
    assert (survivor.first_name, survivor.phone) == ("John", "5550101")
    assert Merge.objects.get().reason == "The same passport"
    assert admin_browser.get(page(retired)).headers["Location"] == page(survivor)
    assert admin_browser.get("/admin/patients/patient/", {"q": retired.mrn}).headers["Location"] == page(survivor)
    listed = admin_browser.get("/admin/patients/patient/").context["cl"].result_list
    assert [row.pk for row in listed] == [survivor.pk]


@pytest.mark.parametrize("tab", ["change", "details"])
def test_what_was_typed_into_a_record_that_was_merged_meanwhile_is_shown_to_copy(staff: dict[str, User], tab: str) -> None:
    retired, survivor = register_patient("Jon", phone="5550101"), register_patient("John", phone="5550102")
    client = browser(staff["receptionist"])
    form = client.get(page(retired, "details")).context["adminform"].form
    merge(retired, survivor)
    sent = sendable(form) | {"street": "1 New Street", "gender": "female", "date_of_birth": "about 19x"}
    draft = {"path": page(retired, tab), "user_id": staff["receptionist"].pk, "fields": {"street": ["1 New Street"]}}
    drafts.keep(**draft, fills_form=False)
    response = client.post(page(retired, tab), sent)
    assert response.status_code == 200
    assert dict(response.context["typed"]) == {"Date of birth": "about 19x", "Gender": "Female", "Street": "1 New Street"}
    text = response.content.decode()
    assert "Nothing was saved: this record was merged into" in text
    assert survivor.mrn in text
    assert page(survivor) in text
    assert Draft.objects.exists()
    survivor.refresh_from_db()
    assert survivor.street == ""


def test_a_merge_without_a_reason_is_not_done_and_keeps_the_answers(admin_browser: Client) -> None:
    retired, survivor = register_patient(phone="5550101"), register_patient(phone="5550102")
    response = admin_browser.post(into(retired, survivor), {"phone": "retired", "reason": " "})
    assert "This field is required" in response.content.decode()
    assert response.context["form"]["phone"].value() == "retired"
    assert not Merge.objects.exists()


def test_rows_that_cannot_coexist_are_shown_on_the_page(admin_browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise services.CannotStandTogether(model="patients.PatientIdentifier")

    monkeypatch.setattr(services, "merge", refuse)
    assert (
        "conflict under one patient"
        in admin_browser.post(into(register_patient(), register_patient()), {"reason": "x"}).content.decode()
    )


def test_nothing_is_merged_into_a_record_that_was_itself_merged_meanwhile(admin_browser: Client) -> None:
    retired, survivor, third = register_patient(), register_patient(), register_patient()
    address = into(retired, survivor)
    merge(survivor, third)
    assert admin_browser.post(address, {"reason": "x"}).headers["Location"] == into(retired, third)
    assert Merge.objects.count() == 1


@pytest.mark.parametrize("query", ["", "?into=", "?into=abc", "?into=00000000-0000-7000-8000-000000000000", "?q=%25"])
def test_an_address_without_a_patient_asks_which_record_survives(admin_browser: Client, query: str) -> None:
    assert "Which record do you keep?" in admin_browser.get(page(register_patient(), "merge") + query).content.decode()


def test_a_record_is_not_merged_into_itself_by_its_address(admin_browser: Client) -> None:
    patient = register_patient()
    assert "Which record do you keep?" in admin_browser.get(into(patient, patient)).content.decode()


def test_only_an_administrator_finds_or_opens_the_pages(staff: dict[str, User]) -> None:
    retired, survivor = register_patient(), register_patient()
    done = merge(register_patient(), survivor)
    for role in set(staff) - {"admin", "manager"}:
        client = browser(staff[role])
        assert page(retired, "merge") not in client.get(page(retired)).content.decode()
        for address in (into(retired, survivor), page(retired, "merge"), MERGES, f"{MERGES}{done.pk}/undo/"):
            assert client.get(address).status_code in (403, 404), (role, address)
            assert client.post(address, {"reason": "x"}).status_code in (403, 404), (role, address)
    assert Merge.objects.filter(undone_at=None).count() == 1


def test_a_merge_is_listed_read_and_taken_back(admin_browser: Client) -> None:
    retired, survivor = register_patient("Jon", phone="5550101"), register_patient("John")
    chart(retired)
    done = merge(retired, survivor)
    assert [row.pk for row in admin_browser.get(MERGES).context["cl"].result_list] == [done.pk]
    shown = admin_browser.get(f"{MERGES}{done.pk}/change/").content.decode()
    for text in ("chart entries: 1", "5550101", "The same passport", page(survivor)):
        assert text in shown, text
    assert AuditEvent.objects.filter(action="merge.read", object_id=done.pk).exists()
    assert admin_browser.post(f"{MERGES}{done.pk}/undo/").status_code == 302
    done.refresh_from_db()
    assert done.undone_at is not None
    assert "already been undone" in admin_browser.post(f"{MERGES}{done.pk}/undo/").content.decode()
    assert admin_browser.get(page(retired)).status_code == 200


def test_what_an_undo_left_is_decided_row_by_row(admin_browser: Client, staff: dict[str, User]) -> None:
    retired, survivor = register_patient("Jon"), register_patient("John", city="Here")
    done, entry = undone(staff, retired, survivor, city="There")
    merge(register_patient("Ann"), register_patient("Bea"))
    assert [row.pk for row in admin_browser.get(MERGES, {"state": "waiting"}).context["cl"].result_list] == [done.pk]
    address = f"{MERGES}{done.pk}/settle/"
    shown = admin_browser.get(address).content.decode()
    assert "Letter of the employer" in shown
    assert "now There, before the merge Here" in shown
    of_entry = MergeTriage.objects.get(row_id=str(entry.pk))
    of_address = MergeTriage.objects.get(row_id="address")
    assert admin_browser.post(address, {f"row_{of_entry.pk}": "retired"}).status_code == 302
    entry.refresh_from_db()
    assert entry.patient_id == retired.pk
    assert admin_browser.post(address, {f"row_{of_address.pk}": "survivor"}).status_code == 302
    survivor.refresh_from_db()
    assert survivor.city == "There"
    assert not admin_browser.get(MERGES, {"state": "waiting"}).context["cl"].result_list
    assert admin_browser.get(address).status_code == 403


def test_what_an_administrator_may_not_read_of_a_chart_is_not_shown_here(staff: dict[str, User], settings: Any) -> None:
    settings.HIMS_ADMIN_CLINICAL = False
    done, _ = undone(staff, register_patient("Jon"), register_patient("John"), city="There")
    shown = browser(staff["admin"]).get(f"{MERGES}{done.pk}/settle/").content.decode()
    assert "chart entry" in shown
    assert "Letter of the employer" not in shown
