"""Weeks, time off, rooms and free times over HTTP."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, hire
from apps.appointments.api.serializers.requests import EndTimeField
from apps.appointments.tests.factories import at, book, monday, publish, room
from apps.events.models import OutboxEvent
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

LA = ZoneInfo("America/Los_Angeles")


def free(who: Any, doctor: User, query: str = "") -> list[str]:
    reply = who.get(f"/doctors/{doctor.pk}/availability?{query}")
    assert reply.status_code == 200, reply.content
    return [f"{slot['local_date']} {slot['local_time']}" for slot in reply.json()["data"]["slots"]]


def test_a_day_of_free_times(staff: dict[str, User]) -> None:
    publish(staff["doctor"], slot_minutes=30)
    day = monday()
    who = api_client(staff["lab_technician"])
    reply = who.get(f"/doctors/{staff['doctor'].pk}/availability?date_from={day}&date_to={day}")
    slots = reply.json()["data"]["slots"]
    assert len(slots) == 16
    first = slots[0]
    assert set(first) == {"start", "end", "local_date", "local_time", "duration_minutes"}
    assert (first["local_date"], first["local_time"], first["duration_minutes"]) == (day.isoformat(), "09:00", 30)
    assert datetime.fromisoformat(first["start"]) == at("09:00", day)
    assert datetime.fromisoformat(slots[-1]["end"]) == at("17:00", day)


def test_what_is_booked_or_off_is_not_offered_and_what_was_cancelled_is_again(staff: dict[str, User]) -> None:
    doctor, receptionist_api, day = staff["doctor"], api_client(staff["receptionist"]), monday()
    publish(doctor, slot_minutes=60)
    row = book(register_patient(), doctor, at("10:00"), duration_minutes=60)
    book(register_patient("Ann", "Roe"), doctor, at("13:30"), duration_minutes=15)
    sent = {"starts_at": at("15:00").isoformat(), "ends_at": at("16:00").isoformat(), "reason": "Training"}
    assert receptionist_api.post(f"/doctors/{doctor.pk}/time-off", sent).status_code == 201
    query = f"date_from={day}&date_to={day}"
    hours = [slot[-5:] for slot in free(receptionist_api, doctor, query)]
    assert hours == ["09:00", "11:00", "12:00", "14:00", "16:00"]
    receptionist_api.post(f"/appointments/{row.pk}/cancel")
    assert [slot[-5:] for slot in free(receptionist_api, doctor, query)] == ["09:00", "10:00", "11:00", "12:00", "14:00", "16:00"]
    assert [slot[-5:] for slot in free(receptionist_api, doctor, f"{query}&duration_minutes=120")] == ["09:00", "11:00"]


def test_a_day_in_a_year_that_cannot_be_meant_is_refused(staff: dict[str, User]) -> None:
    client, doctor = api_client(staff["admin"]), f"/doctors/{staff['doctor'].pk}"
    for reply, field in (
        (client.post(f"{doctor}/time-off", {"starts_at": str(monday()), "ends_at": "9999-12-31"}), "ends_at"),
        (
            client.post(f"{doctor}/move-appointments", {"date_from": str(monday()), "date_to": "9999-12-31", "reason": "Ill"}),
            "date_to",
        ),
        (client.get(f"{doctor}/availability?date_from=9999-12-25"), "date_from"),
    ):
        details = reply.json()["error"]["details"]
        assert (reply.status_code, str(details).count(field) > 0) == (400, True), reply.content


def test_over_the_change_of_the_clocks_no_slot_is_lost_or_comes_twice(staff: dict[str, User]) -> None:
    for now, days in (
        ("2026-03-01T00:00:00Z", ("2026-03-07", "2026-03-09")),
        ("2026-10-25T00:00:00Z", ("2026-10-31", "2026-11-02")),
    ):
        with time_machine.travel(now, tick=True):
            publish(staff["doctor"], weekdays=7, slot_minutes=60)
            slots = free(api_client(staff["nurse"]), staff["doctor"], f"date_from={days[0]}&date_to={days[1]}")
            assert len(slots) == len(set(slots)) == 24
            assert {slot[-5:] for slot in slots} == {f"{hour:02}:00" for hour in range(9, 17)}


def test_hours_may_last_until_midnight_and_go_on_behind_it(staff: dict[str, User]) -> None:
    doctor, receptionist_api, day = staff["doctor"], api_client(staff["receptionist"]), monday()
    hours = [{"weekday": 0, "starts": "20:00", "ends": "24:00"}, {"weekday": 1, "starts": "00:00", "ends": "04:00"}]
    reply = receptionist_api.call("PUT", f"/doctors/{doctor.pk}/schedule", {"hours": hours, "slot_minutes": 60})
    assert reply.status_code == 200, reply.content
    assert [(one["starts"], one["ends"]) for one in reply.json()["data"]["schedule"]["hours"]] == [
        ("20:00", "24:00"),
        ("00:00", "04:00"),
    ]
    assert [slot[-5:] for slot in free(receptionist_api, doctor, f"date_from={day}&date_to={day}")] == [
        "20:00",
        "21:00",
        "22:00",
        "23:00",
    ]
    sent = {"patient_id": str(register_patient().pk), "doctor_id": str(doctor.pk), "scheduled_time": at("23:30", day).isoformat()}
    across = receptionist_api.post("/appointments", sent | {"duration_minutes": 60})
    assert (across.status_code, across.json().get("warnings", [])) == (201, [])


@pytest.mark.parametrize("ends", ["00:00", "24:01", "24:30", "25:00", "19:00"])
def test_an_end_of_hours_that_is_none_is_named(staff: dict[str, User], ends: str) -> None:
    hours = [{"weekday": 0, "starts": "20:00", "ends": ends}]
    reply = api_client(staff["receptionist"]).call("PUT", f"/doctors/{staff['doctor'].pk}/schedule", {"hours": hours})
    assert reply.status_code == 400
    assert reply.json()["error"]["details"]["field"].startswith("hours")


def test_hours_until_midnight_overlap_other_hours_of_the_evening(staff: dict[str, User]) -> None:
    hours = [{"weekday": 0, "starts": "20:00", "ends": "24:00"}, {"weekday": 0, "starts": "22:00", "ends": "23:00"}]
    reply = api_client(staff["receptionist"]).call("PUT", f"/doctors/{staff['doctor'].pk}/schedule", {"hours": hours})
    assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, "hours[1]")


def test_what_has_passed_is_not_offered_and_the_range_may_be_left_out(staff: dict[str, User]) -> None:
    publish(staff["doctor"], weekdays=7)
    who = api_client(staff["nurse"])
    day = monday() - timedelta(days=14)
    assert free(who, staff["doctor"], f"date_from={day}&date_to={day}") == []
    now = datetime.now(LA)
    slots = free(who, staff["doctor"])
    assert slots
    assert all(slot > f"{now:%Y-%m-%d %H:%M}" for slot in slots)
    assert slots[-1] < f"{now + timedelta(days=15):%Y-%m-%d}"


@pytest.mark.parametrize(
    "query",
    [
        "date_from=x",
        "date_from=2026-02-01&date_to=2026-01-01",
        "duration_minutes=4",
        "duration_minutes=x",
        "appointment_type=party",
        "date_from=2026-01-01&date_to=2028-01-01",
        "limit=5",
    ],
)
def test_a_range_that_makes_no_sense_is_refused(staff: dict[str, User], query: str) -> None:
    assert api_client(staff["nurse"]).get(f"/doctors/{staff['doctor'].pk}/availability?{query}").status_code == 400


def test_only_an_active_doctor_has_free_times(staff: dict[str, User]) -> None:
    who = api_client(staff["nurse"])
    for user in (staff["nurse"].pk, "nobody", "01a20660-b19a-73ec-b298-0cd2a0d026eb"):
        assert who.get(f"/doctors/{user}/availability").status_code == 404
        assert who.get(f"/doctors/{user}/schedule").status_code == 404


def test_free_times_cost_the_same_however_many(staff: dict[str, User]) -> None:
    publish(staff["doctor"], weekdays=7)
    who, first = api_client(staff["nurse"]), monday()
    for number in range(8):
        book(register_patient("Ann", f"Roe{number}"), staff["doctor"], at(f"{9 + number:02}:00"))
    restrict(register_patient("Dora", "Hale"), staff["doctor"])
    for reach in (0, 60):
        with CaptureQueriesContext(connection) as log:
            free(who, staff["doctor"], f"date_from={first}&date_to={first + timedelta(days=reach)}")
        assert len(log) == 4  # the session, the doctor, the week, what is taken


WEEK: dict[str, Any] = {
    "slot_minutes": 20,
    "overbook_per_day": 3,
    "visit_lengths": {"procedure": 40},
    "hours": [
        {"weekday": 0, "starts": "09:00", "ends": "12:00"},
        {"weekday": 0, "starts": "13:00", "ends": "17:00"},
        {"weekday": 2, "starts": "09:00", "ends": "12:00", "valid_from": "2026-01-01", "valid_until": "2026-06-30"},
    ],
}


def test_a_week_is_published_in_place_of_the_one_before(staff: dict[str, User]) -> None:
    doctor, receptionist_api = staff["doctor"], api_client(staff["receptionist"])
    path, here = f"/doctors/{staff['doctor'].pk}/schedule", room()
    empty = receptionist_api.get(path)
    assert empty.json()["data"]["schedule"] == {
        "doctor_id": str(doctor.pk),
        "slot_minutes": 15,
        "overbook_per_day": 6,
        "visit_lengths": {},
        "hours": [],
    }
    sent = WEEK | {"hours": [*WEEK["hours"][:2], WEEK["hours"][2] | {"room_id": str(here.pk)}]}
    reply = receptionist_api.put(path, sent, HTTP_IF_MATCH=empty.headers["ETag"])
    shown = reply.json()["data"]["schedule"]
    assert reply.status_code == 200, reply.content
    nothing = {"room_id": None, "valid_from": None, "valid_until": None}
    assert shown["hours"] == [nothing | one for one in sent["hours"]]
    assert (shown["slot_minutes"], shown["visit_lengths"]) == (20, {"procedure": 40})
    assert receptionist_api.get(path).headers["ETag"] == reply.headers["ETag"]
    assert receptionist_api.put(path, {"hours": []}, HTTP_IF_MATCH=empty.headers["ETag"]).status_code == 412
    assert receptionist_api.put(path, {"hours": []}).json()["data"]["schedule"]["hours"] == []
    assert OutboxEvent.objects.filter(name="schedule.changed").count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hours": ...}, "hours"),
        ({"hours": [{"weekday": 7, "starts": "09:00", "ends": "12:00"}]}, "hours[0].weekday"),
        ({"hours": [{"weekday": 1, "starts": "9 o'clock", "ends": "12:00"}]}, "hours[0].starts"),
        ({"hours": [{"weekday": 1, "starts": "12:00", "ends": "09:00"}]}, "hours[0]"),
        ({"hours": [{"weekday": 1, "starts": "12:00", "ends": "00:00"}]}, "hours[0].ends"),
        ({"hours": [WEEK["hours"][0], WEEK["hours"][0]]}, "hours[1]"),
        ({"hours": [WEEK["hours"][0] | {"room_id": "01a20660-b19a-73ec-b298-0cd2a0d026eb"}]}, "hours[0].room_id"),
        ({"visit_lengths": {"party": 30}}, "visit_lengths"),
        ({"slot_minutes": 1}, "slot_minutes"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_week_that_makes_no_sense_is_refused_and_the_old_one_kept(
    staff: dict[str, User], changes: dict[str, Any], field: str
) -> None:
    receptionist_api, path = api_client(staff["receptionist"]), f"/doctors/{staff['doctor'].pk}/schedule"
    receptionist_api.put(path, WEEK)
    before = receptionist_api.get(path).json()["data"]
    sent = {name: value for name, value in (WEEK | changes).items() if value is not ...}
    reply = receptionist_api.put(path, sent)
    assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, field)
    assert receptionist_api.get(path).json()["data"] == before


def test_the_openapi_file_states_at_which_minutes_hours_can_end() -> None:
    minutes = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60 + 2)]
    pattern = EndTimeField.json_schema["pattern"]
    assert [minute for minute in minutes if not re.fullmatch(pattern, minute)] == ["00:00", "24:01"]


def test_a_doctor_plans_his_own_week_alone(staff: dict[str, User]) -> None:
    other, who = hire("dr.two", "doctor", specialty="Cardiology"), api_client(staff["doctor"])
    off = {"starts_at": "2026-01-05", "ends_at": "2026-01-05"}
    assert who.put(f"/doctors/{staff['doctor'].pk}/schedule", WEEK).status_code == 200
    assert who.put(f"/doctors/{other.pk}/schedule", WEEK).status_code == 403
    assert who.post(f"/doctors/{staff['doctor'].pk}/time-off", off).status_code == 201
    assert who.post(f"/doctors/{other.pk}/time-off", off).status_code == 403


def test_time_off_says_what_it_hits_and_can_be_taken_back(staff: dict[str, User]) -> None:
    doctor, receptionist_api, day = staff["doctor"], api_client(staff["receptionist"]), monday()
    publish(doctor)
    book(register_patient(), doctor, at("10:00"))
    reply = receptionist_api.post(
        f"/doctors/{doctor.pk}/time-off", {"starts_at": day.isoformat(), "ends_at": day.isoformat(), "reason": "Ill"}
    )
    row = reply.json()["data"]["time_off"]
    assert reply.json()["warnings"][0] | {"message": ""} == {"code": "visits_affected", "message": "", "count": 1, "visits": 1}
    assert datetime.fromisoformat(row["ends_at"]) - datetime.fromisoformat(row["starts_at"]) == timedelta(days=1)
    assert free(receptionist_api, doctor, f"date_from={day}&date_to={day}") == []
    there = reply.headers["Location"].removeprefix("/v1")
    assert receptionist_api.get(there).json()["data"]["time_off"]["reason"] == "Ill"
    assert "reason" not in api_client(staff["lab_technician"]).get(there).json()["data"]["time_off"]
    late = receptionist_api.post(
        "/appointments",
        {
            "patient_id": str(register_patient("Ann", "Roe").pk),
            "doctor_id": str(doctor.pk),
            "scheduled_time": at("14:00").isoformat(),
        },
    )
    assert [warning["code"] for warning in late.json()["warnings"]] == ["doctor_time_off"]
    assert receptionist_api.get(f"/doctors/{doctor.pk}/time-off").json()["data"]["pagination"]["total"] == 1
    assert receptionist_api.call("DELETE", there).status_code == 200
    assert receptionist_api.call("DELETE", there).status_code == 404
    assert free(receptionist_api, doctor, f"date_from={day}&date_to={day}")
    assert OutboxEvent.objects.filter(name__startswith="schedule.time_off").count() == 2
    wrong = receptionist_api.post(
        f"/doctors/{doctor.pk}/time-off", {"starts_at": "2026-01-06", "ends_at": "2026-01-05T00:00:00Z"}
    )
    assert (wrong.status_code, wrong.json()["error"]["details"]["field"]) == (400, "ends_at")


def test_rooms_in_use_are_listed(staff: dict[str, User]) -> None:
    room("Room 1"), room("Old room", is_active=False)
    reply = api_client(staff["nurse"]).get("/rooms")
    assert [row["name"] for row in reply.json()["data"]["rooms"]] == ["Room 1"]
    assert api_client(staff["billing"]).get("/rooms").status_code == 403
