"""Visits over the API: the reference's shapes, roles, stale versions, lists, how many queries."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.tests.factories import ApiClient, api_client, api_key_client, create_api_key
from apps.audit.models import AuditEvent
from apps.consultations.api import examples
from apps.consultations.models import Consultation, StepSave
from apps.consultations.tests.factories import FILLED, booked, fill, save, signed, start_consultation
from apps.patients.models import Patient
from apps.patients.tests.factories import chart, register_patient, restrict

pytestmark = pytest.mark.django_db


def begin(who: ApiClient, patient: Patient, workflow: str = "adaptive", **more: Any) -> dict[str, Any]:
    response = who.post("/consultations", {"patient_id": str(patient.pk), "workflow_type": workflow, **more})
    assert response.status_code == 201, response.content
    return response.json()["data"]["consultation"]


def put(who: ApiClient, visit: dict[str, Any], number: int, data: dict[str, Any] | None = None, **more: Any) -> Any:
    headers = {name: more.pop(name) for name in list(more) if name.startswith("HTTP_")}
    body = {"step_number": number, "step_data": FILLED[number] if data is None else data, **more}
    return who.put(f"/consultations/{visit['id']}/step", body, **headers)


def shown(response: Any, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content
    return response.json()["data"]["consultation"]


def fault(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    return response.json()["error"]["details"]


# --- the reference


def test_the_reference_s_visit_as_printed(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    who, appointment = api_client(doctor), booked(patient, doctor)
    asked = {"patient_id": str(patient.pk), "appointment_id": str(appointment.pk), "workflow_type": "adaptive"}
    started = who.post("/consultations", asked)
    visit = shown(started, 201)
    assert started.headers["Location"] == f"/v1/consultations/{visit['id']}"
    shown(put(who, visit, 0, {}))
    shown(put(who, visit, 1, {"bp": "120/80"}))
    state = shown(who.get(f"/consultations/{visit['id']}"))
    printed = (examples.STATE.reply or {})["data"]["consultation"]
    assert set(printed) <= set(state)
    for key in ("workflow_type", "current_step", "total_steps", "status", "recommended_next", "prompts", "alerts"):
        assert key == "prompts" or state[key] == printed[key], key
    assert state["step_data"]["patient_overview"]["completed"] is True
    assert state["step_data"]["vitals"]["completed"] is True
    assert state["step_data"]["vitals"]["data"] == {"bp": "120/80"}
    assert state["step_data"]["symptoms"]["in_progress"] is True
    assert len(state["step_data"]) == state["total_steps"] == 11
    body = examples.STEP.request or {}
    saved = shown(who.put(f"/consultations/{visit['id']}/step", body))
    assert saved["step_data"]["symptoms"]["data"] == body["step_data"]
    assert saved["step_data"]["symptoms"]["completed"] is True
    put(who, visit, 6)
    done = shown(who.post(f"/consultations/{visit['id']}/complete"))
    assert (done["status"], done["current_step"], done["missing_steps"]) == ("completed", 10, [])


def test_a_workflow_type_need_not_be_named_and_an_unknown_one_is_refused(staff: dict[str, User]) -> None:
    who, patient = api_client(staff["doctor"]), register_patient()
    assert shown(who.post("/consultations", {"patient_id": str(patient.pk)}), 201)["workflow_type"] == "adaptive"
    assert (
        fault(who.post("/consultations", {"patient_id": str(patient.pk), "workflow_type": "slow"}), 400)["field"]
        == "workflow_type"
    )
    assert fault(who.post("/consultations", {"patient_id": str(uuid4())}), 400)["field"] == "patient_id"
    assert fault(who.post("/consultations", {}), 400)["field"] == "patient_id"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"step_data": {}}, "step_number"),
        ({"step_number": 11, "step_data": {}}, "step_number"),
        ({"step_number": -1, "step_data": {}}, "step_number"),
        ({"step_name": "surgery", "step_data": {}}, "step_name"),
        ({"step_number": 2, "step_name": "vitals", "step_data": {}}, "step_name"),
        ({"step_number": 2}, "step_data"),
        ({"step_number": 2, "step_data": {"colour": "red"}}, "step_data.colour"),
        ({"step_number": 2, "step_data": {"symptoms": [{"severity": "mild"}]}}, "step_data.symptoms[0].description"),
        ({"step_number": 1, "step_data": {"bp": "80/120"}}, "step_data.bp"),
        ({"step_number": 1, "step_data": {"temperature_c": 98.6}}, "step_data.temperature_c"),
        ({"step_number": 10, "step_data": {}}, "step_number"),
        ({"step_number": 2, "step_data": {}, "colour": "red"}, "colour"),
        ({"step_number": 2, "step_data": {}, "acknowledged_alerts": [{"id": "x", "reason": "y"}]}, "acknowledged_alerts[0].id"),
    ],
)
def test_a_step_that_cannot_be_read_is_refused_by_name(staff: dict[str, User], body: dict[str, Any], field: str) -> None:
    who = api_client(staff["doctor"])
    visit = begin(who, register_patient())
    assert fault(who.put(f"/consultations/{visit['id']}/step", body), 400)["field"] == field
    assert not StepSave.objects.exists()


def test_a_step_goes_by_its_name_too_and_an_implausible_value_can_be_confirmed_in_either_place(staff: dict[str, User]) -> None:
    who = api_client(staff["doctor"])
    visit = begin(who, register_patient())
    at = f"/consultations/{visit['id']}/step"
    for more in ({"confirmed_implausible": True}, {}):
        body = {"step_name": "vitals", "step_data": {"pulse": 12} if more else {"pulse": 13, "confirmed_implausible": True}}
        assert shown(who.put(at, body | more))["step_data"]["vitals"]["completed"] is True


# --- wherever one works


def test_a_visit_begun_on_one_machine_is_finished_on_another(staff: dict[str, User]) -> None:
    here, there = api_client(staff["doctor"]), api_client(staff["doctor"])  # two sessions
    visit = begin(here, register_patient())
    put(here, visit, 2, {"symptoms": [{"description": "Earache"}]})  # autosaved, and the first machine dies
    seen = shown(there.get(f"/consultations/{visit['id']}"))
    assert seen["step_data"]["symptoms"]["data"] == {"symptoms": [{"description": "Earache"}]}
    assert (seen["step_data"]["symptoms"]["state"], seen["missing_steps"]) == ("in_progress", [2, 6])
    put(there, visit, 2, {"chief_complaint": "Earache"})
    put(there, visit, 6)
    done = shown(there.post(f"/consultations/{visit['id']}/complete"))
    assert done["step_data"]["symptoms"]["data"] == {"symptoms": [{"description": "Earache"}], "chief_complaint": "Earache"}


def test_a_stale_version_is_refused_and_shows_what_is_stored_now(staff: dict[str, User]) -> None:
    who = api_client(staff["doctor"])
    visit = begin(who, register_patient())
    tag = who.get(f"/consultations/{visit['id']}").headers["ETag"]
    first = put(who, visit, 7, {"plan": "Rest"}, HTTP_IF_MATCH=tag)
    assert first.status_code == 200
    stale = put(who, visit, 7, {"plan": "Antibiotics"}, HTTP_IF_MATCH=tag)
    current = fault(stale, 412)["current"]["consultation"]
    assert current["step_data"]["treatment_plan"]["data"] == {"plan": "Rest"}
    assert stale.headers["ETag"] == first.headers["ETag"]
    by_version = fault(put(who, visit, 7, {"plan": "Antibiotics"}, version=0), 409)
    assert (by_version["step_number"], by_version["current"]["data"]) == (7, {"plan": "Rest"})
    assert put(who, visit, 7, {"plan": "Antibiotics"}, HTTP_IF_MATCH=first.headers["ETag"]).status_code == 200
    assert who.post(f"/consultations/{visit['id']}/hold", {}, HTTP_IF_MATCH=tag).status_code == 412


def test_the_installation_may_demand_a_version(staff: dict[str, User], settings: Any) -> None:
    settings.HIMS_REQUIRE_IF_MATCH = ["consultation"]
    who = api_client(staff["doctor"])
    visit = begin(who, register_patient())
    assert put(who, visit, 7).status_code == 428
    assert put(who, visit, 7, HTTP_IF_MATCH="*").status_code == 200


def test_every_answer_is_the_same_resource_with_the_same_tag(staff: dict[str, User]) -> None:
    who = api_client(staff["doctor"])
    visit = begin(who, register_patient())
    at = f"/consultations/{visit['id']}"
    for call in (
        lambda: put(who, visit, 2),
        lambda: put(who, visit, 6),
        lambda: who.post(f"{at}/hold", {"reason": "X-ray"}),
        lambda: who.post(f"{at}/resume"),
        lambda: who.post(f"{at}/complete", {"notify_patient": False}),
        lambda: who.post(f"{at}/addenda", {"text": "More"}),
    ):
        answer, read = call(), who.get(at)
        assert answer.json()["data"] == read.json()["data"]
        assert answer.headers["ETag"] == read.headers["ETag"]
        assert who.get(at, HTTP_IF_NONE_MATCH=read.headers["ETag"]).status_code == 304


# --- the gate


def test_completing_names_what_is_missing_until_it_is_there(staff: dict[str, User]) -> None:
    who = api_client(staff["doctor"])
    visit = begin(who, register_patient(), "standard")
    at = f"/consultations/{visit['id']}"
    assert fault(who.post(f"{at}/complete"), 409)["missing_steps"] == [0, 1, 2, 3, 4, 6, 7]
    assert fault(put(who, visit, 1), 409)["open_step"] == 0
    assert fault(who.post(f"{at}/complete", {"override_incomplete": True}), 400)["field"] == "reason"
    done = shown(who.post(f"{at}/complete", {"override_incomplete": True, "reason": "Fire alarm"}))
    assert (done["status"], done["override_reason"]) == ("completed", "Fire alarm")
    assert fault(who.post(f"{at}/complete"), 409) == {
        "reason": "illegal_move",
        "from": "completed",
        "to": "completed",
        "allowed": ["amended"],
    }
    assert fault(put(who, visit, 0), 409)["status"] == "completed"


def test_an_alert_is_acknowledged_with_a_step_or_with_the_signature(staff: dict[str, User]) -> None:
    who = api_client(staff["doctor"])
    visit = begin(who, register_patient())
    warned = shown(put(who, visit, 1, {"bp": "190/125", "spo2": 90}))
    assert [alert["rule_id"] for alert in warned["alerts"]] == ["redflag.pressure", "redflag.oxygen"]
    assert all(alert["because"] and alert["acknowledged"] is None for alert in warned["alerts"])
    assert all(prompt["rule_id"] and prompt["because"] and prompt["questions"] for prompt in warned["prompts"])
    acknowledged = [{"id": warned["alerts"][0]["id"], "reason": "Repeated: 150/90"}]
    saved = shown(put(who, visit, 2, acknowledged_alerts=acknowledged))
    assert saved["alerts"][0]["acknowledged"]["reason"] == "Repeated: 150/90"
    put(who, visit, 4)
    put(who, visit, 6)
    at = f"/consultations/{visit['id']}/complete"
    assert fault(who.post(at), 409)["alerts"] == [alert for alert in saved["alerts"] if alert["rule_id"] == "redflag.oxygen"]
    assert (
        shown(who.post(at, {"acknowledged_alerts": [{"id": "redflag.oxygen", "reason": "Cold hands"}]}))["status"] == "completed"
    )


def test_an_adaptive_visit_offers_the_chart_for_confirmation_and_says_that_the_rules_are_not_reviewed(
    staff: dict[str, User],
) -> None:
    patient = register_patient()
    chart(patient, "allergy", "Penicillin")
    visit = begin(api_client(staff["doctor"]), patient)
    assert visit["prefill"]["history_review"]["allergies"][0]["display"] == "Penicillin"
    assert "not been reviewed" in visit["rules_note"]
    assert visit["rule_version"]
    assert visit["step_data"]["symptoms"]["rule_id"] == "base.always"
    quick = begin(api_client(staff["doctor"]), patient, "quick")
    assert (quick["prefill"], quick["rules_note"], quick["prompts"], quick["current_step"]) == ({}, "", [], 2)


# --- who may


def test_billing_reads_the_codes_and_nothing_else(staff: dict[str, User]) -> None:
    doctor, patient = staff["doctor"], register_patient()
    visit = fill(doctor, start_consultation(doctor, patient), 2, 4, 6, 7)
    seen = shown(api_client(staff["billing"]).get(f"/consultations/{visit.row.pk}"))
    assert seen["step_data"] == {
        "assessment": {
            "state": "completed",
            "completed": True,
            "in_progress": False,
            "data": {"diagnoses": [{"code": "R51.9", "primary": True}]},
        }
    }
    text = str(seen)
    assert not any(word in text for word in ("Back", "stiff", "Rest and fluids", "prompts", "prefill"))
    assert set(seen) == {
        *("id", "patient_id", "doctor_id", "appointment_id", "workflow_type", "current_step", "total_steps", "status"),
        *("step_data", "started_at", "completed_at"),
    }


def test_billing_reads_which_diagnosis_is_primary_and_no_data_before_there_is_one(staff: dict[str, User]) -> None:
    doctor, billing = api_client(staff["doctor"]), api_client(staff["billing"])
    visit = begin(doctor, register_patient())
    before = shown(billing.get(f"/consultations/{visit['id']}"))["step_data"]
    assert {name: set(step) for name, step in before.items()} == {"assessment": {"state", "completed", "in_progress"}}
    put(doctor, visit, 6, {"diagnoses": [{"code": "R51.9"}]})
    after = shown(billing.get(f"/consultations/{visit['id']}"))["step_data"]
    assert after["assessment"]["data"] == {"diagnoses": [{"code": "R51.9", "primary": True}]}


def test_another_doctor_reads_a_visit_and_changes_nothing(staff: dict[str, User], colleague: User) -> None:
    visit = begin(api_client(staff["doctor"]), register_patient())
    other, at = api_client(colleague), f"/consultations/{visit['id']}"
    assert other.get(at).status_code == 200
    for path, body in (
        ("complete", {}),
        ("hold", {}),
        ("cancel", {}),
        ("addenda", {"text": "x"}),
        ("hand-over", {"doctor_id": str(colleague.pk)}),
    ):
        assert other.post(f"{at}/{path}", body).status_code == 403, path
    assert put(other, visit, 0).status_code == 403
    handed = shown(api_client(staff["doctor"]).post(f"{at}/hand-over", {"doctor_id": str(colleague.pk), "reason": "Shift ends"}))
    assert handed["doctor_id"] == str(colleague.pk)
    assert put(other, visit, 0).status_code == 200


def test_a_nurse_measures_and_does_not_prescribe(staff: dict[str, User]) -> None:
    visit = begin(api_client(staff["doctor"]), register_patient())
    nurse = api_client(staff["nurse"])
    assert put(nurse, visit, 1).status_code == 200
    assert put(nurse, visit, 8).status_code == 403
    assert nurse.post(f"/consultations/{visit['id']}/complete").status_code == 403
    assert shown(nurse.post(f"/consultations/{visit['id']}/cancel", {"reason": "Left unseen"}))["status"] == "cancelled"


def test_a_nurse_who_cancels_what_the_doctor_has_worked_on_gets_a_conflict(staff: dict[str, User]) -> None:
    doctor = api_client(staff["doctor"])
    visit = begin(doctor, register_patient())
    put(doctor, visit, 2)
    refused = api_client(staff["nurse"]).post(f"/consultations/{visit['id']}/cancel", {"reason": "Left unseen"})
    assert fault(refused, 409)["reason"] == "seen_by_doctor"


def test_a_key_starts_and_saves_within_its_scope_and_never_signs(staff: dict[str, User]) -> None:
    patient = register_patient()
    writer = api_key_client(create_api_key(staff["doctor"], "consultations:write").text)
    visit = begin(writer, patient, "quick")
    assert put(writer, visit, 2).status_code == 200
    assert fault(writer.get(f"/consultations/{visit['id']}"), 403)["required_scope"] == "consultations:read"
    assert writer.post(f"/consultations/{visit['id']}/complete").status_code == 403


def test_a_visit_of_a_closed_chart_is_not_there_for_strangers(staff: dict[str, User], colleague: User) -> None:
    patient = register_patient()
    visit = begin(api_client(staff["doctor"]), patient)
    restrict(patient)
    stranger = api_client(colleague)
    assert stranger.get(f"/consultations/{visit['id']}").status_code == 404
    assert put(stranger, visit, 0).status_code == 404
    assert stranger.get("/consultations").json()["data"]["pagination"]["total"] == 0
    assert fault(stranger.post("/consultations", {"patient_id": str(patient.pk)}), 400)["field"] == "patient_id"
    assert AuditEvent.objects.filter(outcome="denied", patient_id=patient.pk).exists()
    assert api_client(staff["doctor"]).get(f"/consultations/{visit['id']}").status_code == 200


def test_every_look_is_on_record(staff: dict[str, User]) -> None:
    who, patient = api_client(staff["doctor"]), register_patient()
    visit = begin(who, patient)
    who.get(f"/consultations/{visit['id']}")
    who.get("/consultations?status=in_progress")
    rows = AuditEvent.objects.filter(user_id=staff["doctor"].pk)
    assert rows.filter(action="consultation.read", patient_id=patient.pk, object_id=visit["id"]).count() == 1
    assert rows.get(action="consultation.searched").detail["shown"] == 1


# --- lists and how much they cost


def test_the_list_is_lean_newest_first_and_filtered(staff: dict[str, User], colleague: User) -> None:
    john, ann = register_patient(), register_patient("Ann", "Roe")
    doctor = staff["doctor"]
    appointment = booked(ann, doctor)
    first, second = signed(doctor, john), start_consultation(colleague, john)
    third = start_consultation(doctor, ann, appointment_id=appointment.pk)
    who = api_client(staff["nurse"])

    def ids(query: str) -> list[str]:
        response = who.get(f"/consultations?{query}")
        assert response.status_code == 200, response.content
        return [row["id"] for row in response.json()["data"]["consultations"]]

    one, two, three = (str(visit.row.pk) for visit in (first, second, third))
    assert ids("") == [three, two, one]
    assert ids(f"patient_id={john.pk}") == [two, one]
    assert ids(f"doctor_id={doctor.pk}") == [three, one]
    assert ids(f"appointment_id={appointment.pk}") == [three]
    assert ids("status=completed") == [one]
    assert ids(f"date_from={first.row.started_at.isoformat().replace('+', '%2B')}&status=completed") == [one]
    assert ids("date_to=2020-01-01") == []
    assert who.get("/consultations?date_from=2026-02-01&date_to=2026-01-01").status_code == 400
    assert who.get("/consultations?status=asleep").status_code == 400
    row = who.get("/consultations?limit=1&expand=patient,doctor&date_from=2020-01-01").json()["data"]["consultations"][0]
    assert (row["patient"]["mrn"], row["doctor"]["role"], row["total_steps"]) == (ann.mrn, "doctor", 11)
    assert "step_data" not in row


def count(act: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        response = act()
    assert response.status_code in (200, 201), response.content
    return len(seen)


def test_starting_saving_and_reading_cost_the_same_however_much_there_is(staff: dict[str, User]) -> None:
    who, doctor = api_client(staff["doctor"]), staff["doctor"]
    plain, laden = register_patient(), register_patient("Ann", "Roe")
    for number in range(25):
        chart(laden, "medication", f"Drug {number}")
        chart(laden, "diagnosis", f"Problem {number}")
    signed(doctor, plain)
    for _ in range(12):
        signed(doctor, laden)
    costs = []
    for patient in (plain, laden):
        body = {"patient_id": str(patient.pk), "workflow_type": "adaptive"}
        cost = {"start": count(lambda: who.post("/consultations", body))}  # noqa: B023
        visit = {"id": str(Consultation.objects.filter(patient=patient).latest("started_at").pk)}
        cost["first save"] = count(lambda: put(who, visit, 2))  # noqa: B023
        if patient is laden:
            for number in range(20):
                save(doctor, Consultation.objects.get(pk=visit["id"]).pk, 7, {"plan": f"Plan {number}"})
        cost["save"] = count(lambda: put(who, visit, 7, {"plan": "The plan"}))  # noqa: B023
        cost["codes"] = count(lambda: put(who, visit, 6, {"diagnoses": [{"code": code} for code in ("R51.9", "I10", "E11.9")]}))  # noqa: B023
        cost["read"] = count(lambda: who.get(f"/consultations/{visit['id']}"))  # noqa: B023
        cost["list"] = count(lambda: who.get("/consultations?limit=100"))
        cost["sign"] = count(lambda: who.post(f"/consultations/{visit['id']}/complete"))  # noqa: B023
        costs.append(cost)
    assert costs[0] == costs[1]
    assert (costs[0]["read"], costs[0]["list"]) == (4, 3), costs  # all on the first page: no total
    assert costs[0]["start"] <= 20, costs
    assert costs[0]["save"] <= 20, costs
    assert costs[0]["sign"] <= 30, costs
