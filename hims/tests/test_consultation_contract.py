"""What visits over the API answer, against the OpenAPI file; the reference's examples sent as printed."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.consultations.api import examples
from apps.terminology.tests import factories as terminology
from hims.tests import factories
from hims.tests.test_contract import agree, file, strict

pytestmark = pytest.mark.django_db

__all__ = ["file", "strict"]  # fixtures


def test_a_visit_answers_as_documented_from_its_start_to_its_addendum(strict: dict[str, Any], staff: dict[str, User]) -> None:
    terminology.restore()
    patient, who = factories.register_patient(), factories.api_client(staff["doctor"])
    factories.chart(patient, "allergy", "Penicillin")
    appointment = factories.booked(patient, staff["doctor"])
    asked = dict(examples.START.request or {}) | {"patient_id": str(patient.pk), "appointment_id": str(appointment.pk)}
    made = who.post("/consultations", asked)
    visit = agree(strict, made, 201)["data"]["consultation"]
    at = made.headers["Location"].removeprefix("/v1")
    assert agree(strict, who.get(at), 200)["data"]["consultation"] == visit
    agree(strict, who.post("/consultations", asked), 409)
    agree(strict, who.post("/consultations", {"colour": "red"}), 400)
    agree(strict, who.put(f"{at}/step", {"step_number": 1, "step_data": {"bp": "190/125", "weight_kg": 80.5}}), 200)
    agree(strict, who.put(f"{at}/step", dict(examples.STEP.request or {})), 200)
    agree(strict, who.put(f"{at}/step", {"step_number": 1, "step_data": {"bp": "80/120"}}), 400)
    tag = who.get(at).headers["ETag"]
    body = {"step_name": "assessment", "step_data": {"diagnoses": [{"code": "R51.9", "primary": True}]}}
    agree(strict, who.put(f"{at}/step", body, HTTP_IF_MATCH=tag), 200)
    agree(strict, who.put(f"{at}/step", body, HTTP_IF_MATCH=tag), 412)
    agree(strict, who.put(f"{at}/step", body | {"version": 0}), 409)
    agree(strict, who.post(f"{at}/hold", {"reason": "X-ray"}), 200)
    agree(strict, who.post(f"{at}/hold"), 409)
    agree(strict, who.post(f"{at}/resume"), 200)
    agree(strict, who.post(f"{at}/complete"), 409)
    agree(strict, who.put(f"{at}/step", {"step_number": 4, "step_data": {"findings": ["Alert and oriented"]}}), 200)
    acknowledged = [{"id": "redflag.pressure", "reason": "Repeated: 150/90"}]
    agree(strict, who.post(f"{at}/complete", {"acknowledged_alerts": acknowledged}), 200)
    agree(strict, who.post(f"{at}/addenda", {"text": "The patient was called"}), 201)
    agree(strict, who.get(f"/consultations?patient_id={patient.pk}&expand=patient,doctor"), 200)
    for role, user in staff.items():
        status = 200 if role in ("admin", "doctor", "nurse", "billing") else 403
        agree(strict, factories.api_client(user).get(at), status)


def test_the_other_actions_of_a_visit_answer_as_documented(strict: dict[str, Any], staff: dict[str, User]) -> None:
    other = factories.hire("other.doctor", "doctor", specialty="Cardiology")
    patient, who = factories.register_patient(), factories.api_client(staff["doctor"])
    at = agree(strict, who.post("/consultations", {"patient_id": str(patient.pk)}), 201)["data"]["consultation"]["id"]
    agree(strict, factories.api_client(other).post(f"/consultations/{at}/cancel"), 403)
    agree(strict, factories.api_client(staff["nurse"]).post(f"/consultations/{at}/ready"), 200)
    agree(strict, factories.api_client(staff["nurse"]).post(f"/consultations/{at}/ready"), 409)
    agree(strict, who.post(f"/consultations/{at}/ready"), 403)
    agree(strict, who.post(f"/consultations/{at}/hand-over", {"doctor_id": str(other.pk)}), 200)
    agree(strict, who.post(f"/consultations/{at}/hand-over", {"doctor_id": "nobody"}), 400)
    agree(strict, factories.api_client(staff["nurse"]).post(f"/consultations/{at}/cancel", {"reason": "Left unseen"}), 200)


def test_the_state_has_the_reference_s_keys_in_its_order(staff: dict[str, User]) -> None:
    visit = factories.start_consultation(staff["doctor"], factories.register_patient())
    shown = factories.api_client(staff["doctor"]).get(f"/consultations/{visit.row.pk}").json()["data"]["consultation"]
    reference = [
        "id",
        "patient_id",
        "doctor_id",
        "workflow_type",
        "current_step",
        "total_steps",
        "status",
        "step_data",
        "started_at",
    ]
    assert [key for key in shown if key in reference] == reference
