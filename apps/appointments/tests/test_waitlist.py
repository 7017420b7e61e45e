"""The waitlist's entries over HTTP: put on, found in rank, taken off, over."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, api_key_client, create_api_key, hire
from apps.appointments import tasks
from apps.appointments.models import WaitlistEntry
from apps.appointments.tests.factories import monday
from apps.appointments.tests.test_waitlist_constraints import waits
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.events.models import OutboxEvent
from apps.patients import services as patients
from apps.patients.models import Patient
from apps.patients.tests.factories import merge, register_patient, restrict

pytestmark = pytest.mark.django_db

KEYS = {
    "id",
    "patient_id",
    "doctor_id",
    "appointment_type",
    "duration_minutes",
    "date_from",
    "date_to",
    "time_from",
    "time_to",
    "priority",
    "note",
    "status",
    "appointment_id",
    "offers",
    "created_at",
}


@pytest.fixture
def patient(db: None) -> Patient:
    return register_patient()


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> Any:
    return api_client(staff["receptionist"])


def body(patient: Patient, **changes: Any) -> dict[str, Any]:
    known = {"patient_id": str(patient.pk), "date_from": str(monday()), "date_to": str(monday(2))} | changes
    return {name: value for name, value in known.items() if value is not ...}


def row_of(reply: Any) -> dict[str, Any]:
    return reply.json()["data"]["waitlist_entry"]


def details_of(reply: Any) -> dict[str, Any]:
    return reply.json()["error"]["details"]


def test_a_patient_is_put_on_the_waitlist_and_read_again(receptionist_api: Any, patient: Patient, staff: dict[str, User]) -> None:
    sent = body(
        patient,
        doctor_id=str(staff["doctor"].pk),
        appointment_type="follow_up",
        duration_minutes=20,
        time_from="09:00",
        time_to="12:30",
        priority="high",
        note="Can be here within an hour",
    )
    reply = receptionist_api.post("/waitlist", sent)
    row = row_of(reply)
    assert (reply.status_code, set(row)) == (201, KEYS)
    assert {name: row[name] for name in sent} == sent
    assert (row["status"], row["appointment_id"], row["offers"]) == ("waiting", None, [])
    again = receptionist_api.get(reply.headers["Location"].removeprefix("/v1"))
    assert row_of(again) == row
    assert again.headers["ETag"] == reply.headers["ETag"]
    [fact] = OutboxEvent.objects.filter(name="waitlist.added")
    assert fact.payload == {"entry_id": row["id"], "patient_id": str(patient.pk), "doctor_id": str(staff["doctor"].pk)}
    audited = AuditEvent.objects.get(action="waitlist.added")
    assert (str(audited.patient_id), str(audited.object_id)) == (str(patient.pk), row["id"])


def test_what_is_left_out_is_any_doctor_any_time_from_today_on(receptionist_api: Any, patient: Patient) -> None:
    row = row_of(receptionist_api.post("/waitlist", body(patient, date_from=...)))
    assert (row["date_from"], row["doctor_id"], row["time_from"], row["duration_minutes"]) == (
        str(clock.today()),
        None,
        None,
        None,
    )
    assert (row["priority"], row["appointment_type"], row["note"]) == ("medium", "consultation", "")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"patient_id": ...}, "patient_id"),
        ({"patient_id": "01a20660-b19a-73ec-b298-0cd2a0d026eb"}, "patient_id"),
        ({"doctor_id": "01a20660-b19a-73ec-b298-0cd2a0d026eb"}, "doctor_id"),
        ({"date_from": "2020-01-06"}, "date_from"),
        ({"date_from": "soon"}, "date_from"),
        ({"date_to": ...}, "date_to"),
        ({"date_to": str(monday() - timedelta(days=1))}, "date_to"),
        ({"date_to": str(monday() + timedelta(days=400))}, "date_to"),
        ({"time_from": "09:00"}, "time_to"),
        ({"time_to": "09:00"}, "time_from"),
        ({"time_from": "10:00", "time_to": "09:00"}, "time_to"),
        ({"time_from": "09:00", "time_to": "09:10", "duration_minutes": 20}, "time_to"),
        ({"time_from": "9 o'clock", "time_to": "10:00"}, "time_from"),
        ({"duration_minutes": 1}, "duration_minutes"),
        ({"priority": "huge"}, "priority"),
        ({"appointment_type": "tea"}, "appointment_type"),
        ({"status": "booked"}, "status"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(
    receptionist_api: Any, patient: Patient, changes: dict[str, Any], field: str
) -> None:
    reply = receptionist_api.post("/waitlist", body(patient, **changes))
    assert (reply.status_code, details_of(reply)["field"]) == (400, field)
    assert not WaitlistEntry.objects.exists()


def test_a_nurse_is_no_doctor_to_wait_for(receptionist_api: Any, patient: Patient, staff: dict[str, User]) -> None:
    reply = receptionist_api.post("/waitlist", body(patient, doctor_id=str(staff["nurse"].pk)))
    assert (reply.status_code, details_of(reply)["field"]) == (400, "doctor_id")


def test_a_patient_does_not_wait_twice_for_one_thing(receptionist_api: Any, patient: Patient, staff: dict[str, User]) -> None:
    first = row_of(receptionist_api.post("/waitlist", body(patient)))
    again = receptionist_api.post("/waitlist", body(patient, priority="urgent"))
    assert (again.status_code, details_of(again)["waitlist_entry_id"]) == (409, first["id"])
    assert receptionist_api.post("/waitlist", body(patient, doctor_id=str(staff["doctor"].pk))).status_code == 201
    assert receptionist_api.post("/waitlist", body(patient, appointment_type="lab")).status_code == 201
    receptionist_api.call("DELETE", f"/waitlist/{first['id']}")
    assert receptionist_api.post("/waitlist", body(patient)).status_code == 201


def test_an_inactive_patient_is_not_put_on(receptionist_api: Any, patient: Patient, staff: dict[str, User]) -> None:
    patients.deactivate(by=staff["admin"], patient_id=patient.pk)
    assert receptionist_api.post("/waitlist", body(patient)).status_code == 409
    assert not WaitlistEntry.objects.exists()


def test_a_removed_entry_stays_and_a_second_removal_is_refused(receptionist_api: Any, patient: Patient) -> None:
    entry = waits(patient=patient)
    reply = receptionist_api.call("DELETE", f"/waitlist/{entry.pk}")
    assert (reply.status_code, row_of(reply)["status"]) == (200, "withdrawn")
    assert OutboxEvent.objects.filter(name="waitlist.withdrawn").count() == 1
    again = receptionist_api.call("DELETE", f"/waitlist/{entry.pk}")
    assert again.status_code == 409
    assert {name: details_of(again)[name] for name in ("from", "to", "allowed")} == {
        "from": "withdrawn",
        "to": "withdrawn",
        "allowed": [],
    }
    assert receptionist_api.get("/waitlist").json()["data"]["waitlist"] == []
    [row] = receptionist_api.get("/waitlist?status=withdrawn").json()["data"]["waitlist"]
    assert receptionist_api.get("/waitlist?status=waiting,withdrawn").json()["data"]["waitlist"] == [row]
    assert row["id"] == str(entry.pk)


def test_a_stale_tag_keeps_the_entry(receptionist_api: Any, patient: Patient) -> None:
    entry = waits(patient=patient)
    assert receptionist_api.call("DELETE", f"/waitlist/{entry.pk}", HTTP_IF_MATCH='"old"').status_code == 412
    tag = receptionist_api.get(f"/waitlist/{entry.pk}").headers["ETag"]
    assert receptionist_api.call("DELETE", f"/waitlist/{entry.pk}", HTTP_IF_MATCH=tag).status_code == 200


def test_the_list_is_ranked_and_found_by_doctor_patient_and_priority(receptionist_api: Any, staff: dict[str, User]) -> None:
    first, second = waits(), waits(doctor=staff["doctor"])
    urgent, low = waits(priority="urgent"), waits(priority="low")

    def listed(query: str = "") -> list[str]:
        return [row["id"] for row in receptionist_api.get(f"/waitlist{query}").json()["data"]["waitlist"]]

    assert listed() == [str(entry.pk) for entry in (urgent, first, second, low)]
    assert listed(f"?doctor_id={staff['doctor'].pk}") == [str(second.pk)]
    assert listed(f"?patient_id={low.patient_id}") == [str(low.pk)]
    assert listed("?priority=urgent") == [str(urgent.pk)]
    assert listed("?page=2&limit=3") == [str(low.pk)]
    assert receptionist_api.get("/waitlist?limit=3").json()["data"]["pagination"] == {
        "page": 1,
        "limit": 3,
        "total": 4,
        "pages": 2,
    }
    assert receptionist_api.get("/waitlist?status=lost").status_code == 400
    [row] = receptionist_api.get(f"/waitlist?doctor_id={staff['doctor'].pk}&expand=patient,doctor").json()["data"]["waitlist"]
    assert (row["patient"]["id"], row["doctor"]["id"]) == (str(second.patient_id), str(staff["doctor"].pk))


def test_the_list_costs_the_same_however_many_wait(receptionist_api: Any) -> None:
    waits()
    receptionist_api.get("/waitlist")
    with CaptureQueriesContext(connection) as few:
        receptionist_api.get("/waitlist")
    for _ in range(12):
        waits()
    with CaptureQueriesContext(connection) as many:
        assert len(receptionist_api.get("/waitlist").json()["data"]["waitlist"]) == 13
    assert len(many) == len(few)


def test_a_doctor_sees_entries_for_that_doctor_or_for_any_doctor(staff: dict[str, User]) -> None:
    other = hire("dr.other", "doctor", specialty="Any")
    own, any_doctor, theirs = waits(doctor=staff["doctor"]), waits(), waits(doctor=other)
    doctor = api_client(staff["doctor"])
    assert {row["id"] for row in doctor.get("/waitlist").json()["data"]["waitlist"]} == {str(own.pk), str(any_doctor.pk)}
    assert doctor.get(f"/waitlist/{theirs.pk}").status_code == 404
    assert doctor.call("DELETE", f"/waitlist/{theirs.pk}").status_code == 404
    assert doctor.post(f"/waitlist/{theirs.pk}/accept").status_code == 404
    assert doctor.post("/waitlist", body(register_patient(), doctor_id=str(other.pk))).status_code == 403
    assert doctor.post("/waitlist", body(register_patient(), doctor_id=str(staff["doctor"].pk))).status_code == 201
    assert doctor.call("DELETE", f"/waitlist/{own.pk}").status_code == 200


def test_a_manager_reads_the_waitlist_without_notes_and_changes_nothing(staff: dict[str, User], patient: Patient) -> None:
    manager, entry = api_client(staff["manager"]), waits(note="Afraid of needles")
    [row] = manager.get("/waitlist").json()["data"]["waitlist"]
    assert (row["id"], "note" in row) == (str(entry.pk), False)
    assert manager.post("/waitlist", body(patient)).status_code == 403
    assert manager.call("DELETE", f"/waitlist/{entry.pk}").status_code == 403
    assert manager.post(f"/waitlist/{entry.pk}/accept").status_code == 403


@pytest.mark.parametrize("role", ["pharmacist", "lab_technician", "billing"])
def test_roles_without_schedules_have_no_waitlist(staff: dict[str, User], role: str, patient: Patient) -> None:
    who, entry = api_client(staff[role]), waits()
    assert who.get("/waitlist").status_code == 403
    assert who.post("/waitlist", body(patient)).status_code == 403
    assert who.call("DELETE", f"/waitlist/{entry.pk}").status_code == 403
    assert who.post(f"/waitlist/{entry.pk}/accept").status_code == 403


def test_a_key_needs_the_scope_for_what_it_does(staff: dict[str, User], patient: Patient) -> None:
    reader = api_key_client(create_api_key(staff["receptionist"], "appointments:read").text)
    assert reader.get("/waitlist").status_code == 200
    assert reader.post("/waitlist", body(patient)).status_code == 403
    writer = api_key_client(create_api_key(staff["receptionist"], "appointments:write").text)
    assert writer.post("/waitlist", body(patient)).status_code == 201
    assert writer.get("/waitlist").status_code == 403


def test_a_closed_chart_waits_unseen(receptionist_api: Any, staff: dict[str, User], patient: Patient) -> None:
    entry = waits(patient=patient)
    restrict(patient, staff["nurse"])
    assert receptionist_api.get("/waitlist").json()["data"]["waitlist"] == []
    assert receptionist_api.get(f"/waitlist/{entry.pk}").status_code == 404
    assert receptionist_api.call("DELETE", f"/waitlist/{entry.pk}").status_code == 404
    assert api_client(staff["nurse"]).get(f"/waitlist/{entry.pk}").status_code == 200


def test_an_entry_follows_its_patient_into_a_merge(receptionist_api: Any, patient: Patient) -> None:
    survivor = register_patient("Ann", "Roe")
    entry = waits(patient=patient)
    merge(patient, survivor)
    [row] = receptionist_api.get(f"/waitlist?patient_id={patient.pk}").json()["data"]["waitlist"]
    assert (row["id"], row["patient_id"]) == (str(entry.pk), str(survivor.pk))


def test_who_waited_until_the_last_day_has_passed_waits_no_longer(receptionist_api: Any) -> None:
    yesterday: date = clock.today() - timedelta(days=1)
    over, still = waits(date_from=yesterday, date_to=yesterday), waits(date_from=yesterday, date_to=clock.today())
    assert tasks.keep_waitlist() == 1
    assert receptionist_api.get(f"/waitlist/{over.pk}").json()["data"]["waitlist_entry"]["status"] == "expired"
    assert receptionist_api.get(f"/waitlist/{still.pk}").json()["data"]["waitlist_entry"]["status"] == "waiting"
    assert OutboxEvent.objects.filter(name="waitlist.expired").count() == 1
    assert receptionist_api.call("DELETE", f"/waitlist/{over.pk}").status_code == 409
