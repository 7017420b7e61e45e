"""What the refusal of a save says, key by key, so that a client can show it."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, api_key_client, create_api_key
from apps.audit.models import AuditEvent
from apps.consultations import services
from apps.consultations.services import EarlierStepOpen, NotOpen, StepChanged, StepForbidden
from apps.consultations.tests.factories import save, start_consultation
from apps.consultations.tests.test_ports import Pharmacy, pharmacy
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

__all__ = ["pharmacy"]  # a fixture


def test_a_version_of_a_step_that_was_never_saved_is_refused(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    with pytest.raises(StepChanged) as refused:
        save(staff["doctor"], visit, 7, version=3)
    details = refused.value.details
    assert (details["step_number"], details["step_name"], details["current"]) == (7, "treatment_plan", None)


def test_a_stale_save_is_shown_the_stored_step_with_its_user_and_time(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    stored = save(staff["nurse"], visit, 1).saves[1]
    with pytest.raises(StepChanged) as refused:
        save(staff["doctor"], visit, 1, {"pulse": 99}, version=0)
    assert refused.value.details["current"] == {
        "version": 1,
        "state": "completed",
        "data": stored.data,
        "saved_at": stored.saved_at,
        "saved_by": staff["nurse"].pk,
    }


def test_a_refusal_that_shows_the_stored_visit_or_step_is_an_audited_read(staff: dict[str, User]) -> None:
    visit = save(staff["nurse"], start_consultation(staff["doctor"], register_patient()), 1)
    who, at = api_client(staff["doctor"]), f"/consultations/{visit.row.pk}"
    stale = {"HTTP_IF_MATCH": '"old"'}
    assert who.put(f"{at}/step", {"step_number": 1, "step_data": {"pulse": 99}}, **stale).status_code == 412
    assert who.post(f"{at}/hold", {}, **stale).status_code == 412
    assert who.put(f"{at}/step", {"step_number": 1, "step_data": {"pulse": 99}, "version": 0}).status_code == 409
    assert who.put(f"{at}/step", {"step_number": 7, "step_data": {"plan": "Rest"}, "version": 3}).status_code == 409  # shows none
    rows = AuditEvent.objects.filter(action="consultation.read", user_id=staff["doctor"].pk).order_by("at", "pk")
    assert [row.detail["refused"] for row in rows] == [412, 412, 409]
    assert {(row.patient_id, row.object_id) for row in rows} == {(visit.row.patient_id, visit.row.pk)}


def test_a_refusal_that_shows_nothing_to_a_key_is_no_read(staff: dict[str, User]) -> None:
    visit = save(staff["nurse"], start_consultation(staff["doctor"], register_patient()), 1)
    writer = api_key_client(create_api_key(staff["doctor"], "consultations:write").text)
    sent = {"step_number": 1, "step_data": {"pulse": 99}, "version": 0}
    refused = writer.put(f"/consultations/{visit.row.pk}/step", sent)
    assert refused.status_code == 409
    assert "current" not in refused.json()["error"]["details"]
    assert not AuditEvent.objects.filter(action="consultation.read").exists()


def test_a_step_ahead_of_the_order_is_refused_with_the_open_one(staff: dict[str, User]) -> None:
    visit = save(staff["doctor"], start_consultation(staff["doctor"], register_patient(), "standard"), 0)
    with pytest.raises(EarlierStepOpen) as refused:
        save(staff["doctor"], visit, 4)
    assert (refused.value.details["open_step"], refused.value.details["open_step_name"]) == (1, "vitals")


@pytest.mark.parametrize(
    ("end", "status", "allowed"), [("hold", "on_hold", {"in_progress", "cancelled"}), ("cancel", "cancelled", set())]
)
def test_a_save_into_a_visit_that_is_not_open_is_refused_with_its_status(
    staff: dict[str, User], end: str, status: str, allowed: set[str]
) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    getattr(services, end)(by=staff["doctor"], consultation_id=visit.row.pk)
    with pytest.raises(NotOpen) as refused:
        save(staff["doctor"], visit, 7)
    assert (refused.value.details["status"], {str(one) for one in refused.value.details["allowed"]}) == (status, allowed)


def test_a_role_that_may_not_save_a_step_is_refused_by_its_number(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    with pytest.raises(StepForbidden) as refused:
        save(staff["nurse"], visit, 4)
    assert refused.value.details["field"] == "step_number"


def test_a_draft_after_an_order_keeps_what_was_placed(staff: dict[str, User], pharmacy: Pharmacy) -> None:
    visit = save(staff["doctor"], start_consultation(staff["doctor"], register_patient()), 8)
    after = save(staff["doctor"], visit, 8, {"medications": [{"name": "Ibuprofen"}]}, completed=False)
    assert (after.saves[8].state, after.saves[8].outcome) == ("in_progress", {"prescription_ids": ["rx1"]})
    assert len(pharmacy.orders) == 1


def test_an_order_names_the_doctor_and_who_entered_it(staff: dict[str, User], pharmacy: Pharmacy) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    save(staff["admin"], visit, 8)
    (order,) = pharmacy.orders
    expected: tuple[Any, ...] = (staff["doctor"].pk, staff["admin"].pk, visit.row.patient_id)
    assert (order.doctor_id, order.entered_by_id, order.patient_id) == expected
