"""The record of a patient: every entry in plain words, filtered by kind, with what comes next."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.patients import services
from apps.patients.models import ChartEntry, Patient
from apps.patients.tests.factories import chart, merge, register_patient

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 23, 18, 20, tzinfo=UTC)  # 10:20 in the clinic


def record(patient: Patient, **query: str) -> str:
    return f"{reverse('admin:patients_chartentry_changelist')}?patient={patient.pk}" + "".join(
        f"&{name}={value}" for name, value in query.items()
    )


def vital(patient: Patient, code: str, name: str, value: float, unit: str, at: datetime = AT) -> ChartEntry:
    return chart(patient, "vital_sign", name, code_system="LOINC", code=code, value=value, unit=unit, occurred_at=at)


def rows(user: User, patient: Patient, **query: str) -> list[Any]:
    return browser(user).get(record(patient, **query)).context["rows"]


def test_values_have_their_units_as_people_write_them(staff: dict[str, User]) -> None:
    patient = register_patient()
    vital(patient, "8310-5", "Body temperature", 37, "Cel")
    chart(patient, "lab_result", "eGFR", value=38, unit="mL/min/{1.73_m2}", detail={"flag": "low", "reference_range": ">= 60"})
    page = browser(staff["doctor"]).get(record(patient)).content.decode()
    for text in ("37 °C", "38 mL/min/1.73 m²", "≥ 60", "Low", "23 Nov 2026", "10:20"):
        assert text in page, text
    assert "Cel" not in strip_tags(page)


def test_both_readings_of_a_blood_pressure_are_one_row(staff: dict[str, User]) -> None:
    patient = register_patient()
    upper = vital(patient, "8480-6", "Systolic blood pressure", 120, "mm[Hg]")
    lower = vital(patient, "8462-4", "Diastolic blood pressure", 80, "mm[Hg]")
    vital(patient, "8480-6", "Systolic blood pressure", 150, "mm[Hg]", AT - timedelta(days=1))
    both, alone = rows(staff["doctor"], patient)
    assert (both.what, both.value) == ("Blood pressure", "120/80 mmHg")
    assert (alone.what, alone.value) == ("Systolic blood pressure", "150 mmHg")
    retract = [reverse("admin:patients_chartentry_retract", args=[entry.pk]) for entry in (upper, lower)]
    assert set(retract) < {url for _, url in both.links}


def test_a_row_names_its_author_its_status_and_its_dates(staff: dict[str, User]) -> None:
    patient = register_patient()
    services.record(
        by=staff["doctor"],
        patient_id=patient.pk,
        entry=services.NewEntry(
            type="diagnosis",
            display="Asthma",
            status="resolved",
            occurred_on="2015",
            ended_on="2019-03",
            code_system="ICD-10-CM",
            code="J45.909",
        ),
    )
    (row,) = rows(staff["nurse"], patient)
    assert (row.day, row.until, str(row.status.words), row.code) == ("2015", "Mar 2019", "Resolved", "J45.909")
    assert row.by == staff["doctor"].full_name
    assert staff["doctor"].username not in strip_tags(browser(staff["nurse"]).get(record(patient)).content.decode())


def test_chips_count_and_filter_the_kinds_that_the_role_reads(staff: dict[str, User]) -> None:
    patient = register_patient()
    for kind in ("allergy", "diagnosis", "diagnosis", "note"):
        chart(patient, kind, f"One {kind}")
    response = browser(staff["doctor"]).get(record(patient, type="diagnosis"))
    numbers = {str(chip.label): chip.number for chip in response.context["chips"]}
    assert (numbers["All"], numbers["Allergies"], numbers["Problems"], numbers["Vaccines"]) == (4, 1, 2, 0)
    assert [chip.label for chip in response.context["chips"] if chip.is_current] == ["Problems"]
    assert {row.what for row in response.context["rows"]} == {"One diagnosis"}
    pharmacist = browser(staff["pharmacist"]).get(record(patient)).context["chips"]
    assert [str(chip.label) for chip in pharmacist] == ["All", "Allergies", "Medicines", "Problems"]


def test_entries_in_error_are_shown_on_request_with_the_reason(staff: dict[str, User]) -> None:
    patient = register_patient()
    entry = chart(patient, "allergy", "Latex")
    address = reverse("admin:patients_chartentry_retract", args=[entry.pk])
    done = browser(staff["doctor"]).post(address, {"reason": "Wrong patient"})
    assert done.headers["Location"] == record(patient)
    assert not rows(staff["doctor"], patient)
    (row,) = rows(staff["doctor"], patient, include_retracted="true")
    assert (str(row.status.words), row.is_error) == ("Entered in error", True)
    assert "Wrong patient" in row.why_error
    assert staff["doctor"].full_name in row.why_error


def test_an_empty_record_says_what_to_do_next(staff: dict[str, User]) -> None:
    patient = register_patient()
    page = browser(staff["nurse"]).get(record(patient, type="allergy")).content.decode()
    assert "No allergies are recorded" in page
    assert f"{reverse('admin:patients_chartentry_add')}?patient={patient.pk}&amp;type=allergy" in page
    assert reverse("admin:patients_patient_no_known_allergies", args=[patient.pk]) in page
    assert "Add an allergy" not in browser(staff["lab_technician"]).get(record(patient)).content.decode()


def test_the_record_costs_the_same_for_few_and_for_many_entries(
    staff: dict[str, User], django_assert_max_num_queries: Any
) -> None:
    patient, client, counts = register_patient(), browser(staff["doctor"]), []
    for number in (2, 60):
        for place in range(number):
            vital(patient, "8310-5", "Body temperature", 37, "Cel", clock.now() - timedelta(hours=place))
        chart(patient, "allergy", f"Latex {number}")
        ChartEntry.objects.update(recorded_by=staff["nurse"])
        with django_assert_max_num_queries(25) as queries:
            response = client.get(record(patient) + "&from=queue")
        assert response.status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert len(response.context["rows"]) == 50
    assert "p=2" in response.content.decode()


def test_a_time_in_a_form_is_the_clinics(staff: dict[str, User]) -> None:
    patient = register_patient()
    address = f"{reverse('admin:patients_chartentry_add')}?patient={patient.pk}&type=diagnosis"
    assert "Clinic time, now " in browser(staff["doctor"]).get(address).content.decode()


def test_an_address_with_two_patients_shows_the_entries_of_the_one_in_the_banner(staff: dict[str, User]) -> None:
    first, second = register_patient("Ann", "Lee"), register_patient("Bea", "Roe")
    chart(first, "allergy", "Latex")
    chart(second, "allergy", "Penicillin")
    response = browser(staff["doctor"]).get(f"{record(first)}&patient={second.pk}")
    assert [row.what for row in response.context["rows"]] == ["Penicillin"]
    assert response.context["banner"].mrn == second.mrn
    assert AuditEvent.objects.get(action="chart.read").patient_id == second.pk


def test_the_record_of_a_merged_patient_leads_to_the_kept_one(staff: dict[str, User]) -> None:
    retired, kept = register_patient("Bea", "Roe"), register_patient("Cora", "Lee")
    chart(kept, "allergy", "Latex")
    merge(retired, kept)
    client = browser(staff["doctor"])
    listed = client.get(record(retired, type="allergy", **{"from": "queue"}), follow=True)
    assert listed.redirect_chain == [(record(kept, type="allergy", **{"from": "queue"}), 302)]
    assert [row.what for row in listed.context["rows"]] == ["Latex"]
    assert "was merged into this one" in listed.content.decode()
    add = f"{reverse('admin:patients_chartentry_add')}?patient="
    assert client.get(f"{add}{retired.pk}&type=note").headers["Location"] == f"{add}{kept.pk}&type=note"
    refused = client.post(f"{add}{retired.pk}&type=note", {"display": "Letter of the employer"})
    assert refused.status_code == 200
    assert "Letter of the employer" in refused.content.decode()
    assert not ChartEntry.objects.filter(type="note").exists()


def test_the_form_of_a_new_entry_is_audited_for_its_patient(staff: dict[str, User]) -> None:
    patient, client = register_patient(), browser(staff["nurse"])
    client.get(f"{reverse('admin:patients_chartentry_add')}?patient={patient.pk}&type=allergy")
    row = AuditEvent.objects.get(action="chart.asked_for")
    assert (row.user_id, row.patient_id) == (staff["nurse"].pk, patient.pk)
