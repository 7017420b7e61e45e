from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.audit.models import AuditEvent
from apps.patients import services
from apps.patients.chart import banner
from apps.patients.models import ChartEntry, Patient
from apps.patients.tests.factories import chart, register_patient

pytestmark = pytest.mark.django_db
LIST = "/admin/patients/patient/"


def registration(**answers: Any) -> dict[str, Any]:
    return {
        "first_name": "Rosa",
        "last_name": "Martín",
        "date_of_birth": "1990-02-03",
        "gender": "female",
        "phone": "(415) 555-0134",
    } | answers


def change(client: Client, patient: Patient, **answers: Any) -> Any:
    """Load the form, change what is named, send it."""
    address = reverse("admin:patients_patient_details", args=[patient.pk])
    form = client.get(address).context["adminform"].form
    return client.post(address, sendable(form) | answers)


def sendable(form: Any) -> dict[str, Any]:
    """What a browser would send of a form as it was shown."""
    values: dict[str, Any] = {}
    for name in form.fields:
        value = form[name].value()
        if name.endswith("_at"):
            with timezone.override(settings.CLINIC_TIME_ZONE):
                parts = value if isinstance(value, list) else form.fields[name].widget.decompress(value)
            first, second = parts
            values |= {f"{name}_0": first or "", f"{name}_1": second or ""}
        else:
            values[name] = "" if value is None else value
    return values


def entry_page(patient: Patient, kind: str) -> str:
    return f"{reverse('admin:patients_chartentry_add')}?patient={patient.pk}&type={kind}"


def chart_page(patient: Patient, **query: str) -> str:
    return f"{reverse('admin:patients_chartentry_changelist')}?patient={patient.pk}" + "".join(
        f"&{k}={v}" for k, v in query.items()
    )


# Patients


def test_a_receptionist_registers_a_patient_who_is_given_an_mrn(staff: dict[str, User]) -> None:
    response = browser(staff["receptionist"]).post(LIST + "add/", registration())
    patient = Patient.objects.get()
    assert response.headers["Location"] == reverse("admin:patients_patient_change", args=[patient.pk])
    assert patient.mrn.startswith("MRN")
    assert patient.phone_e164 == "+14155550134"
    assert AuditEvent.objects.get(action="patient.registered").user_id == staff["receptionist"].pk


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"date_of_birth": "2999-01-01"}, "date_of_birth"),
        ({"date_of_birth": "yesterday"}, "date_of_birth"),
        ({"mrn": "no blanks"}, "mrn"),
        ({"mrn": "mrn-taken"}, "mrn"),
        ({"first_name": " ", "last_name": "  "}, "last_name"),
        ({"last_name": "\u200b"}, "last_name"),
        ({"date_of_birth": ""}, "date_of_birth"),
        ({"age": "50"}, "age"),
        ({"date_of_birth": "1980-13"}, "date_of_birth"),
        ({"date_of_birth": "1980", "time_of_birth": "05:00"}, "time_of_birth"),
        ({"gender": "x"}, "gender"),
        ({"phone": "12"}, "phone"),
        ({"email": "nobody"}, "email"),
        ({"first_name": "A\x00"}, "first_name"),
    ],
)
def test_an_invalid_registration_is_refused_at_the_field_and_nothing_is_lost(
    staff: dict[str, User], answers: dict[str, str], field: str
) -> None:
    register_patient(mrn="MRN-TAKEN")
    response = browser(staff["receptionist"]).post(LIST + "add/", registration(city="Oakland", **answers))
    form = response.context["adminform"].form
    assert response.status_code == 200
    assert field in form.errors
    assert form["city"].value() == "Oakland"
    assert Patient.objects.count() == 1


def test_the_mrn_is_read_only_once_it_is_given(staff: dict[str, User]) -> None:
    patient = register_patient(mrn="MRN-OLD")
    assert change(browser(staff["admin"]), patient, mrn="MRN-NEW", city="Oakland").status_code == 302
    patient.refresh_from_db()
    assert (patient.mrn, patient.city) == ("MRN-OLD", "Oakland")


def test_only_what_was_changed_is_written_and_announced(staff: dict[str, User]) -> None:
    patient = register_patient(phone="415 555 0134", deceased_at=timezone.now() - timedelta(days=1))
    change(browser(staff["nurse"]), patient, last_name="Roe")
    assert AuditEvent.objects.filter(action="patient.updated", patient_id=patient.pk).count() == 1
    before = Patient.objects.get(pk=patient.pk).updated_at
    change(browser(staff["nurse"]), patient)
    assert Patient.objects.get(pk=patient.pk).updated_at == before


def test_billing_may_change_the_insurance_and_nothing_else(staff: dict[str, User]) -> None:
    patient, client = register_patient(emergency_name="Jane Doe"), browser(staff["billing"])
    address = reverse("admin:patients_patient_change", args=[patient.pk])
    assert "Jane Doe" not in client.get(address).content.decode()
    assert set(client.get(address).context["adminform"].form.fields) == {
        "insurance_provider",
        "insurance_policy_number",
        "insurance_group_number",
        "version",
    }
    change(client, patient, insurance_provider="Aetna", last_name="Stolen")
    patient.refresh_from_db()
    assert (patient.insurance_provider, patient.last_name) == ("Aetna", "Doe")


@pytest.mark.parametrize("role", ["pharmacist", "lab_technician"])
def test_pharmacy_and_laboratory_read_a_patient_without_address_and_change_nothing(staff: dict[str, User], role: str) -> None:
    patient, client = (
        register_patient(street="12 Elm Street", insurance_provider="Aetna", emergency_name="Jane"),
        browser(staff[role]),
    )
    address = reverse("admin:patients_patient_change", args=[patient.pk])
    page = client.get(address).content.decode()
    assert not [word for word in ("12 Elm Street", "Aetna", "Jane", 'name="_save"') if word in page]
    assert client.post(address, {"last_name": "Roe"}).status_code == 403


def test_the_page_finds_the_same_patients_as_the_api(staff: dict[str, User]) -> None:
    client, wanted = browser(staff["receptionist"]), register_patient("Zoë", "O'Brien", date(1981, 6, 16), phone="(415) 555-0134")
    register_patient("Other", "Person")
    for text in ("obrien zoe", "o'bri", "415 555 0134", "16 June 1981", wanted.mrn[:6] + " obrien"):
        opened = client.get(LIST, {"q": text}).headers["Location"]
        assert opened == reverse("admin:patients_patient_change", args=[wanted.pk]), text
    row = AuditEvent.objects.filter(action="patient.searched").order_by("-at").first()
    assert (row.detail["door"], row.detail["shown"]) == ("admin", 1)


def test_a_scanned_mrn_opens_the_patient(staff: dict[str, User]) -> None:
    patient = register_patient(mrn="MRN-77")
    response = browser(staff["nurse"]).get(LIST, {"q": "mrn-77"})
    assert response.headers["Location"] == reverse("admin:patients_patient_change", args=[patient.pk])


def test_a_patient_is_deactivated_and_reactivated_by_those_who_may(staff: dict[str, User]) -> None:
    patient, client = register_patient(), browser(staff["receptionist"])
    address = reverse("admin:patients_patient_deactivate", args=[patient.pk])
    assert browser(staff["nurse"]).post(address).status_code == 403
    assert client.post(address).status_code == 302
    assert "already inactive" in client.post(address).content.decode()
    assert client.post(reverse("admin:patients_patient_reactivate", args=[patient.pk])).status_code == 302
    actions = AuditEvent.objects.filter(patient_id=patient.pk).values_list("action", flat=True)
    assert {"patient.deactivated", "patient.reactivated"} <= set(actions)


def test_two_people_at_one_record_the_second_is_shown_both_versions(staff: dict[str, User]) -> None:
    patient, client = register_patient(city="Oakland"), browser(staff["receptionist"])
    address = reverse("admin:patients_patient_change", args=[patient.pk])
    mine = sendable(client.get(address).context["adminform"].form) | {"city": "Berkeley"}
    services.amend(by=staff["nurse"], patient_id=patient.pk, changes={"city": "San Jose", "phone": "415 555 0134"})
    response = client.post(address, mine)
    clash = response.context["adminform"].form.clash
    assert clash.who == staff["nurse"].full_name
    assert {(row.label, row.mine, row.theirs) for row in clash.differences} == {
        ("City", "Berkeley", "San Jose"),
        ("Phone", "(empty)", "415 555 0134"),
    }
    assert 'value="Berkeley"' in response.content.decode()
    patient.refresh_from_db()
    assert patient.city == "San Jose"


def test_the_list_of_patients_costs_few_queries(staff: dict[str, User], django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        register_patient(f"P{number}")
    client = browser(staff["nurse"])
    with django_assert_max_num_queries(12):
        client.get(LIST)


# The banner


def test_the_banner_tells_the_three_states_of_the_allergy_list_apart(staff: dict[str, User]) -> None:
    patient, nurse = register_patient(), staff["nurse"]
    address = reverse("admin:patients_patient_change", args=[patient.pk])
    client = browser(nurse)
    assert "Allergies not asked" in client.get(address).content.decode()
    client.post(reverse("admin:patients_patient_no_known_allergies", args=[patient.pk]))
    assert "No known allergies" in client.get(address).content.decode()
    chart(patient, "allergy", "Penicillin")
    page = client.get(address).content.decode()
    assert 'class="allergy has"' in page
    assert "Penicillin" in page


def test_the_banner_names_no_allergy_to_those_who_may_not_know(staff: dict[str, User]) -> None:
    patient = register_patient()
    chart(patient, "allergy", "Penicillin")
    for role in ("receptionist", "billing"):
        assert (
            "Penicillin"
            not in browser(staff[role]).get(reverse("admin:patients_patient_change", args=[patient.pk])).content.decode()
        )
    shown = banner.of(Patient.objects.get(), staff["receptionist"])
    assert (shown.allergy_status, shown.allergies) == ("", ())


def test_the_banner_says_who_it_is_on_every_page_of_the_patient(staff: dict[str, User]) -> None:
    patient = register_patient("Ann", "Lee", date(2000, 1, 2), gender="female", mrn="MRN-5")
    entry = chart(patient)
    client = browser(staff["doctor"])
    pages = [
        reverse("admin:patients_patient_change", args=[patient.pk]),
        chart_page(patient),
        entry_page(patient, "note"),
        reverse("admin:patients_chartentry_change", args=[entry.pk]),
        reverse("admin:patients_chartentry_retract", args=[entry.pk]),
    ]
    for address in pages:
        page = client.get(address).content.decode()
        assert "LEE, Ann" in page, address
        assert "2 Jan 2000" in page, address
        assert "MRN-5" in page, address


# Charts


def test_a_receptionist_opens_no_chart(staff: dict[str, User]) -> None:
    patient = register_patient()
    entry = chart(patient)
    client = browser(staff["receptionist"])
    addresses = [chart_page(patient), reverse("admin:patients_chartentry_change", args=[entry.pk]), entry_page(patient, "note")]
    assert {client.get(address).status_code for address in addresses} == {403}
    assert ">Chart<" not in client.get(reverse("admin:patients_patient_change", args=[patient.pk])).content.decode()


def test_billing_sees_codes_and_no_narrative(staff: dict[str, User]) -> None:
    patient = register_patient()
    entry = chart(patient, code_system="ICD-10-CM", code="I10", detail={"note": "worried about work"})
    chart(patient, "note", "Private", detail={"text": "family trouble"})
    chart(patient, display="Uncoded complaint")
    client = browser(staff["billing"])
    listed = client.get(chart_page(patient)).content.decode()
    shown = client.get(reverse("admin:patients_chartentry_change", args=[entry.pk])).content.decode()
    assert "I10" in listed
    assert "I10" in shown
    hidden = ("worried about work", "Private", "family trouble", "Uncoded complaint")
    assert not [word for word in hidden if word in listed + shown]


def test_the_laboratory_reads_results_and_allergies_only(staff: dict[str, User]) -> None:
    patient = register_patient()
    chart(patient, "lab_result", "Potassium", value=4.1, unit="mmol/L")
    chart(patient, "note", "Private")
    listed = browser(staff["lab_technician"]).get(chart_page(patient))
    assert [row.display for row in listed.context["cl"].result_list] == ["Potassium"]


def test_a_chart_is_opened_for_one_patient_and_that_is_on_record(staff: dict[str, User]) -> None:
    patient, other = register_patient(), register_patient("Other")
    chart(other, display="Of another patient")
    client = browser(staff["doctor"])
    assert "Of another patient" not in client.get(chart_page(patient)).content.decode()
    row = AuditEvent.objects.get(action="chart.read")
    assert (row.patient_id, row.user_id) == (patient.pk, staff["doctor"].pk)
    assert client.get(reverse("admin:patients_chartentry_changelist")).headers["Location"] == LIST
    assert client.get(reverse("admin:patients_chartentry_changelist") + "?patient=abc").status_code == 404


def test_a_doctor_records_an_entry_of_its_kind(staff: dict[str, User]) -> None:
    patient, client = register_patient(), browser(staff["doctor"])
    answers = {"display": "Penicillin", "status": "active", "detail_severity": "severe", "detail_reaction": "hives"}
    response = client.post(entry_page(patient, "allergy"), answers)
    assert response.headers["Location"] == chart_page(patient)
    entry = ChartEntry.objects.get()
    assert (entry.type, entry.detail, entry.recorded_by_id, entry.source) == (
        "allergy",
        {"severity": "severe", "reaction": "hives"},
        staff["doctor"].pk,
        "manual",
    )
    patient.refresh_from_db()
    assert patient.allergy_status == "listed"


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"display": ""}, "display"),
        ({"display": "x", "code": "I10"}, "code_system"),
        ({"display": "x", "occurred_at_0": "2999-01-01", "occurred_at_1": "10:00"}, "occurred_at"),
        ({"display": "x", "occurred_at_0": "1930-01-01", "occurred_at_1": "10:00"}, "occurred_at"),
        ({"display": "x", "status": "unheard of"}, "status"),
    ],
)
def test_an_entry_that_is_not_valid_is_refused_at_the_field(staff: dict[str, User], answers: dict[str, str], field: str) -> None:
    response = browser(staff["doctor"]).post(
        entry_page(register_patient(), "diagnosis"), {"status": "active", "detail_note": "kept"} | answers
    )
    form = response.context["adminform"].form
    assert response.status_code == 200
    assert field in form.errors
    assert form["detail_note"].value() == "kept"
    assert not ChartEntry.objects.exists()


def test_a_pharmacist_records_allergies_and_nothing_else(staff: dict[str, User]) -> None:
    patient, client = register_patient(), browser(staff["pharmacist"])
    assert client.post(entry_page(patient, "diagnosis"), {"display": "x", "status": "active"}).status_code == 403
    assert client.post(entry_page(patient, "allergy"), {"display": "Latex", "status": "active"}).status_code == 302
    assert ChartEntry.objects.get().display == "Latex"


def test_an_entry_cannot_be_edited(staff: dict[str, User]) -> None:
    entry = chart(register_patient())
    address = reverse("admin:patients_chartentry_change", args=[entry.pk])
    client = browser(staff["doctor"])
    assert 'name="_save"' not in client.get(address).content.decode()
    assert client.post(address, {"display": "Other"}).status_code == 403
    entry.refresh_from_db()
    assert entry.display == "Essential hypertension"


def test_an_entry_is_retracted_with_a_reason_and_stays_readable(staff: dict[str, User]) -> None:
    patient = register_patient()
    entry, client = chart(patient), browser(staff["doctor"])
    address = reverse("admin:patients_chartentry_retract", args=[entry.pk])
    assert "This field is required" in client.post(address, {"reason": " "}).content.decode()
    assert client.post(address, {"reason": "Wrong patient"}).status_code == 302
    entry.refresh_from_db()
    assert (entry.status, entry.retraction_reason, entry.retracted_by_id) == (
        "entered_in_error",
        "Wrong patient",
        staff["doctor"].pk,
    )
    assert "already been retracted" in client.post(address, {"reason": "again"}).content.decode()
    assert not client.get(chart_page(patient)).context["cl"].result_list
    assert len(client.get(chart_page(patient, include_retracted="true")).context["cl"].result_list) == 1


def test_what_a_patient_wrote_is_shown_as_text_never_as_markup(staff: dict[str, User]) -> None:
    patient = register_patient("<script>alert(1)</script>", "<b>Doe</b>")
    entry = chart(patient, detail={"note": "<img src=x onerror=alert(1)>"})
    client = browser(staff["doctor"])
    for address in (
        LIST,
        reverse("admin:patients_patient_change", args=[patient.pk]),
        reverse("admin:patients_chartentry_change", args=[entry.pk]),
    ):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
