"""Appointments over HTTP, as the reference prints them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, api_key_client, create_api_key, hire
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import at, book, monday, publish, room
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.events.models import OutboxEvent
from apps.patients import services as patients
from apps.patients.confidentiality.models import CareTeamMember
from apps.patients.models import Patient
from apps.patients.tests.factories import merge, register_patient, restrict

pytestmark = pytest.mark.django_db

KEYS = {
    "id",
    "patient_id",
    "doctor_id",
    "room_id",
    "series_id",
    "appointment_type",
    "status",
    "scheduled_time",
    "ends_at",
    "duration_minutes",
    "notes",
    "overbook_reason",
    "triage",
    "queue_number",
    "checked_in_at",
    "cancelled_at",
    "cancellation_reason",
}
WHOLE = KEYS | {"triage_reason", "created_at", "updated_at"}


@pytest.fixture
def patient(db: None) -> Patient:
    return register_patient()


@pytest.fixture
def doctor(staff: dict[str, User]) -> User:
    publish(staff["doctor"])
    return staff["doctor"]


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> Any:
    return api_client(staff["receptionist"])


def body(patient: Patient, doctor: User | None, **changes: Any) -> dict[str, Any]:
    known = {"patient_id": str(patient.pk), "scheduled_time": at("10:00").isoformat()}
    return known | ({"doctor_id": str(doctor.pk)} if doctor else {}) | changes


def row_of(reply: Any) -> dict[str, Any]:
    return reply.json()["data"]["appointment"]


def error_of(reply: Any) -> dict[str, Any]:
    return reply.json()["error"]


def test_the_references_booking_is_taken_with_a_warning_that_it_lies_in_the_past(
    receptionist_api: Any, patient: Patient, doctor: User
) -> None:
    sent = body(
        patient,
        doctor,
        appointment_type="consultation",
        scheduled_time="2025-01-15T10:00:00Z",
        duration_minutes=15,
        notes="Follow-up visit",
    )
    reply = receptionist_api.post("/appointments", sent)
    row = row_of(reply)
    assert (reply.status_code, set(row)) == (201, WHOLE)
    assert {name: row[name] for name in sent} == sent
    assert (row["status"], row["ends_at"]) == ("scheduled", "2025-01-15T10:15:00Z")
    assert [warning["code"] for warning in reply.json()["warnings"]] == ["in_the_past", "outside_hours"]
    assert row_of(receptionist_api.get(reply.headers["Location"].removeprefix("/v1"))) == row


def test_what_the_sdks_leave_out_has_its_usual_value(staff: dict[str, User], patient: Patient, doctor: User) -> None:
    reply = api_client(doctor).post("/appointments", body(patient, None))
    row = row_of(reply)
    assert reply.status_code == 201
    assert (row["doctor_id"], row["appointment_type"], row["duration_minutes"]) == (str(doctor.pk), "consultation", 15)
    assert "warnings" not in reply.json()
    keyed = api_key_client(create_api_key(doctor).text).post(
        "/appointments", body(patient, None, scheduled_time=at("11:00").isoformat())
    )
    assert row_of(keyed)["doctor_id"] == str(doctor.pk)
    refused = api_client(staff["nurse"]).post("/appointments", body(patient, None))
    assert (refused.status_code, error_of(refused)["details"]["field"]) == (400, "doctor_id")


def test_the_doctor_s_own_length_for_the_type_is_taken(receptionist_api: Any, patient: Patient, staff: dict[str, User]) -> None:
    publish(staff["doctor"], slot_minutes=20, visit_lengths={"procedure": 45})
    first = receptionist_api.post("/appointments", body(patient, staff["doctor"], appointment_type="procedure"))
    second = receptionist_api.post("/appointments", body(patient, staff["doctor"], scheduled_time=at("14:00").isoformat()))
    assert (row_of(first)["duration_minutes"], row_of(second)["duration_minutes"]) == (45, 20)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"patient_id": "01a20660-b19a-73ec-b298-0cd2a0d026eb"}, "patient_id"),
        ({"patient_id": "nobody"}, "patient_id"),
        ({"patient_id": ...}, "patient_id"),
        ({"doctor_id": "01a20660-b19a-73ec-b298-0cd2a0d026eb"}, "doctor_id"),
        ({"scheduled_time": "2025-01-15T10:00:00"}, "scheduled_time"),
        ({"scheduled_time": "tomorrow"}, "scheduled_time"),
        ({"scheduled_time": ...}, "scheduled_time"),
        ({"duration_minutes": 4}, "duration_minutes"),
        ({"duration_minutes": 481}, "duration_minutes"),
        ({"duration_minutes": "soon"}, "duration_minutes"),
        ({"appointment_type": "party"}, "appointment_type"),
        ({"status": "completed"}, "status"),
        ({"notes": "x" * 4_001}, "notes"),
        ({"room_id": "01a20660-b19a-73ec-b298-0cd2a0d026eb"}, "room_id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_whatever_the_state_is_named(
    receptionist_api: Any, patient: Patient, doctor: User, changes: dict[str, Any], field: str
) -> None:
    sent = {name: value for name, value in (body(patient, doctor) | changes).items() if value is not ...}
    reply = receptionist_api.post("/appointments", sent)
    assert (reply.status_code, error_of(reply)["details"]["field"]) == (400, field)
    assert not Appointment.objects.exists()


def test_a_nurse_is_no_doctor_to_book(receptionist_api: Any, patient: Patient, staff: dict[str, User]) -> None:
    reply = receptionist_api.post("/appointments", body(patient, staff["nurse"]))
    assert (reply.status_code, error_of(reply)["details"]["field"]) == (400, "doctor_id")


def test_a_clash_is_refused_with_three_times_that_can_really_be_booked(
    receptionist_api: Any, patient: Patient, doctor: User
) -> None:
    book(patient, doctor, at("10:00"), duration_minutes=30)
    other = register_patient("Ann", "Roe")
    book(other, hire("dr.two", "doctor", specialty="Cardiology"), at("10:45"), duration_minutes=15)
    reply = receptionist_api.post(
        "/appointments", body(other, doctor, scheduled_time=at("10:15").isoformat(), duration_minutes=30)
    )
    details = error_of(reply)["details"]
    assert (reply.status_code, details["taken"]) == (409, ["doctor"])
    times = [free["scheduled_time"] for free in details["alternatives"]]
    assert times == [
        at(clock_time).astimezone(clock.now().tzinfo).isoformat().replace("+00:00", "Z")
        for clock_time in ("11:00", "11:30", "12:00")
    ]
    for free in details["alternatives"]:
        assert set(free) == {"doctor_id", "scheduled_time", "duration_minutes"}
        assert receptionist_api.post("/appointments", {"patient_id": str(other.pk), **free}).status_code == 201


def test_no_alternative_is_in_time_off(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    tuesday = monday() + timedelta(days=1)
    for starts_at, ends_at in ((at("10:30"), at("16:30")), (at("00:00", tuesday), at("12:00", tuesday))):
        services.add_time_off(by=SYSTEM, doctor_id=doctor.pk, starts_at=starts_at, ends_at=ends_at)
    book(patient, doctor, at("16:30"), duration_minutes=30)
    other = register_patient("Ann", "Roe")
    refused = receptionist_api.post("/appointments", body(other, doctor, scheduled_time=at("16:45").isoformat()))
    assert instants(refused) == [at(clock_time, tuesday) for clock_time in ("12:00", "12:15", "12:30")]
    book(register_patient("Bea", "Booked"), doctor, at("10:15"), duration_minutes=15)
    moved = book(other, doctor, at("09:00"))
    refused = receptionist_api.put(f"/appointments/{moved.pk}", {"scheduled_time": at("10:15").isoformat()})
    assert instants(refused) == [at(clock_time, tuesday) for clock_time in ("12:00", "12:15", "12:30")]


def instants(refused: Any) -> list[datetime]:
    return [datetime.fromisoformat(free["scheduled_time"]) for free in error_of(refused)["details"]["alternatives"]]


def test_a_doctor_without_hours_has_alternatives_too(receptionist_api: Any, patient: Patient, staff: dict[str, User]) -> None:
    book(patient, staff["doctor"], at("10:00"), duration_minutes=30)
    other = register_patient("Ann", "Roe")
    reply = receptionist_api.post("/appointments", body(other, staff["doctor"], duration_minutes=30))
    free = error_of(reply)["details"]["alternatives"]
    assert [receptionist_api.post("/appointments", {"patient_id": str(other.pk), **one}).status_code for one in free] == [201] * 3


def test_a_patient_is_not_in_two_places_and_a_room_not_used_twice(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    second, here = hire("dr.two", "doctor", specialty="Cardiology"), room()
    book(patient, doctor, room_id=here.pk)
    reply = receptionist_api.post("/appointments", body(patient, second))
    assert (reply.status_code, error_of(reply)["details"]["taken"]) == (409, ["patient"])
    reply = receptionist_api.post("/appointments", body(register_patient("Ann", "Roe"), second, room_id=str(here.pk)))
    assert (reply.status_code, error_of(reply)["details"]["taken"]) == (409, ["room"])
    assert error_of(reply)["message"] == "The room is already booked at that time."
    reply = receptionist_api.post("/appointments", body(patient, doctor, room_id=str(here.pk)))
    assert (reply.status_code, error_of(reply)["details"]["taken"]) == (409, ["doctor", "patient", "room"])
    assert error_of(reply)["message"] == "The doctor, the patient and the room are already booked at that time."


def test_visits_may_touch(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    book(patient, doctor, at("10:00"), duration_minutes=30)
    before = receptionist_api.post("/appointments", body(patient, doctor, scheduled_time=at("09:45").isoformat()))
    after = receptionist_api.post("/appointments", body(patient, doctor, scheduled_time=at("10:30").isoformat()))
    assert (before.status_code, after.status_code) == (201, 201)


def test_a_requested_visit_reserves_nothing_until_it_is_scheduled(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    asked = row_of(receptionist_api.post("/appointments", body(patient, doctor, status="requested")))
    other = row_of(receptionist_api.post("/appointments", body(register_patient("Ann", "Roe"), doctor)))
    refused = receptionist_api.put(f"/appointments/{asked['id']}", {"status": "scheduled"})
    assert (refused.status_code, error_of(refused)["details"]["taken"]) == (409, ["doctor"])
    assert len(error_of(refused)["details"]["alternatives"]) == 3
    receptionist_api.post(f"/appointments/{other['id']}/cancel")
    assert row_of(receptionist_api.put(f"/appointments/{asked['id']}", {"status": "scheduled"}))["status"] == "scheduled"


def test_overbooking_is_a_deliberate_act_with_a_seat_of_its_own(staff: dict[str, User], patient: Patient) -> None:
    publish(staff["doctor"], overbook_per_day=2)
    book(patient, staff["doctor"])
    receptionist_api, others = api_client(staff["receptionist"]), [register_patient("Ann", f"Roe{letter}") for letter in "abc"]
    sent = [body(other, staff["doctor"], overbook_reason="Cannot wait") for other in others]
    refused = api_client(staff["nurse"]).post("/appointments", sent[0])
    assert (refused.status_code, error_of(refused)["details"]["field"]) == (403, "overbook_reason")
    assert [receptionist_api.post("/appointments", one).status_code for one in sent] == [201, 201, 409]
    first = Appointment.objects.get(patient=others[0])
    receptionist_api.post(f"/appointments/{first.pk}/cancel")
    assert receptionist_api.post("/appointments", sent[2]).status_code == 201
    receptionist_api.post(f"/appointments/{Appointment.objects.get(patient=others[1]).pk}/cancel")
    same = receptionist_api.post("/appointments", body(patient, staff["doctor"], overbook_reason="Cannot wait"))
    assert (same.status_code, error_of(same)["details"]["taken"]) == (409, ["patient"])


def test_an_inactive_or_hidden_patient_is_not_booked(
    staff: dict[str, User], receptionist_api: Any, patient: Patient, doctor: User
) -> None:
    restrict(patient, staff["nurse"])
    assert receptionist_api.post("/appointments", body(patient, doctor)).status_code == 400
    assert AuditEvent.objects.get(outcome="denied").patient_id == patient.pk
    assert api_client(staff["nurse"]).post("/appointments", body(patient, doctor)).status_code == 201
    other = register_patient("Ann", "Roe")
    patients.deactivate(by=staff["receptionist"], patient_id=other.pk)
    free = {"scheduled_time": at("15:00").isoformat()}
    refused = receptionist_api.post("/appointments", body(other, doctor, **free))
    assert (refused.status_code, "inactive" in error_of(refused)["message"]) == (409, True)
    patients.reactivate(by=staff["receptionist"], patient_id=other.pk)
    assert receptionist_api.post("/appointments", body(other, doctor, **free)).status_code == 201


def test_a_booking_is_announced_on_record_and_makes_the_doctor_one_of_the_care_team(
    receptionist_api: Any, patient: Patient, doctor: User
) -> None:
    reply = receptionist_api.post("/appointments", body(patient, doctor))
    fact = OutboxEvent.objects.get(name="appointment.created")
    assert fact.payload == {
        "appointment_id": row_of(reply)["id"],
        "patient_id": str(patient.pk),
        "doctor_id": str(doctor.pk),
        "scheduled_time": fact.payload["scheduled_time"],
        "status": "scheduled",
        "with_series": False,
    }
    trail = AuditEvent.objects.get(action="appointment.created")
    assert (str(trail.object_id), trail.patient_id, trail.request_id) == (
        row_of(reply)["id"],
        patient.pk,
        reply.headers["X-Request-ID"],
    )
    assert CareTeamMember.objects.filter(patient=patient, user=doctor, because="appointment").count() == 1


def test_an_overbooked_patient_who_comes_late_gets_another_seat_or_is_refused_as_the_day_is_full(
    staff: dict[str, User],
) -> None:
    publish(staff["doctor"], overbook_per_day=2)
    nurse, receptionist_api = api_client(staff["nurse"]), api_client(staff["receptionist"])
    people = [register_patient("Ann", f"Roe{letter}") for letter in "abcd"]
    with time_machine.travel(at("12:00"), tick=True):
        nurse, receptionist_api = api_client(staff["nurse"]), api_client(staff["receptionist"])

        def squeeze(number: int) -> Any:
            sent = body(
                people[number], staff["doctor"], overbook_reason="Cannot wait", scheduled_time=at("10:00", monday(0)).isoformat()
            )
            return row_of(receptionist_api.post("/appointments", sent))["id"]

        late = squeeze(0)
        receptionist_api.post(f"/appointments/{late}/no-show")
        first, second = squeeze(1), squeeze(2)
        refused = nurse.post(f"/appointments/{late}/check-in")
        assert (refused.status_code, error_of(refused)["details"]["overbook_per_day"]) == (409, 2)
        receptionist_api.post(f"/appointments/{second}/cancel")
        assert row_of(nurse.post(f"/appointments/{late}/check-in"))["status"] == "checked_in"
    assert Appointment.objects.get(pk=late).overbook_seat == 2
    assert Appointment.objects.get(pk=first).overbook_seat == 1
    checked_in = OutboxEvent.objects.filter(name="appointment.updated", payload__appointment_id=late).order_by("-occurred_at")[0]
    assert checked_in.payload["changes"] == ["status", "checked_in_at", "queue_number"]  # the seat is no column that others see


def test_a_mere_request_adds_no_doctor_to_the_care_team(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    asked = row_of(receptionist_api.post("/appointments", body(patient, doctor, status="requested")))
    assert not CareTeamMember.objects.exists()
    receptionist_api.put(f"/appointments/{asked['id']}", {"status": "scheduled"})
    assert CareTeamMember.objects.filter(patient=patient, user=doctor, because="appointment").count() == 1


# Changing


def test_a_visit_is_moved_and_what_changed_is_named(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    row = book(patient, doctor)
    reply = receptionist_api.put(
        f"/appointments/{row.pk}", {"scheduled_time": at("11:00").isoformat(), "duration_minutes": 30, "notes": "x"}
    )
    moved = row_of(reply)
    assert (moved["duration_minutes"], moved["notes"]) == (30, "x")
    fact = OutboxEvent.objects.get(name="appointment.updated")
    assert set(fact.payload["changes"]) == {"scheduled_time", "duration_minutes", "notes"}
    freed = receptionist_api.post("/appointments", body(register_patient("Ann", "Roe"), doctor))
    assert freed.status_code == 201
    back = receptionist_api.put(f"/appointments/{row.pk}", {"scheduled_time": at("10:00").isoformat()})
    assert (back.status_code, error_of(back)["details"]["taken"]) == (409, ["doctor"])
    assert Appointment.objects.get(pk=row.pk).scheduled_time == at("11:00")


def test_what_is_sent_back_unchanged_is_no_change(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    row = book(patient, doctor)
    reply = receptionist_api.put(
        f"/appointments/{row.pk}", {"scheduled_time": at("10:00").isoformat(), "status": "scheduled", "notes": None}
    )
    assert reply.status_code == 200
    assert not OutboxEvent.objects.filter(name="appointment.updated").exists()


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"status": "asleep"}, 400, "status"),
        ({"status": "completed"}, 409, None),
        ({"status": "in_progress"}, 409, None),
        ({"status": "no_show"}, 409, None),
        ({"patient_id": "x"}, 400, "patient_id"),
        ({"scheduled_time": None}, 400, "scheduled_time"),
        ({"doctor_id": "01a20660-b19a-73ec-b298-0cd2a0d026eb"}, 400, "doctor_id"),
    ],
)
def test_what_may_not_be_changed_is_refused(
    receptionist_api: Any, patient: Patient, doctor: User, changes: dict[str, Any], status: int, field: str | None
) -> None:
    row = book(patient, doctor)
    reply = receptionist_api.put(f"/appointments/{row.pk}", changes)
    assert (reply.status_code, error_of(reply)["details"].get("field")) == (status, field)
    if status == 409:
        details = error_of(reply)["details"]
        assert (details["from"], details["to"]) == ("scheduled", changes["status"])
        assert set(details["allowed"]) == {"confirmed", "checked_in", "cancelled", "no_show"}


def test_time_and_doctor_stay_once_the_patient_is_here(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    row = book(patient, doctor)
    receptionist_api.post(f"/appointments/{row.pk}/check-in", {"early": True})
    assert receptionist_api.put(f"/appointments/{row.pk}", {"scheduled_time": at("11:00").isoformat()}).status_code == 409
    assert (
        row_of(receptionist_api.put(f"/appointments/{row.pk}", {"triage": "urgent", "triage_reason": "Chest pain"}))["triage"]
        == "urgent"
    )


def test_a_doctor_changes_only_their_own_schedule(staff: dict[str, User], patient: Patient, doctor: User) -> None:
    other = hire("dr.two", "doctor", specialty="Cardiology")
    mine, theirs = book(patient, doctor), book(register_patient("Ann", "Roe"), other)
    who = api_client(doctor)
    assert who.get(f"/appointments/{theirs.pk}").status_code == 200
    assert who.post("/appointments", body(patient, other, scheduled_time=at("15:00").isoformat())).status_code == 201
    calls = [
        ("PUT", "", {"notes": "x"}),
        ("POST", "/confirm", None),
        ("POST", "/check-in", {"early": True}),
        ("POST", "/cancel", None),
    ]
    assert [who.call(verb, f"/appointments/{theirs.pk}{path}", sent).status_code for verb, path, sent in calls] == [403] * 4
    assert [who.call(verb, f"/appointments/{mine.pk}{path}", sent).status_code for verb, path, sent in calls] == [200] * 4


def test_of_two_who_change_one_version_the_second_is_refused(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    row = book(patient, doctor)
    tag = receptionist_api.get(f"/appointments/{row.pk}").headers["ETag"]
    first = receptionist_api.put(f"/appointments/{row.pk}", {"notes": "mine"}, HTTP_IF_MATCH=tag)
    second = receptionist_api.put(f"/appointments/{row.pk}", {"notes": "theirs"}, HTTP_IF_MATCH=tag)
    assert (first.status_code, second.status_code) == (200, 412)
    assert receptionist_api.call("DELETE", f"/appointments/{row.pk}", None, HTTP_IF_MATCH=tag).status_code == 412
    assert (
        receptionist_api.call("DELETE", f"/appointments/{row.pk}", None, HTTP_IF_MATCH=first.headers["ETag"]).status_code == 200
    )


# States


def test_a_cancelled_visit_is_kept_and_frees_its_time(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    row = book(patient, doctor)
    sent = {"cancellation_reason": "Patient requested cancellation", "notify_patient": True}
    reply = receptionist_api.call("DELETE", f"/appointments/{row.pk}", sent)
    gone = row_of(reply)
    assert (reply.status_code, gone["status"]) == (200, "cancelled")
    assert gone["cancellation_reason"] == sent["cancellation_reason"]
    assert gone["cancelled_at"]
    fact = OutboxEvent.objects.get(name="appointment.updated")
    assert (fact.payload["status"], fact.payload["notify_patient"]) == ("cancelled", True)
    again = receptionist_api.call("DELETE", f"/appointments/{row.pk}", sent)
    assert (again.status_code, error_of(again)["details"]) == (
        409,
        {"reason": "illegal_transition", "from": "cancelled", "to": "cancelled", "allowed": []},
    )
    assert receptionist_api.post("/appointments", body(register_patient("Ann", "Roe"), doctor)).status_code == 201


def test_a_cancellation_may_stand_in_the_address_or_have_no_reason(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    rows = [book(patient, doctor, at(clock_time)) for clock_time in ("09:00", "10:00", "11:00")]
    reply = receptionist_api.call("DELETE", f"/appointments/{rows[0].pk}?cancellation_reason=Snow&notify_patient=false")
    assert row_of(reply)["cancellation_reason"] == "Snow"
    assert OutboxEvent.objects.get(name="appointment.updated").payload["notify_patient"] is False
    assert receptionist_api.call("DELETE", f"/appointments/{rows[1].pk}").status_code == 200
    assert receptionist_api.post(f"/appointments/{rows[2].pk}/cancel", {"cancellation_reason": "Snow"}).status_code == 200
    assert receptionist_api.call("DELETE", f"/appointments/{rows[2].pk}?why=x").status_code == 400


def test_a_no_show_needs_the_time_of_the_visit_and_a_late_patient_is_checked_in_the_same_day(
    receptionist_api: Any, patient: Patient, doctor: User
) -> None:
    soon = book(patient, doctor, clock.now() + timedelta(hours=1))
    early = receptionist_api.post(f"/appointments/{soon.pk}/no-show")
    assert (early.status_code, error_of(early)["details"]["to"]) == (409, "no_show")
    old = book(register_patient("Ann", "Roe"), doctor, clock.now() - timedelta(days=3))
    late = book(register_patient("Bea", "Roe"), doctor, clock.now() - timedelta(minutes=5), duration_minutes=5)
    assert [row_of(receptionist_api.post(f"/appointments/{row.pk}/no-show"))["status"] for row in (old, late)] == ["no_show"] * 2
    assert receptionist_api.post(f"/appointments/{old.pk}/check-in").status_code == 409
    if late.scheduled_time.astimezone(at().tzinfo).date() == clock.today():
        assert row_of(receptionist_api.post(f"/appointments/{late.pk}/check-in"))["status"] == "checked_in"


def test_each_who_checks_in_gets_the_next_token_of_the_day(receptionist_api: Any, doctor: User) -> None:
    rows = [book(register_patient("Ann", f"Roe{letter}"), doctor, at(f"1{number}:00")) for number, letter in enumerate("abc")]
    shown = [row_of(receptionist_api.post(f"/appointments/{row.pk}/check-in", {"early": True})) for row in rows]
    assert [row["queue_number"] for row in shown] == [1, 2, 3]
    assert all(row["checked_in_at"] for row in shown)
    again = receptionist_api.post(f"/appointments/{rows[0].pk}/check-in")
    assert (again.status_code, error_of(again)["details"]["allowed"]) == (409, ["cancelled", "no_show"])


# Lists


def test_the_list_is_filtered_by_patient_doctor_day_and_status(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    other, ann = hire("dr.two", "doctor", specialty="Cardiology"), register_patient("Ann", "Roe")
    first, second = book(patient, doctor, at("10:00")), book(ann, doctor, at("11:00"))
    third = book(patient, other, at("10:00", monday(2)))
    receptionist_api.post(f"/appointments/{second.pk}/cancel")

    def listed(query: str) -> list[str]:
        return [row["id"] for row in receptionist_api.get(f"/appointments?{query}").json()["data"]["appointments"]]

    ids = {row.pk: str(row.pk) for row in (first, second, third)}
    day = monday().isoformat()
    assert listed("") == [ids[third.pk], ids[second.pk], ids[first.pk]]
    assert listed("sort=scheduled_time") == [ids[first.pk], ids[second.pk], ids[third.pk]]
    assert listed(f"patient_id={patient.pk}") == [ids[third.pk], ids[first.pk]]
    assert listed(f"doctor_id={doctor.pk}&date_from={day}&date_to={day}") == [ids[second.pk], ids[first.pk]]
    assert listed(f"date_from={at('10:00').isoformat().replace('+', '%2B')}&date_to={day}&status=scheduled") == [ids[first.pk]]
    assert listed("status=cancelled") == [ids[second.pk]]
    assert listed(f"date_from={monday(3)}") == []
    survivor = register_patient("Jon", "Doe", phone="+1-555-0100")
    merge(patient, survivor)
    assert listed(f"patient_id={patient.pk}") == listed(f"patient_id={survivor.pk}") == [ids[third.pk], ids[first.pk]]


@pytest.mark.parametrize(
    "query",
    ["date_from=2025-02-01&date_to=2025-01-01", "date_from=soon", "status=asleep", "patient_id=x", "sort=notes", "who=me"],
)
def test_a_filter_that_makes_no_sense_is_refused(receptionist_api: Any, query: str) -> None:
    assert receptionist_api.get(f"/appointments?{query}").status_code == 400


def test_totals_and_rows_leave_out_who_is_hidden(staff: dict[str, User], patient: Patient, doctor: User) -> None:
    closed = register_patient("Dora", "Hale")
    book(patient, doctor), book(closed, doctor, at("11:00"))
    restrict(closed, staff["nurse"])
    for query in ("", f"?doctor_id={doctor.pk}", "?status=scheduled", f"?patient_id={closed.pk}"):
        seen = {}
        for role in ("receptionist", "nurse"):
            data = api_client(staff[role]).get(f"/appointments{query}").json()["data"]
            assert data["pagination"]["total"] == len(data["appointments"])
            seen[role] = data["pagination"]["total"]
        assert seen["nurse"] - seen["receptionist"] == 1, query


def test_billing_sees_time_and_doctor_and_no_notes(staff: dict[str, User], patient: Patient, doctor: User) -> None:
    row, who = book(patient, doctor, notes="Chest pain"), api_client(staff["billing"])
    shown = row_of(who.get(f"/appointments/{row.pk}"))
    left_out = {"notes", "overbook_reason", "triage", "triage_reason", "cancellation_reason"}
    assert set(shown) == WHOLE - left_out
    assert set(who.get("/appointments").json()["data"]["appointments"][0]) == KEYS - left_out


def test_patient_and_doctor_can_be_embedded_next_to_their_ids(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    row = book(patient, doctor)
    shown = row_of(receptionist_api.get(f"/appointments/{row.pk}?expand=patient,doctor"))
    assert (shown["patient"]["mrn"], shown["doctor"]["last_name"]) == (patient.mrn, doctor.last_name)
    (listed,) = receptionist_api.get("/appointments?expand=patient&fields=id,status").json()["data"]["appointments"]
    assert set(listed) == {"id", "status", "patient"}


def test_a_list_costs_the_same_with_one_row_and_with_a_hundred(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as log:
            assert receptionist_api.get(f"/appointments?{query}").status_code == 200
        return len(log)

    for hour in range(9, 18):
        book(patient, doctor, at(f"{hour:02}:00"))
    for filters in ("", f"&doctor_id={doctor.pk}", f"&patient_id={patient.pk}&status=scheduled&date_from=2025-01-01"):
        queries(f"limit=1{filters}")
        # the session, the list, its total, the audit row; a page that contains all rows needs no total
        assert queries(f"limit=1{filters}") == queries(f"limit=8{filters}") == 4
        assert queries(f"limit=100{filters}") == 3


@pytest.mark.parametrize("resource", ["appointments", "consultations", "waitlist"])
def test_a_list_of_one_patient_is_in_the_access_log_of_the_patient(
    staff: dict[str, User], patient: Patient, doctor: User, resource: str
) -> None:
    client, retired = api_client(staff["doctor"]), register_patient("Jon", "Doe")
    merge(retired, patient)
    actions = {"appointments": "appointment.searched", "consultations": "consultation.searched", "waitlist": "waitlist.searched"}
    logged = AuditEvent.objects.filter(action=actions[resource]).order_by("at").values_list("patient_id", flat=True)
    assert client.get(f"/{resource}?patient_id={retired.pk}").status_code == 200  # no row yet
    book(patient, doctor)
    services.add_to_waitlist(by=SYSTEM, new=services.NewWaitlistEntry(patient_id=patient.pk, date_to=monday(2)))
    for query in (f"?patient_id={patient.pk}", f"?patient_id={uuid4()}", ""):
        assert client.get(f"/{resource}{query}").status_code == 200
    assert list(logged) == [patient.pk, patient.pk, None, None]


def test_a_booking_is_few_statements(receptionist_api: Any, patient: Patient, doctor: User) -> None:
    receptionist_api.post("/appointments", body(patient, doctor))
    with CaptureQueriesContext(connection) as log:
        receptionist_api.post("/appointments", body(patient, doctor, scheduled_time=at("13:00").isoformat()))
    overhead = ("SAVEPOINT", "RELEASE", "accounts_session", "INSERT INTO audit_", "INSERT INTO events_")
    own = [query["sql"] for query in log if not any(word in query["sql"] for word in overhead)]
    assert len(own) <= 4, "\n".join(own)
