"""Patients over HTTP, as the reference prints them."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.audit.models import AuditEvent
from apps.events.models import OutboxEvent
from apps.patients import services
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

JANE = {
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
ROW_KEYS = {"id", "mrn", "first_name", "last_name", "date_of_birth", "phone", "email", "is_active"}


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> Any:
    return api_client(staff["receptionist"])


@pytest.fixture
def doctor(staff: dict[str, User]) -> Any:
    return api_client(staff["doctor"])


def register(who: Any, **changes: Any) -> Any:
    body = JANE | changes
    return who.post("/patients", {name: value for name, value in body.items() if value is not ...})


def test_the_references_registration_gives_the_references_detail(receptionist_api: Any) -> None:
    reply = register(receptionist_api)
    patient = reply.json()["data"]["patient"]
    assert reply.status_code == 201
    assert reply.headers["Location"] == f"/v1/patients/{patient['id']}"
    assert patient["mrn"] == "MRN002"
    assert (
        patient["demographics"] | {"first_name": "Jane", "last_name": "Smith", "date_of_birth": "1985-03-20", "gender": "female"}
        == patient["demographics"]
    )
    assert patient["contact"] == {"phone": JANE["phone"], "email": JANE["email"], "address": JANE["address"]}
    assert patient["emergency_contact"] == JANE["emergency_contact"]
    assert patient["insurance"] == {"provider": "", "policy_number": "", "group_number": ""}
    assert receptionist_api.get(f"/patients/{patient['id']}").json()["data"]["patient"] == patient


def test_a_number_that_cannot_be_dialled_is_kept_and_pointed_out(receptionist_api: Any) -> None:
    assert [row["code"] for row in register(receptionist_api).json()["warnings"]] == ["phone_not_valid"]
    assert "warnings" not in register(receptionist_api, mrn=..., first_name="Other", phone="(213) 373-4253").json()


def test_a_namesake_born_the_same_day_is_a_warning_never_a_block(receptionist_api: Any) -> None:
    first = register(receptionist_api).json()["data"]["patient"]["id"]
    reply = register(receptionist_api, mrn=..., first_name="JANE", phone="")
    assert reply.status_code == 201
    (warning,) = reply.json()["warnings"]
    assert warning["code"] == "possible_duplicate"
    assert [row["id"] for row in warning["patients"]] == [first]
    assert set(warning["patients"][0]) == ROW_KEYS


def test_registration_is_accepted_nested_too(receptionist_api: Any) -> None:
    nested = {
        "demographics": {"first_name": "Ann", "last_name": "Lee", "date_of_birth": "2001-01-31", "gender": "other"},
        "contact": {"phone": "", "address": {"city": "Here"}},
        "insurance": {"provider": "Blue Cross", "policy_number": "BC1", "group_number": "G1"},
    }
    patient = receptionist_api.post("/patients", nested).json()["data"]["patient"]
    assert patient["demographics"]["first_name"] == "Ann"
    assert patient["contact"]["address"]["city"] == "Here"
    assert patient["insurance"] == nested["insurance"]


def test_flat_and_nested_that_differ_are_refused_and_that_agree_are_not(receptionist_api: Any) -> None:
    assert (
        register(receptionist_api, demographics={"first_name": "June"}).json()["error"]["details"]["field"]
        == "demographics.first_name"
    )
    assert register(receptionist_api, demographics={"first_name": "Jane"}).status_code == 201


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"first_name": ...}, "first_name"),
        ({"first_name": "   "}, "first_name"),
        ({"first_name": None}, "first_name"),
        ({"first_name": 5}, None),
        ({"first_name": ["Jane"]}, "first_name"),
        ({"first_name": "x" * 101}, "first_name"),
        ({"first_name": "", "last_name": ""}, "last_name"),
        ({"first_name": "\u200b"}, "first_name"),
        ({"last_name": "\u202e\u202c"}, "last_name"),
        ({"date_of_birth": "1985-3"}, "date_of_birth"),
        ({"date_of_birth": "1985-13"}, "date_of_birth"),
        ({"age": 40}, "age"),
        ({"date_of_birth": ..., "age": 131}, "age"),
        ({"date_of_birth_precision": "year"}, "date_of_birth_precision"),
        ({"date_of_birth": "1985", "date_of_birth_precision": "month"}, "date_of_birth_precision"),
        ({"date_of_birth": "1985", "time_of_birth": "05:00"}, "time_of_birth"),
        ({"time_of_birth": "5 am"}, "time_of_birth"),
        ({"date_of_birth": "2085-03-20"}, "date_of_birth"),
        ({"date_of_birth": "1885-03-20"}, "date_of_birth"),
        ({"date_of_birth": "1985-02-30"}, "date_of_birth"),
        ({"date_of_birth": "20.3.1985"}, "date_of_birth"),
        ({"date_of_birth": 19850320}, "date_of_birth"),
        ({"date_of_birth": None}, "date_of_birth"),
        ({"gender": "F"}, "gender"),
        ({"gender": ...}, "gender"),
        ({"mrn": "has space"}, "mrn"),
        ({"mrn": ""}, "mrn"),
        ({"mrn": "x" * 41}, "mrn"),
        ({"mrn": "abc\n"}, None),
        ({"email": "nowhere"}, "email"),
        ({"phone": "call me"}, "phone"),
        ({"emergency_contact": {"phone": "x"}}, "emergency_contact.phone"),
        ({"address": "456 Oak Ave"}, "address"),
        ({"address": {"planet": "Mars"}}, "address.planet"),
        ({"role": "admin"}, "role"),
        ({"is_active": False}, "is_active"),
        ({"id": "00000000-0000-7000-8000-000000000000"}, "id"),
        ({"allergy_status": "none_known"}, "allergy_status"),
        ({"deceased_at": "2020-01-01T00:00:00"}, "deceased_at"),
        ({"deceased_at": "yesterday"}, "deceased_at"),
    ],
    ids=str,
)
def test_bad_input_names_the_field_and_writes_nothing(receptionist_api: Any, changes: dict[str, Any], field: str | None) -> None:
    before = OutboxEvent.objects.count()
    reply = register(receptionist_api, **changes)
    if field is None:  # read leniently: a number is a name's text, the trailing line break is trimmed
        assert reply.status_code in (201, 400)
        return
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "VALIDATION_ERROR"
    assert field in {row["field"] for row in reply.json()["error"]["details"]["errors"]}
    assert (Patient.objects.count(), OutboxEvent.objects.count()) == (0, before)


def test_every_wrong_field_is_named_at_once(receptionist_api: Any) -> None:
    details = receptionist_api.post("/patients", {"gender": "F", "date_of_birth": "x"}).json()["error"]["details"]
    assert {row["field"] for row in details["errors"]} == {"first_name", "last_name", "gender", "date_of_birth"}
    assert details["field"] == details["errors"][0]["field"]


def test_an_mrn_in_another_case_is_a_conflict(receptionist_api: Any) -> None:
    register(receptionist_api)
    reply = register(receptionist_api, mrn="mrn002", first_name="Else")
    assert (reply.status_code, reply.json()["error"]["code"], reply.json()["error"]["details"]["field"]) == (
        409,
        "CONFLICT",
        "mrn",
    )
    assert Patient.objects.count() == 1


def test_blanks_round_a_name_are_trimmed(receptionist_api: Any) -> None:
    assert register(receptionist_api, first_name="  Jane ").json()["data"]["patient"]["demographics"]["first_name"] == "Jane"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_changing_the_city_keeps_the_street(receptionist_api: Any, method: str) -> None:
    patient = register(receptionist_api).json()["data"]["patient"]["id"]
    for body in ({"address": {"city": "Newtown"}}, {"contact": {"address": {"city": "Newtown"}}}, {"city": "Newtown"}):
        reply = receptionist_api.call(method, f"/patients/{patient}", body)
        if "city" in body:
            assert reply.status_code == 400
        else:
            assert reply.json()["data"]["patient"]["contact"]["address"] == JANE["address"] | {"city": "Newtown"}


def test_null_clears_what_can_be_empty_and_nothing_else(receptionist_api: Any) -> None:
    patient = register(receptionist_api).json()["data"]["patient"]["id"]
    cleared = receptionist_api.put(
        f"/patients/{patient}", {"phone": None, "address": {"zip": None}, "emergency_contact": None}
    ).json()["data"]["patient"]
    assert cleared["contact"]["phone"] == ""
    assert cleared["contact"]["address"] == JANE["address"] | {"zip": ""}
    assert set(cleared["emergency_contact"].values()) == {""}
    for refused in ({"first_name": None}, {"demographics": None}):
        assert receptionist_api.put(f"/patients/{patient}", refused).status_code == 400


def test_an_mrn_cannot_be_changed_but_may_be_repeated(receptionist_api: Any) -> None:
    patient = register(receptionist_api).json()["data"]["patient"]["id"]
    assert receptionist_api.put(f"/patients/{patient}", {"mrn": "MRN003"}).status_code == 400
    assert receptionist_api.put(f"/patients/{patient}", {"mrn": "MRN002"}).status_code == 200


def test_a_patient_is_not_deleted_but_deactivated(receptionist_api: Any) -> None:
    patient = register(receptionist_api).json()["data"]["patient"]["id"]
    refused = receptionist_api.call("DELETE", f"/patients/{patient}")
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "GET, HEAD, PUT, PATCH"
    assert receptionist_api.post(f"/patients/{patient}/deactivate").json()["data"]["patient"]["is_active"] is False
    assert receptionist_api.post(f"/patients/{patient}/deactivate").status_code == 409
    assert receptionist_api.get("/patients?status=active").json()["data"]["pagination"]["total"] == 0
    assert receptionist_api.get("/patients?status=inactive").json()["data"]["pagination"]["total"] == 1
    assert receptionist_api.post(f"/patients/{patient}/reactivate").json()["data"]["patient"]["is_active"] is True


@pytest.mark.parametrize(
    "pk", ["x", "patient_001", "00000000-0000-7000-8000-000000000000", "%00", "' OR 1=1", "0" * 36, "{" + "0" * 34 + "}"]
)
def test_an_unknown_id_is_not_found(doctor: Any, pk: str) -> None:
    for path in (f"/patients/{pk}", f"/patients/{pk}/medical-history"):
        reply = doctor.get(path)
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert doctor.put(f"/patients/{pk}", {"phone": ""}).status_code in (403, 404)


def test_the_list_has_exactly_the_eight_keys_newest_first(receptionist_api: Any) -> None:
    for number in range(3):
        register_patient(first_name=f"P{'abc'[number]}")
    data = receptionist_api.get("/patients?limit=2").json()["data"]
    assert [row["first_name"] for row in data["patients"]] == ["Pc", "Pb"]
    assert set(data["patients"][0]) == ROW_KEYS
    assert data["pagination"].pop("next_cursor")
    assert data["pagination"] == {"page": 1, "limit": 2, "total": 3, "pages": 2}
    assert [row["first_name"] for row in receptionist_api.get("/patients?limit=2&page=2").json()["data"]["patients"]] == ["Pa"]
    assert receptionist_api.get("/patients?page=9").json()["data"]["patients"] == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=abc",
        "limit=1e9",
        "page=0",
        "page=999999999999",
        "status=dead",
        "search=" + "x" * 101,
        "sort=mrn",
    ],
)
def test_a_wrong_parameter_is_named(receptionist_api: Any, query: str) -> None:
    reply = receptionist_api.get(f"/patients?{query}")
    assert reply.status_code == 400
    assert reply.json()["error"]["details"]["field"] == query.split("=", maxsplit=1)[0]


def test_a_limit_above_the_most_is_reported_as_the_most(receptionist_api: Any) -> None:
    assert receptionist_api.get("/patients?limit=5000").json()["data"]["pagination"]["limit"] == 100


def test_roles_see_what_the_matrix_gives_them(staff: dict[str, User]) -> None:
    patient = register_patient(street="1 A St", insurance_provider="Blue Cross", emergency_name="Jane")
    seen = {
        role: api_client(user).get(f"/patients/{patient.pk}").json().get("data", {}).get("patient")
        for role, user in staff.items()
    }
    assert set(seen["manager"]) == {"id", "mrn", "is_active", "demographics", "contact", "created_at", "updated_at"}
    assert set(seen["manager"]["contact"]) == {"phone"}
    assert not {"gender", "language", "deceased_at", "time_of_birth"} & set(seen["manager"]["demographics"])
    for role in ("pharmacist", "lab_technician"):
        assert not {"emergency_contact", "insurance"} & set(seen[role])
        assert "address" not in seen[role]["contact"]
    assert "emergency_contact" not in seen["billing"]
    assert "allergy_status" not in seen["billing"]
    assert seen["billing"]["insurance"]["provider"] == "Blue Cross"
    for role in ("doctor", "nurse", "receptionist", "admin"):
        assert {"emergency_contact", "insurance"} <= set(seen[role])


def test_billing_changes_the_insurance_and_nothing_else(staff: dict[str, User]) -> None:
    patient = register_patient()
    clerk = api_client(staff["billing"])
    assert clerk.put(f"/patients/{patient.pk}", {"insurance": {"policy_number": "P1"}}).status_code == 200
    assert clerk.put(f"/patients/{patient.pk}", {"insurance": {"policy_number": "P2"}, "phone": "5550100"}).status_code == 403
    patient.refresh_from_db()
    assert (patient.insurance_policy_number, patient.phone) == ("P1", "")


# --- the chart


def test_a_history_is_read_by_kind_and_written_by_hand(doctor: Any, staff: dict[str, User]) -> None:
    patient = register_patient()
    body = {
        "type": "diagnosis",
        "code_system": "ICD-10-CM",
        "code": "I10",
        "display": "Essential hypertension",
        "occurred_at": "2024-05-01",
        "detail": {"note": "Newly found"},
    }
    written = doctor.post(f"/patients/{patient.pk}/medical-history", body)
    doctor.post(
        f"/patients/{patient.pk}/medical-history", {"type": "vital_sign", "display": "Pulse", "value": 72.5, "unit": "/min"}
    )
    record = written.json()["data"]["record"]
    assert written.status_code == 201
    assert {"id", "type", "code", "code_system", "display", "status", "recorded_at", "recorded_by", "detail", "source"} <= set(
        record
    )
    assert record["recorded_by"] == str(staff["doctor"].pk)
    assert doctor.get(written.headers["Location"].removeprefix("/v1")).json()["data"]["record"] == record
    everything = doctor.get(f"/patients/{patient.pk}/medical-history").json()["data"]
    assert [row["type"] for row in everything["records"]] == ["vital_sign", "diagnosis"]
    assert everything["records"][0]["detail"] == {"value": 72.5, "unit": "/min"}
    only = doctor.get(f"/patients/{patient.pk}/medical-history?type=diagnosis&limit=1&offset=0").json()["data"]
    assert [row["id"] for row in only["records"]] == [record["id"]]
    assert only["pagination"] == {"page": 1, "limit": 1, "total": 1, "pages": 1, "offset": 0}
    for query in ("type=diagnosis&type=vital_sign", "type=vital_sign,diagnosis"):
        assert doctor.get(f"/patients/{patient.pk}/medical-history?{query}").json()["data"] == everything


def test_history_refuses_odd_parameters_and_kinds(doctor: Any) -> None:
    patient = register_patient()
    for query, field in (("type=horoscope", "type"), ("page=1&offset=0", "offset"), ("offset=-1", "offset"), ("of=1", "of")):
        reply = doctor.get(f"/patients/{patient.pk}/medical-history?{query}")
        assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "horoscope", "display": "x"}, "type"),
        ({"type": "note"}, "display"),
        ({"type": "allergy", "display": "x", "detail": {"colour": "red"}}, "detail.colour"),
        ({"type": "diagnosis", "display": "x", "occurred_at": "2024-05-01T10:00:00"}, "occurred_at"),
        ({"type": "diagnosis", "display": "x", "occurred_at": "2999-05-01"}, "occurred_at"),
        ({"type": "allergy", "display": "x", "no_known_allergies": True}, "no_known_allergies"),
        ({"type": "lab_result", "display": "x", "value": "NaN"}, "value"),
        ({"type": "note", "display": "x", "recorded_by": "me"}, "recorded_by"),
    ],
    ids=str,
)
def test_a_bad_entry_names_the_field(doctor: Any, body: dict[str, Any], field: str) -> None:
    reply = doctor.post(f"/patients/{register_patient().pk}/medical-history", body)
    assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, field)


def test_no_known_allergies_is_recorded_and_shown(doctor: Any) -> None:
    patient = register_patient()
    assert (
        doctor.post(f"/patients/{patient.pk}/medical-history", {"type": "allergy", "no_known_allergies": True}).status_code == 201
    )
    assert doctor.get(f"/patients/{patient.pk}").json()["data"]["patient"]["allergy_status"] == "none_known"


def test_a_retracted_entry_is_shown_only_when_asked_for(doctor: Any) -> None:
    patient = register_patient()
    entry = doctor.post(f"/patients/{patient.pk}/medical-history", {"type": "note", "display": "Oops"}).json()["data"]["record"][
        "id"
    ]
    path = f"/patients/{patient.pk}/medical-history"
    assert doctor.post(f"{path}/{entry}/retract", {}).status_code == 400
    assert (
        doctor.post(f"{path}/{entry}/retract", {"reason": "Wrong patient"}).json()["data"]["record"]["status"]
        == "entered_in_error"
    )
    assert doctor.post(f"{path}/{entry}/retract", {"reason": "Again"}).status_code == 409
    assert doctor.get(path).json()["data"]["records"] == []
    (shown,) = doctor.get(f"{path}?include_retracted=true").json()["data"]["records"]
    assert [doctor.get(f"{path}?include_retracted={yes}").json()["data"]["records"] for yes in ("1", "True")] == [[shown]] * 2
    assert shown["detail"]["retraction_reason"] == "Wrong patient"
    assert doctor.call("DELETE", f"{path}/{entry}").status_code == 405


def test_a_role_asking_for_a_kind_it_may_not_read_is_refused(staff: dict[str, User]) -> None:
    patient = register_patient()
    lab, receptionist_api = api_client(staff["lab_technician"]), api_client(staff["receptionist"])
    assert lab.get(f"/patients/{patient.pk}/medical-history?type=allergy").status_code == 200
    assert lab.get(f"/patients/{patient.pk}/medical-history?type=note").status_code == 403
    assert lab.get(f"/patients/{patient.pk}/medical-history?type=allergy,note").status_code == 403
    assert receptionist_api.get(f"/patients/{patient.pk}/medical-history").status_code == 403


def test_without_the_clinical_lever_an_administrator_reads_no_chart(staff: dict[str, User], settings: Any) -> None:
    patient = register_patient()
    path = f"/patients/{patient.pk}/medical-history"
    assert api_client(staff["admin"]).get(path).status_code == 200
    settings.HIMS_ADMIN_CLINICAL = False
    assert api_client(staff["admin"]).get(path).status_code == 403


# --- the audit log, and what it costs


def test_every_look_is_on_record(doctor: Any, staff: dict[str, User]) -> None:
    patient = register_patient()
    before = AuditEvent.objects.count()
    doctor.get("/patients?search=doe")
    doctor.get(f"/patients/{patient.pk}")
    doctor.get(f"/patients/{patient.pk}/medical-history?type=note")
    rows = list(AuditEvent.objects.order_by("id"))[before:]
    assert [(row.action, row.outcome, row.patient_id) for row in rows] == [
        ("patient.searched", "success", None),
        ("patient.read", "success", patient.pk),
        ("chart.read", "success", patient.pk),
    ]
    assert {row.user_id for row in rows} == {staff["doctor"].pk}
    assert rows[0].detail == {"query": {"search": "doe"}, "shown": 1}
    assert all(row.request_id.startswith("req_") and row.role == "doctor" for row in rows)


def test_a_write_that_fails_leaves_no_row_of_the_trail_and_no_fact(
    receptionist_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit, outbox = AuditEvent.objects.count(), OutboxEvent.objects.count()
    monkeypatch.setattr(services.registry, "_write_words", lambda words: 1 / 0)
    assert register(receptionist_api).status_code == 500
    assert (Patient.objects.count(), AuditEvent.objects.count(), OutboxEvent.objects.count()) == (0, audit, outbox)


def statements(who: Any, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as caught:
        assert who.get(path).status_code == 200
    return [
        row["sql"]
        for row in caught
        if row["sql"].split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH") and row["sql"] != "SELECT 1"
    ]


def test_reading_costs_the_same_few_statements_however_much_is_shown(doctor: Any) -> None:
    patients = [register_patient(first_name=f"Anna{'abcdefghij'[number % 10]}") for number in range(30)]
    for number in range(30):
        doctor.post(f"/patients/{patients[0].pk}/medical-history", {"type": "note", "display": f"Note {number}"})
    around = 2  # the session, and the audit row
    ceilings = {
        "/patients?limit={}": 2,
        "/patients?search=anna&limit={}": 4,  # who is hidden, who is called so, who has a nickname of it, the page
        f"/patients/{patients[0].pk}/medical-history?limit={{}}": 3,
    }
    for path, most in ceilings.items():
        counts = {len(statements(doctor, path.format(limit))) for limit in (1, 20, 100)}
        assert counts == {most + around}, f"{path}: {counts}"
    assert len(statements(doctor, f"/patients/{patients[0].pk}")) == 1 + around


def test_money_and_numbers_go_over_the_wire_exactly(doctor: Any) -> None:
    patient = register_patient()
    raw = '{"type": "lab_result", "display": "Sodium", "value": 139.10000001, "unit": "mmol/L"}'
    body = doctor.post(f"/patients/{patient.pk}/medical-history", raw).content
    assert b'"value":139.10000001' in body
    assert json.loads(body)["data"]["record"]["detail"]["unit"] == "mmol/L"
