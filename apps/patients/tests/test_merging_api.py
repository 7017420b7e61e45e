"""Merging over HTTP: administrators only, and a read of the old id returns the survivor everywhere."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.audit.models import AuditEvent
from apps.patients.models import Merge, Patient
from apps.patients.tests.factories import chart, merge, register_patient
from apps.patients.tests.test_merging import facts

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(staff: dict[str, User]) -> Any:
    return api_client(staff["admin"])


def ask(who: Any, retired: Any, survivor: Any, **extra: Any) -> Any:
    body = {"into": str(getattr(survivor, "pk", survivor)), "reason": "The same passport"} | extra
    return who.post(f"/patients/{getattr(retired, 'pk', retired)}/merge", body)


def test_an_administrator_merges_reads_the_merge_and_takes_it_back(admin: Any, staff: dict[str, User]) -> None:
    retired, survivor = register_patient("Jon", phone="5550101"), register_patient("John", phone="5550102")
    reply = ask(admin, retired, survivor, fields={"phone": "retired"})
    done = reply.json()["data"]["merge"]
    assert reply.status_code == 201
    assert (done["retired_id"], done["survivor_id"], done["changed"]) == (str(retired.pk), str(survivor.pk), ["phone"])
    assert done["merged_by"] == str(staff["admin"].pk)
    assert admin.get(reply.headers["Location"].removeprefix("/v1")).json()["data"]["merge"] == done
    fresh = chart(survivor)
    undone = admin.post(f"/patients/merges/{done['id']}/undo")
    assert undone.status_code == 200
    (row,) = undone.json()["data"]["merge"]["triage"]
    assert (row["model"], row["row_id"], row["settled_at"]) == ("patients.ChartEntry", str(fresh.pk), None)
    assert admin.post(f"/patients/merges/{done['id']}/undo").status_code == 409
    assert len(facts("patient.merged")) == len(facts("patient.merge_undone")) == 1


def test_only_an_administrator_merges_previews_or_undoes(staff: dict[str, User]) -> None:
    retired, survivor, third = register_patient(), register_patient(), register_patient()
    done = merge(third, survivor)
    for role in set(staff) - {"admin"}:
        who = api_client(staff[role])
        answers = [
            ask(who, retired, survivor),
            who.get(f"/patients/{retired.pk}/merge-preview?into={survivor.pk}"),
            who.get(f"/patients/merges/{done.pk}"),
            who.post(f"/patients/merges/{done.pk}/undo"),
        ]
        assert {answer.status_code for answer in answers} == {403}, role
    assert Merge.objects.filter(undone_at=None).count() == 1


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ({"into": "nobody"}, "into"),
        pytest.param({"into": str(uuid4())}, "into", id="into an unknown one"),
        ({"into": None}, "into"),
        ({"reason": "  "}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": "x" * 401}, "reason"),
        ({"fields": {"mrn": "retired"}}, "fields.mrn"),
        ({"fields": {"colour": "retired"}}, "fields.colour"),
        ({"fields": {"phone": "both"}}, "fields.phone"),
        ({"fields": ["phone"]}, "fields"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
def test_a_body_that_cannot_be_is_refused_by_name(admin: Any, extra: dict[str, Any], field: str) -> None:
    retired, survivor = register_patient(), register_patient()
    reply = ask(admin, retired, survivor, **extra)
    assert reply.status_code == 400
    assert field in {row["field"] for row in reply.json()["error"]["details"]["errors"]}
    assert not Merge.objects.exists()


def test_what_the_state_forbids_is_a_conflict_that_names_the_survivor(admin: Any) -> None:
    retired, survivor, third = register_patient(), register_patient(), register_patient()
    done = merge(retired, survivor)
    assert ask(admin, survivor, survivor).status_code == 400
    assert ask(admin, uuid4(), survivor).status_code == 404
    for pair in ((retired, third), (third, retired)):
        reply = ask(admin, *pair)
        assert reply.status_code == 409
        details = reply.json()["error"]["details"]
        assert (details["survivor_id"], details["merged_into"], details["reason"]) == (*[str(survivor.pk)] * 2, "record_merged")
    further = merge(Patient.objects.get(pk=survivor.pk), third)
    refused = admin.post(f"/patients/merges/{done.pk}/undo")
    assert (refused.status_code, refused.json()["error"]["details"]["merge_id"]) == (409, str(further.pk))
    assert admin.post(f"/patients/merges/{uuid4()}/undo").status_code == 404
    assert admin.get(f"/patients/merges/{uuid4()}").status_code == 404


def test_the_preview_is_shown_and_the_look_is_on_record(admin: Any) -> None:
    retired, survivor = register_patient("Jon"), register_patient("John", gender="female")
    chart(retired)
    reply = admin.get(f"/patients/{retired.pk}/merge-preview?into={survivor.pk}")
    seen = reply.json()["data"]["preview"]
    assert {"field": "first_name", "retired": "Jon", "survivor": "John", "default": "survivor"} in seen["conflicts"]
    assert {row["model"]: row["rows"] for row in seen["counts"]}["patients.ChartEntry"] == 1
    assert [row["code"] for row in seen["warnings"]] == ["different_gender"]
    row = AuditEvent.objects.get(action="patient.merge_previewed")
    assert (row.patient_id, row.object_id) == (retired.pk, survivor.pk)
    for query in ("", "?into=", "?into=nobody", f"?into={uuid4()}", f"?into={retired.pk}", "?colour=red"):
        assert admin.get(f"/patients/{retired.pk}/merge-preview{query}").status_code == 400, query
    assert admin.get(f"/patients/{uuid4()}/merge-preview?into={survivor.pk}").status_code == 404


def test_the_old_id_and_number_are_read_as_the_survivors(staff: dict[str, User]) -> None:
    retired, survivor = register_patient("Jon", mrn="OLD-1"), register_patient("John")
    theirs = chart(retired)
    merge(retired, survivor)
    doctor, old, new = api_client(staff["doctor"]), f"/patients/{retired.pk}", f"/v1/patients/{survivor.pk}"
    reply = doctor.get(old)
    assert (reply.status_code, reply.json()["data"]["patient"]["id"]) == (200, str(survivor.pk))
    assert reply.headers["Content-Location"] == new
    assert "Content-Location" not in doctor.get(f"/patients/{survivor.pk}").headers
    history = doctor.get(f"{old}/medical-history").json()["data"]["records"]
    assert [row["id"] for row in history] == [str(theirs.pk)]
    assert doctor.get(f"{old}/medical-history/{theirs.pk}").status_code == 200
    assert [row["id"] for row in doctor.get("/patients?search=old-1").json()["data"]["patients"]] == [str(survivor.pk)]
    receptionist_api = api_client(staff["receptionist"])
    body = {"mrn": "old-1", "first_name": "New", "last_name": "Born", "date_of_birth": "2020-01-01", "gender": "female"}
    assert receptionist_api.post("/patients", body).status_code == 409
    assert set(AuditEvent.objects.filter(action="patient.read").values_list("patient_id", flat=True)) == {survivor.pk}


def test_reading_by_the_old_id_costs_no_more_than_by_the_new(staff: dict[str, User]) -> None:
    retired, survivor = register_patient(), register_patient()
    merge(retired, survivor)
    doctor, cost = api_client(staff["doctor"]), []
    for patient in (survivor, retired):
        with CaptureQueriesContext(connection) as caught:
            doctor.get(f"/patients/{patient.pk}")
        cost.append(len([query for query in caught if "patients_patient" in query["sql"]]))
    assert cost == [1, 1]
