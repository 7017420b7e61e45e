"""The queue over HTTP: the waiting patients in order, since when, for how long still, and which of them a user may see."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, api_key_client, create_api_key, hire
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.queue import board
from apps.appointments.queue import day as days
from apps.appointments.services import ImportedAppointment, ImportedStatus, NewSchedule, WeeklyHours
from apps.appointments.tests.factories import at, book, publish, room
from apps.appointments.tests.test_prepared import fill, rows_read
from apps.audit.models import AuditEvent
from apps.events.models import OutboxEvent
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

TEN = at("10:00")  # of a Monday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIVE = (("First", 50), ("Second", 40), ("Third", 30), ("Fourth", 20), ("Fifth", 10))  # who came how many minutes ago


@pytest.fixture
def clock() -> Iterator[Any]:
    """It is Monday, ten o'clock where the clinic is."""
    with time_machine.travel(TEN, tick=False) as traveller:
        yield traveller


@pytest.fixture
def doctor(staff: dict[str, User], clock: Any) -> User:
    return staff["doctor"]


@pytest.fixture
def patel(staff: dict[str, User], clock: Any) -> User:
    return hire("dr.patel", "doctor", specialty="Cardiology", last_name="Patel")


def book_and_check_in(who: Patient | str, doctor: User, ago: int, **visit: Any) -> Appointment:
    """The patient was checked in so many minutes ago, for a visit at a time of its own."""
    patient = who if isinstance(who, Patient) else register_patient("Ann", who)
    last = Appointment.objects.order_by("-ends_at").first()
    row = book(patient, doctor, max(last.ends_at, TEN) if last else TEN, **visit)
    with time_machine.travel(TEN - ago * MINUTE, tick=False):
        return services.check_in(by=SYSTEM, appointment_id=row.pk, early=True)


def begin(row: Appointment, ago: int) -> None:
    """The doctor called the patient so many minutes ago."""
    with time_machine.travel(TEN - ago * MINUTE, tick=False):
        services.start(by=SYSTEM, appointment_id=row.pk, early=True)


def finish(row: Appointment, ago: int) -> None:
    with time_machine.travel(TEN - ago * MINUTE, tick=False):
        services.complete(by=SYSTEM, appointment_id=row.pk)


def mark(row: Appointment, triage: str) -> None:
    services.change(by=SYSTEM, appointment_id=row.pk, changes={"triage": triage})


def seen(doctor: User, *minutes: int, kind: str = "consultation", days_ago: int = 7) -> None:
    """Finished visits of these lengths."""
    patient, visits = register_patient("Past", f"P{days_ago}"), []
    for place, took in enumerate(minutes):
        start = TEN - days_ago * DAY + place * timedelta(hours=2)
        path = (("scheduled", -60), ("checked_in", -5), ("in_progress", 0), ("completed", took))
        steps = [ImportedStatus(status=status, at=start + after * MINUTE) for status, after in path]
        details = {"doctor_id": doctor.pk, "scheduled_time": start, "duration_minutes": 15, "appointment_type": kind}
        visits.append(ImportedAppointment(patient_id=patient.pk, steps=steps, **details))
    assert services.import_records(by=SYSTEM, visits=visits) == len(minutes)


def look(user: User, query: str = "") -> dict[str, Any]:
    reply = api_client(user).get(f"/queue{query}")
    assert reply.status_code == 200, reply.content
    return reply.json()["data"]


def names(data: dict[str, Any]) -> list[str]:
    return [place["patient_name"].split()[1] for place in data["queue"]]


def still(data: dict[str, Any]) -> dict[str, int | None]:
    return {place["patient_name"].split()[1]: place["estimated_wait_minutes"] for place in data["queue"]}


def utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


# Who waits, and in which order


def test_an_empty_queue_has_no_estimates(staff: dict[str, User], clock: Any) -> None:
    data = look(staff["nurse"])
    assert (data["queue"], data["pagination"]["total"]) == ([], 0)
    assert data["summary"] == {
        "waiting": 0,
        "in_progress": 0,
        "left_over": 0,
        "emergency": 0,
        "urgent": 0,
        "longest_wait_minutes": None,
        "average_wait_minutes_today": None,
        "called_today": 0,
        "alerts": 0,
        "ready": 0,
    }


def test_who_is_checked_in_stands_there_with_token_names_and_times(staff: dict[str, User], doctor: User) -> None:
    john, here = register_patient(), room()
    row = book_and_check_in(john, doctor, 12, room_id=here.pk, appointment_type="follow_up")
    book(register_patient("Bea", "Booked"), doctor, TEN + 60 * MINUTE)
    (place,) = look(staff["receptionist"])["queue"]
    assert place == {
        "position": 1,
        "token": 1,
        "appointment_id": str(row.pk),
        "patient_id": str(john.pk),
        "patient_name": "John Doe",
        "mrn": john.mrn,
        "doctor_id": str(doctor.pk),
        "doctor_name": f"{doctor.first_name} {doctor.last_name}",
        "room_id": str(here.pk),
        "appointment_type": "follow_up",
        "status": "checked_in",
        "triage": "routine",
        "triage_reason": "",
        "scheduled_time": utc(TEN),
        "checked_in_at": utc(TEN - 12 * MINUTE),
        "waiting_minutes": 12,
        "estimated_wait_minutes": 0,
        "estimated_start": utc(TEN),
        "alert_since": None,
        "ready_since": None,
        "left_over": False,
    }


def test_emergencies_go_first_then_urgent_patients_then_by_arrival(staff: dict[str, User], doctor: User) -> None:
    rows = {name: book_and_check_in(name, doctor, ago) for name, ago in FIVE}
    for name, triage in (("Fourth", "urgent"), ("Third", "emergency"), ("Fifth", "emergency")):
        mark(rows[name], triage)
    data = look(staff["nurse"])
    assert names(data) == ["Third", "Fifth", "Fourth", "First", "Second"]
    assert [place["position"] for place in data["queue"]] == [1, 2, 3, 4, 5]
    assert [place["token"] for place in data["queue"]] == [3, 5, 4, 1, 2]  # a token names a patient at any position
    assert (data["summary"]["waiting"], data["summary"]["emergency"], data["summary"]["urgent"]) == (5, 2, 1)
    assert data["summary"]["longest_wait_minutes"] == 50


def test_a_nurse_triages_and_the_queue_is_in_another_order(staff: dict[str, User], doctor: User) -> None:
    book_and_check_in("First", doctor, 30)
    later = book_and_check_in("Later", doctor, 5)
    body = {"triage": "urgent", "triage_reason": "Chest pain"}
    reply = api_client(staff["nurse"]).put(f"/appointments/{later.pk}", body)
    assert (reply.status_code, reply.json()["data"]["appointment"]["triage_reason"]) == (200, "Chest pain")
    first, second = look(staff["nurse"])["queue"]
    assert (first["triage"], first["triage_reason"], second["triage"]) == ("urgent", "Chest pain", "routine")
    assert names(look(staff["nurse"])) == ["Later", "First"]
    fact = OutboxEvent.objects.filter(name="appointment.updated").latest("id")
    assert set(fact.payload["changes"]) == {"triage", "triage_reason"}
    assert api_client(staff["pharmacist"]).put(f"/appointments/{later.pk}", body).status_code == 403


def test_who_is_with_the_doctor_left_or_finished_is_out_of_the_queue_and_counted(staff: dict[str, User], doctor: User) -> None:
    inside, left, done = (book_and_check_in(name, doctor, 30) for name in ("Inside", "Left", "Done"))
    begin(done, 20), finish(done, 10), begin(inside, 10)
    services.cancel(by=SYSTEM, appointment_id=left.pk)
    book_and_check_in("Waits", doctor, 5)
    data = look(staff["nurse"])
    assert names(data) == ["Waits"]
    assert (data["summary"]["in_progress"], data["summary"]["waiting"]) == (1, 1)


def test_who_is_put_back_keeps_token_and_place(staff: dict[str, User], doctor: User) -> None:
    first = book_and_check_in("First", doctor, 30)
    book_and_check_in("Second", doctor, 20)
    begin(first, 10)
    assert names(look(staff["nurse"])) == ["Second"]
    services.return_to_queue(by=SYSTEM, appointment_id=first.pk)
    data = look(staff["nurse"])
    assert [(place["token"], place["waiting_minutes"]) for place in data["queue"]] == [(1, 30), (2, 20)]
    assert names(data) == ["First", "Second"]


def test_who_was_forgotten_yesterday_stands_behind_all_others_until_settled(staff: dict[str, User], doctor: User) -> None:
    old = book_and_check_in("Forgotten", doctor, 24 * 60)
    mark(old, "emergency")
    book_and_check_in("Today", doctor, 5)
    data = look(staff["nurse"])
    assert [(place["left_over"], place["position"]) for place in data["queue"]] == [(False, 1), (True, 2)]
    assert names(data) == ["Today", "Forgotten"]
    assert still(data) == {"Today": 0, "Forgotten": None}
    numbers = data["summary"]
    assert (numbers["waiting"], numbers["left_over"], numbers["emergency"], numbers["longest_wait_minutes"]) == (1, 1, 0, 5)
    assert data["pagination"]["total"] == 2
    assert api_client(staff["receptionist"]).post(f"/appointments/{old.pk}/cancel").status_code == 200
    assert names(look(staff["nurse"])) == ["Today"]


def test_who_came_yesterday_and_is_called_today_is_with_the_doctor_today(staff: dict[str, User], doctor: User) -> None:
    old, first = book_and_check_in("Forgotten", doctor, 17 * 60), book_and_check_in("Today", doctor, 5)
    begin(old, 5)
    services.set_queue_marks(by=SYSTEM, appointment=old, alert_since=TEN, ready_since=None)
    data = look(staff["nurse"])
    assert [(place["status"], place["left_over"]) for place in data["queue"]] == [("in_progress", False), ("checked_in", False)]
    numbers = data["summary"]
    assert (numbers["in_progress"], numbers["left_over"], numbers["alerts"], numbers["called_today"]) == (1, 0, 1, 0)
    assert still(data)["Today"] == 10  # the rest of the fifteen minutes
    assert {row.pk for row in days.of_doctor(SYSTEM, doctor.pk)} >= {old.pk, first.pk}


def test_the_clinics_midnight_divides_the_days(staff: dict[str, User], doctor: User, clock: Any) -> None:
    book_and_check_in("Late", doctor, 10 * 60 + 1)  # one minute before midnight
    book_and_check_in("Early", doctor, 10 * 60 - 1)
    assert [place["left_over"] for place in look(staff["nurse"])["queue"]] == [False, True]


def test_pages_run_through_today_and_into_what_was_left_over(staff: dict[str, User], doctor: User) -> None:
    for name, ago in (*FIVE[:3], ("OldA", 3000), ("OldB", 2000)):
        book_and_check_in(name, doctor, ago)
    pages = [look(staff["nurse"], f"?limit=2&page={page}") for page in (1, 2, 3, 4)]
    assert [names(page) for page in pages] == [["First", "Second"], ["Third", "OldA"], ["OldB"], []]
    assert [place["position"] for page in pages for place in page["queue"]] == [1, 2, 3, 4, 5]
    assert {(page["pagination"]["total"], page["summary"]["waiting"]) for page in pages} == {(5, 3)}


def test_the_queue_is_filtered_by_doctor_room_and_triage_with_its_numbers(
    staff: dict[str, User], doctor: User, patel: User
) -> None:
    here = room()
    book_and_check_in("Ada", doctor, 30, room_id=here.pk)
    mark(book_and_check_in("Bea", doctor, 20), "urgent")
    book_and_check_in("Cleo", patel, 10)
    for query, expected in (
        (f"doctor_id={doctor.pk}", ["Bea", "Ada"]),
        (f"doctor_id={patel.pk}", ["Cleo"]),
        (f"room_id={here.pk}", ["Ada"]),
        ("triage=urgent", ["Bea"]),
        (f"triage=routine&doctor_id={doctor.pk}", ["Ada"]),
        ("triage=emergency", []),
    ):
        data = look(staff["nurse"], f"?{query}")
        assert (names(data), data["summary"]["waiting"]) == (expected, len(expected)), query
        assert [place["position"] for place in data["queue"]] == list(range(1, len(expected) + 1))
    # a filter hides patients and makes no start sooner
    assert still(look(staff["nurse"], f"?room_id={here.pk}")) == {"Ada": 15}


@pytest.mark.parametrize("query", ["doctor_id=x", "triage=soon", "room_id=1", "who=me", "limit=0", "page=x", "sort=token"])
def test_a_filter_that_makes_no_sense_is_refused(staff: dict[str, User], query: str) -> None:
    assert api_client(staff["nurse"]).get(f"/queue?{query}").status_code == 400


# Which patients a user may see


@pytest.mark.parametrize(
    ("role", "status"),
    [("admin", 200), ("doctor", 200), ("nurse", 200), ("receptionist", 200)]
    + [(role, 403) for role in ("pharmacist", "lab_technician", "billing")],
)
def test_only_reception_and_clinicians_see_the_queue(staff: dict[str, User], role: str, status: int) -> None:
    assert api_client(staff[role]).get("/queue").status_code == status


def test_a_manager_sees_the_queue_without_reasons_and_alerts(staff: dict[str, User], doctor: User) -> None:
    row = book_and_check_in("Ida", doctor, 10)
    services.change(by=staff["nurse"], appointment_id=row.pk, changes={"triage": "urgent", "triage_reason": "Chest pain"})
    [seen] = api_client(staff["manager"]).get("/queue").json()["data"]["queue"]
    assert (seen["appointment_id"], seen["triage"]) == (str(row.pk), "urgent")
    assert not {"triage_reason", "alert_since"} & set(seen)
    assert "Chest pain" in api_client(staff["nurse"]).get("/queue").content.decode()


def test_a_key_needs_the_scope_to_write_appointments(staff: dict[str, User]) -> None:
    refused = api_key_client(create_api_key(staff["nurse"], "appointments:read").text).get("/queue")
    assert (refused.status_code, refused.json()["error"]["details"]["required_scope"]) == (403, "appointments:write")
    assert api_key_client(create_api_key(staff["nurse"], "appointments:write").text).get("/queue").status_code == 200


def test_doctors_see_their_own_queue_alone(staff: dict[str, User], doctor: User, patel: User) -> None:
    begin(book_and_check_in("Inside", patel, 40), 10)
    book_and_check_in("Mine", doctor, 30), book_and_check_in("Theirs", patel, 20)
    mine = look(doctor)
    assert (names(mine), mine["pagination"]["total"]) == (["Mine"], 1)
    assert (mine["summary"]["waiting"], mine["summary"]["in_progress"], mine["summary"]["called_today"]) == (1, 0, 0)
    assert names(look(doctor, f"?doctor_id={doctor.pk}")) == ["Mine"]
    refused = api_client(doctor).get(f"/queue?doctor_id={patel.pk}")
    assert (refused.status_code, refused.json()["error"]["details"]["field"]) == (403, "doctor_id")
    assert names(look(staff["nurse"])) == ["Mine", "Theirs"]


def test_a_closed_chart_is_neither_shown_nor_counted_and_takes_its_time_all_the_same(
    staff: dict[str, User], patel: User, clock: Any
) -> None:
    closed, forgotten, begun = register_patient("Dora", "Hale"), register_patient("Dot", "Hale"), register_patient("Don", "Hale")
    (
        book_and_check_in(closed, patel, 60),
        book_and_check_in(forgotten, patel, 3000),
        begin(book_and_check_in(begun, patel, 50), 45),
    )
    book_and_check_in("Open", patel, 10)
    for patient in (closed, forgotten, begun):
        restrict(patient, staff["nurse"])
    shown, hidden = look(staff["nurse"]), look(staff["receptionist"])
    assert (names(shown), names(hidden)) == (["Hale", "Open", "Hale"], ["Open"])
    numbers = ("waiting", "left_over", "in_progress", "called_today", "longest_wait_minutes")
    assert [shown["summary"][name] for name in numbers] == [2, 1, 1, 1, 60]
    assert [hidden["summary"][name] for name in numbers] == [1, 0, 0, 0, 10]
    assert (hidden["queue"][0]["position"], hidden["pagination"]["total"]) == (1, 1)
    assert still(hidden)["Open"] == still(shown)["Open"] == 15


def test_looking_at_the_queue_is_on_record(staff: dict[str, User], doctor: User) -> None:
    book_and_check_in("Ann", doctor, 5)
    look(staff["nurse"], "?triage=routine")
    row = AuditEvent.objects.get(action="queue.listed")
    assert (row.user_id, row.detail["shown"], row.detail["query"]) == (staff["nurse"].pk, 1, {"triage": "routine"})


def test_patient_and_doctor_can_be_embedded_next_to_their_ids(staff: dict[str, User], doctor: User) -> None:
    book_and_check_in(register_patient(), doctor, 5)
    (place,) = look(staff["nurse"], "?expand=patient,doctor&fields=token")["queue"]
    assert (place["token"], place["patient"]["first_name"], place["doctor"]["id"]) == (1, "John", str(doctor.pk))


# How long it took, and will take


def test_waits_are_measured_from_check_in_to_start_by_what_happened(staff: dict[str, User], doctor: User) -> None:
    first, second, back = (
        book_and_check_in("First", doctor, 60),
        book_and_check_in("Second", doctor, 50),
        book_and_check_in("Back", doctor, 40),
    )
    begin(first, 50), finish(first, 40)  # waited 10
    begin(second, 35)  # waited 15
    begin(back, 30)  # waited 10, returned to the queue, called again: waited once
    with time_machine.travel(TEN - 20 * MINUTE, tick=False):
        services.return_to_queue(by=SYSTEM, appointment_id=back.pk)
    begin(back, 5)
    old = book_and_check_in("Old", doctor, 24 * 60)
    begin(old, 60)  # came yesterday: no wait of today
    book_and_check_in("Waits", doctor, 3)
    numbers = look(staff["nurse"])["summary"]
    assert (numbers["average_wait_minutes_today"], numbers["called_today"]) == (11.7, 3)
    assert numbers["longest_wait_minutes"] == 3


def test_who_is_taken_straight_in_has_not_waited(staff: dict[str, User], doctor: User) -> None:
    first, straight = book_and_check_in("First", doctor, 30), book(register_patient("Ann", "Straight"), doctor, TEN + DAY)
    begin(first, 10)
    begin(straight, 8)
    numbers = look(staff["nurse"])["summary"]
    assert (numbers["average_wait_minutes_today"], numbers["called_today"], numbers["in_progress"]) == (20.0, 1, 2)


def test_a_visit_goes_on_across_midnight(staff: dict[str, User], doctor: User, clock: Any) -> None:
    inside = book_and_check_in("Inside", doctor, 20)
    begin(inside, 10)
    clock.move_to(TEN + 14 * HOUR - 5 * MINUTE)  # five to midnight, with a patient in progress
    services.return_to_queue(by=SYSTEM, appointment_id=inside.pk)
    services.start(by=SYSTEM, appointment_id=inside.pk)
    clock.move_to(TEN + 14 * HOUR + 5 * MINUTE)
    assert look(staff["nurse"])["summary"]["in_progress"] == 1
    clock.move_to(TEN + 23 * HOUR)  # called more than a visit's longest time ago: left open, not going on
    assert look(staff["nurse"])["summary"]["in_progress"] == 0
    late = book(register_patient("Ann", "Late"), doctor, TEN + 2 * DAY)
    clock.move_to(TEN + 38 * HOUR - 5 * MINUTE)
    services.start(by=SYSTEM, appointment_id=late.pk, early=True)
    clock.move_to(TEN + 38 * HOUR + 5 * MINUTE)
    assert look(staff["nurse"])["summary"]["in_progress"] == 1


def test_the_queue_reads_the_patients_who_are_here_alone(staff: dict[str, User], doctor: User) -> None:
    begin(book_and_check_in("Inside", doctor, 20), 10)
    fill(book(register_patient("Ann", "Many"), doctor, TEN + 30 * DAY), missed_before=True)
    with CaptureQueriesContext(connection) as log:
        assert board.current(by=SYSTEM).summary.in_progress == 1
    statement = next(asked["sql"] for asked in log if '"appointments_statuschange"' in asked["sql"])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE appointments_statuschange")
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement.replace("%", "%%"), [])
        ((plan,),) = cursor.fetchall()
    whole = json.loads(plan) if isinstance(plan, str) else plan
    assert rows_read(whole[0]["Plan"], "appointments_appointment") <= 4, whole


def test_who_missed_the_call_and_came_again_waits_from_the_second_check_in(staff: dict[str, User], doctor: User) -> None:
    row = book_and_check_in("Ann", doctor, 50)
    services.no_show(by=SYSTEM, appointment_id=row.pk)
    with time_machine.travel(TEN - 8 * MINUTE, tick=False):
        services.check_in(by=SYSTEM, appointment_id=row.pk)
    (place,) = look(staff["nurse"])["queue"]
    assert (place["waiting_minutes"], place["token"]) == (8, 2)
    begin(row, 2)
    assert look(staff["nurse"])["summary"]["average_wait_minutes_today"] == 6.0


def test_who_waits_behind_others_waits_for_their_booked_lengths_where_little_is_known(
    staff: dict[str, User], doctor: User, patel: User
) -> None:
    book_and_check_in("First", doctor, 30, duration_minutes=20), book_and_check_in("Second", doctor, 20, duration_minutes=10)
    book_and_check_in("Third", doctor, 10)
    book_and_check_in("Else", patel, 5)
    data = look(staff["nurse"])
    assert still(data) == {"First": 0, "Second": 20, "Third": 30, "Else": 0}
    assert data["queue"][1]["estimated_start"] == utc(TEN + 20 * MINUTE)


def test_recent_visits_of_that_doctor_and_type_say_how_long_one_takes(staff: dict[str, User], doctor: User, patel: User) -> None:
    seen(doctor, 30, 32, 34, 200, 28)  # the median is 32, the mean 65
    seen(patel, 5, 5, 5, 5, 5, days_ago=8)
    seen(doctor, 2, 2, 2, 2, 2, kind="vaccination", days_ago=9)
    seen(doctor, 3, 3, 3, 3, 3, days_ago=80)  # too long ago
    seen(doctor, 50, 50, 50, 50, kind="procedure", days_ago=10)  # too few
    book_and_check_in("First", doctor, 50), book_and_check_in("Second", doctor, 40, appointment_type="vaccination")
    (
        book_and_check_in("Third", doctor, 30, appointment_type="procedure", duration_minutes=45),
        book_and_check_in("Fourth", doctor, 20),
    )
    assert still(look(staff["nurse"])) == {"First": 0, "Second": 32, "Third": 34, "Fourth": 79}


def test_the_latest_visits_count_where_there_are_many(staff: dict[str, User], doctor: User) -> None:
    for week in range(1, 8):
        seen(doctor, *[10 * week] * 6, days_ago=7 * week)  # the latest 20: up to 40 minutes
    book_and_check_in("First", doctor, 5), book_and_check_in("Second", doctor, 4)
    assert still(look(staff["nurse"]))["Second"] == 20


def test_what_is_left_of_the_visit_that_goes_on_is_waited_for_and_never_less_than_nothing(
    staff: dict[str, User], doctor: User, clock: Any
) -> None:
    begin(book_and_check_in("Inside", doctor, 30, duration_minutes=20), 12)
    book_and_check_in("Next", doctor, 10)
    assert still(look(staff["nurse"])) == {"Next": 8}
    clock.shift(7 * MINUTE + timedelta(seconds=30))
    assert still(look(staff["nurse"])) == {"Next": 1}  # half a minute, shown as one
    clock.shift(60 * MINUTE)
    assert still(look(staff["nurse"])) == {"Next": 0}


def test_no_start_is_before_the_doctors_hours_or_in_time_off(staff: dict[str, User], doctor: User) -> None:
    hours = [
        WeeklyHours(weekday=0, starts=time(10, 30), ends=time(11)),
        WeeklyHours(weekday=0, starts=time(13), ends=time(17)),
    ]
    services.set_schedule(by=SYSTEM, doctor_id=doctor.pk, schedule=NewSchedule(hours=hours))
    for name, ago in FIVE[:4]:
        book_and_check_in(name, doctor, ago, duration_minutes=20)
    assert still(look(staff["nurse"])) == {"First": 30, "Second": 50, "Third": 180, "Fourth": 200}
    services.add_time_off(by=SYSTEM, doctor_id=doctor.pk, starts_at=TEN + 190 * MINUTE, ends_at=TEN + 240 * MINUTE)
    assert still(look(staff["nurse"])) == {"First": 30, "Second": 50, "Third": 180, "Fourth": 240}


def test_a_patient_waiting_for_a_doctor_who_is_away_all_day_gets_no_estimate(staff: dict[str, User], doctor: User) -> None:
    publish(doctor)
    book_and_check_in("Ann", doctor, 5)
    services.add_time_off(by=SYSTEM, doctor_id=doctor.pk, starts_at=TEN - DAY, ends_at=TEN + 2 * DAY)
    (place,) = look(staff["nurse"])["queue"]
    assert (place["estimated_wait_minutes"], place["estimated_start"], place["waiting_minutes"]) == (None, None, 5)


def test_after_hours_who_still_waits_is_still_seen(staff: dict[str, User], doctor: User, clock: Any) -> None:
    publish(doctor, ends=time(9, 30))
    book_and_check_in("Ann", doctor, 60)
    assert still(look(staff["nurse"])) == {"Ann": 0}


def test_shortly_before_midnight_an_estimate_reaches_into_the_next_day(staff: dict[str, User], doctor: User, clock: Any) -> None:
    book_and_check_in("First", doctor, 0, duration_minutes=30), book_and_check_in("Second", doctor, 0)
    clock.shift(timedelta(hours=13, minutes=45))
    assert still(look(staff["nurse"])) == {"First": 0, "Second": 30}


# What it costs


def test_a_long_queue_costs_as_many_statements_as_a_short_one(staff: dict[str, User], doctor: User, patel: User) -> None:
    nurse = api_client(staff["nurse"])

    def statements() -> int:
        with CaptureQueriesContext(connection) as log:
            assert nurse.get("/queue?limit=100").status_code == 200
        return len(log)

    book_and_check_in("Zero", doctor, 3000), book_and_check_in("One", doctor, 5)
    statements()
    short = statements()
    for number in range(12):
        row = book_and_check_in(f"Many{number}", doctor if number % 2 else patel, number + 10)
        if number > 7:
            begin(row, 1)
    assert statements() == short <= 11
