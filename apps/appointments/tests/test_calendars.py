"""Calendars: a visit as a file, a doctor's calendar behind a secret, and what neither says."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from icalendar import Calendar

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.events import StaffDeactivated
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, api_key_client, create_api_key, hire
from apps.appointments import services
from apps.appointments.calendars import ical
from apps.appointments.listeners import close_the_calendar
from apps.appointments.models import Appointment, CalendarFeed
from apps.appointments.services import NoFeed
from apps.appointments.tests.factories import at, book, monday, publish, room
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.common.errors import Forbidden, NotFound
from apps.common.tests.concurrency import run_concurrently
from apps.events.models import OutboxEvent
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient, restrict


@pytest.fixture
def doctor(staff: dict[str, User]) -> User:
    publish(staff["doctor"])
    return staff["doctor"]


@pytest.fixture
def patient(db: None) -> Patient:
    return register_patient("Zebulon", "Quackenbush")


def events(reply: Any) -> list[Any]:
    """The events of a calendar, read by another program's rules than ours: the library's strict parser."""
    assert reply.status_code == 200, reply.content
    assert reply.headers["Content-Type"] == "text/calendar; charset=utf-8"
    raw = reply.content
    assert raw.startswith(b"BEGIN:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    return list(Calendar.from_ical(raw).walk("VEVENT"))


def feed_path(url: str) -> str:
    """The path of a feed's address, with its token, below /v1."""
    parts = urlsplit(url)
    return f"{parts.path.removeprefix('/v1')}?{parts.query}"


def subscribe(doctor: User, by: User | None = None) -> str:
    """Creates the address of the doctor's calendar feed and returns its path."""
    reply = api_client(by or doctor).post(f"/doctors/{doctor.pk}/calendar-feed")
    assert reply.status_code == 201, reply.content
    return feed_path(reply.json()["data"]["calendar_feed"]["url"])


# One visit


def test_a_visit_is_a_file_that_calendar_programs_read(staff: dict[str, User], doctor: User, patient: Patient) -> None:
    place = room("Room, 1; east")
    row = book(patient, doctor, at("10:00"), appointment_type="vaccination", notes="Allergic to latex", room_id=place.pk)
    reply = api_client(staff["nurse"]).get(f"/appointments/{row.pk}.ics")
    (event,) = events(reply)
    assert event["uid"] == str(row.pk)
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (at("10:00"), at("10:15"))
    assert b"TZID" not in reply.content  # UTC, which every program knows
    assert event["status"] == "CONFIRMED"
    assert event["summary"] == "Appointment, Arocord Family Clinic"
    assert event["location"] == "Room, 1; east, Arocord Family Clinic"
    assert doctor.last_name in event["description"]
    assert reply.headers["Content-Disposition"].startswith('attachment; filename="appointment-')
    for word in ("Zebulon", "Quackenbush", patient.mrn, "accin", "latex"):
        assert word not in reply.content.decode()
    row_of_trail = AuditEvent.objects.get(action="appointment.exported")
    assert (row_of_trail.patient_id, row_of_trail.object_id) == (patient.pk, row.pk)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("requested", "TENTATIVE"), ("scheduled", "CONFIRMED"), ("confirmed", "CONFIRMED"), ("cancelled", "CANCELLED")],
)
def test_a_file_says_how_sure_the_visit_is(doctor: User, patient: Patient, status: str, expected: str) -> None:
    row = book(patient, doctor, status="requested" if status == "requested" else "scheduled")
    if status in ("confirmed", "cancelled"):
        services.change(by=SYSTEM, appointment_id=row.pk, changes={"status": status})
    (event,) = events(api_client(doctor).get(f"/appointments/{row.pk}.ics"))
    assert event["status"] == expected


def test_the_number_rises_with_every_change_and_the_uid_stays(
    doctor: User, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, begin, seen = book(patient, doctor), clock.now(), []
    for seconds, changes in (
        (1.3, {"notes": "x"}),
        (60, {"scheduled_time": at("11:00")}),
        (86_400 * 300, {"status": "cancelled"}),
    ):
        seen.append(events(api_client(doctor).get(f"/appointments/{row.pk}.ics"))[0])
        with monkeypatch.context() as later:
            later.setattr(clock, "now", lambda seconds=seconds: begin + timedelta(seconds=seconds))
            services.change(by=SYSTEM, appointment_id=row.pk, changes=changes)
    seen.append(events(api_client(doctor).get(f"/appointments/{row.pk}.ics"))[0])
    numbers = [int(event["sequence"]) for event in seen]
    assert numbers[0] == 0
    assert numbers == sorted(set(numbers))
    assert {str(event["uid"]) for event in seen} == {str(row.pk)}
    assert len({event.decoded("dtstamp") for event in seen}) == 4


def test_the_number_fits_the_standard_for_ever() -> None:
    row = Appointment(created_at=datetime(2000, 1, 1, tzinfo=UTC), updated_at=datetime(2100, 1, 1, tzinfo=UTC))
    assert ical.sequence(row) == 2**31 - 1


def test_a_file_that_is_known_is_not_sent_again(doctor: User, patient: Patient) -> None:
    row, who = book(patient, doctor), api_client(doctor)
    first = who.get(f"/appointments/{row.pk}.ics")
    again = who.get(f"/appointments/{row.pk}.ics", HTTP_IF_NONE_MATCH=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    services.change(by=SYSTEM, appointment_id=row.pk, changes={"scheduled_time": at("11:00")})
    assert who.get(f"/appointments/{row.pk}.ics", HTTP_IF_NONE_MATCH=first.headers["ETag"]).status_code == 200


def test_who_takes_a_visit_along(staff: dict[str, User], doctor: User, patient: Patient) -> None:
    row = book(patient, doctor)
    path = f"/appointments/{row.pk}.ics"
    allowed = {role for role, user in staff.items() if api_client(user).get(path).status_code == 200}
    assert allowed == {"admin", "doctor", "nurse", "receptionist"}
    assert api_client(hire("dr.other", "doctor", specialty="Cardiology")).get(path).status_code == 403
    assert api_client().get(path).status_code == 401
    assert api_key_client(create_api_key(staff["nurse"], "appointments:read").text).get(path).status_code == 200
    assert api_key_client(create_api_key(staff["nurse"], "appointments:write").text).get(path).status_code == 403
    restrict(patient)
    assert api_client(staff["nurse"]).get(path).status_code == 404
    assert api_client(staff["nurse"]).get(f"/appointments/{uuid4()}.ics").status_code == 404
    assert api_client(staff["nurse"]).get("/appointments/nobody.ics").status_code == 404


@pytest.mark.parametrize(
    ("accept", "status"), [("text/calendar", 200), ("*/*", 200), ("text/*", 200), ("application/json", 200), ("image/png", 406)]
)
def test_a_file_is_sent_to_clients_that_accept_it_and_its_refusals_are_json(
    doctor: User, patient: Patient, accept: str, status: int
) -> None:
    row, who = book(patient, doctor), api_client(doctor)
    assert who.get(f"/appointments/{row.pk}.ics", HTTP_ACCEPT=accept).status_code == status
    missing = who.get(f"/appointments/{uuid4()}.ics", HTTP_ACCEPT=accept)
    assert missing.headers["Content-Type"] == "application/json"
    assert missing.json()["success"] is False


# A doctor's calendar


def test_a_doctor_s_calendar_needs_no_header_and_names_no_patient(staff: dict[str, User], doctor: User, patient: Patient) -> None:
    row = book(patient, doctor, at("10:00"), notes="Allergic to latex", appointment_type="follow_up")
    closed = register_patient("Dora", "Zabriskie")
    hidden = book(closed, doctor, at("11:00"))
    restrict(closed)
    path = subscribe(doctor)
    reply = Client().get(f"/v1{path}")
    first, second = events(reply)
    assert (first["uid"], first["summary"], first.decoded("dtstart")) == (str(row.pk), "Follow Up", at("10:00"))
    assert str(row.pk) in first["description"]
    assert second["uid"] == str(hidden.pk)
    text = reply.content.decode()
    for word in ("Zebulon", "Quackenbush", "Zabriskie", patient.mrn, str(patient.pk), "latex"):
        assert word not in text
    assert f"{doctor.last_name}" in text
    assert reply.headers["Cache-Control"] == "private, no-store"


def test_the_calendar_reaches_fourteen_days_back_and_ninety_ahead(doctor: User) -> None:
    now = clock.now()
    for number, days in enumerate((-15, -13, 89, 91)):
        book(register_patient("Some", str(number)), doctor, now + timedelta(days=days))
    gone = book(register_patient("Gone"), doctor, now + timedelta(days=1))
    services.cancel(by=SYSTEM, appointment_id=gone.pk)
    asked = book(register_patient("Asked"), doctor, now + timedelta(days=2), status="requested")
    shown = events(Client().get(f"/v1{subscribe(doctor)}"))
    days = [round((event.decoded("dtstart") - now) / timedelta(days=1)) for event in shown]
    assert days == [-13, 2, 89]
    assert [str(event["status"]) for event in shown if event["uid"] == str(asked.pk)] == ["TENTATIVE"]


def test_another_doctor_s_visits_are_not_in_it(doctor: User, patient: Patient) -> None:
    book(patient, hire("dr.other", "doctor", specialty="Cardiology"))
    assert events(Client().get(f"/v1{subscribe(doctor)}")) == []


def test_a_calendar_that_is_known_is_not_sent_again(doctor: User, patient: Patient) -> None:
    path = subscribe(doctor)
    book(patient, doctor)
    first = Client().get(f"/v1{path}")
    again = Client(headers={"if-none-match": first.headers["ETag"]}).get(f"/v1{path}")
    assert (again.status_code, again.content) == (304, b"")
    book(register_patient("New"), doctor, at("15:00"))
    assert Client(headers={"if-none-match": first.headers["ETag"]}).get(f"/v1{path}").status_code == 200


def test_any_other_token_opens_nothing_and_says_nothing(doctor: User) -> None:
    path, other = subscribe(doctor), hire("dr.other", "doctor", specialty="Cardiology")
    token = parse_qs(urlsplit(path).query)["token"][0]
    tries = [
        f"/doctors/{doctor.pk}/calendar.ics",
        f"/doctors/{doctor.pk}/calendar.ics?token=",
        f"/doctors/{doctor.pk}/calendar.ics?token={token[:-1]}",
        f"/doctors/{doctor.pk}/calendar.ics?token={token}x",
        f"/doctors/{doctor.pk}/calendar.ics?token=%00",
        f"/doctors/{doctor.pk}/calendar.ics?token=" + "x" * 5_000,
        f"/doctors/{other.pk}/calendar.ics?token={token}",
        f"/doctors/{uuid4()}/calendar.ics?token={token}",
        f"/doctors/nobody/calendar.ics?token={token}",
    ]
    replies = [api_client().get(one) for one in tries]
    errors = [{**reply.json()["error"], "timestamp": "", "request_id": ""} for reply in replies]
    assert {reply.status_code for reply in replies} == {404}
    assert all(error == errors[0] for error in errors)
    refused = AuditEvent.objects.filter(action="calendar_feed.refused", outcome="denied")
    assert refused.count() == len(tries)
    assert api_client().get(tries[0], HTTP_IF_NONE_MATCH='"a"').status_code == 404
    assert refused.count() == len(tries) + 1
    assert api_client().get(path).status_code == 200


def test_every_fetch_is_on_record_without_the_secret(doctor: User, patient: Patient) -> None:
    path = subscribe(doctor)
    token = parse_qs(urlsplit(path).query)["token"][0]
    assert len(token) >= 32
    api_client().get(path)
    api_client().get(path)
    rows = AuditEvent.objects.filter(action="calendar_feed.fetched")
    assert [(row.user_id, row.detail["doctor_id"]) for row in rows] == [(None, str(doctor.pk))] * 2
    feed = CalendarFeed.objects.get()
    assert bytes(feed.secret_hash) == hashlib.sha256(token.encode()).digest()
    assert feed.last_fetched_at is not None
    kept = [*AuditEvent.objects.values_list("detail", flat=True), *OutboxEvent.objects.values_list("payload", flat=True)]
    assert not [row for row in kept if token in str(row)]


def test_the_calendar_is_limited_by_address(doctor: User, settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 2 / 500
    path = f"/v1{subscribe(doctor)}"
    elsewhere = [Client(REMOTE_ADDR="203.0.113.7").get(path).status_code for _ in range(3)]
    assert elsewhere == [200, 200, 429]
    assert Client(REMOTE_ADDR="203.0.113.8").get(path).status_code == 200


def test_a_new_address_is_the_end_of_the_old_one(staff: dict[str, User], doctor: User) -> None:
    old = subscribe(doctor)
    new = subscribe(doctor, staff["receptionist"])
    assert [api_client().get(path).status_code for path in (old, new)] == [404, 200]
    assert CalendarFeed.objects.exclude(revoked_at=None).count() == 1
    assert OutboxEvent.objects.filter(name="schedule.calendar_feed_made").count() == 2


def test_an_address_is_revoked_and_says_so(staff: dict[str, User], doctor: User) -> None:
    path, feed = subscribe(doctor), f"/doctors/{doctor.pk}/calendar-feed"
    api_client().get(path)
    seen = api_client(doctor).get(feed).json()["data"]["calendar_feed"]
    assert (seen["active"], seen["made_by"]) == (True, str(doctor.pk))
    assert seen["last_fetched_at"]
    assert "url" not in seen
    assert api_client(staff["admin"]).call("DELETE", feed).json()["data"]["calendar_feed"]["active"] is False
    assert api_client().get(path).status_code == 404
    assert api_client(doctor).get(feed).json()["data"]["calendar_feed"] == {
        "doctor_id": str(doctor.pk),
        "active": False,
        "created_at": None,
        "made_by": None,
        "last_fetched_at": None,
    }
    assert api_client(doctor).call("DELETE", feed).status_code == 409
    assert OutboxEvent.objects.filter(name="schedule.calendar_feed_revoked").count() == 1


def test_a_calendar_dies_with_the_doctor_s_account_and_does_not_come_back(doctor: User) -> None:
    path = subscribe(doctor)
    accounts.deactivate(by=SYSTEM, user_id=doctor.pk)
    assert api_client().get(path).status_code == 404
    fact = OutboxEvent.objects.get(name="staff.deactivated")
    close_the_calendar(StaffDeactivated(user_id=UUID(fact.payload["user_id"])))
    accounts.reactivate(by=SYSTEM, user_id=doctor.pk)
    assert api_client().get(path).status_code == 404
    close_the_calendar(StaffDeactivated(user_id=doctor.pk))  # a second time: nothing
    assert OutboxEvent.objects.filter(name="schedule.calendar_feed_revoked").count() == 1


def test_who_keeps_calendars(staff: dict[str, User], doctor: User) -> None:
    feed, other = f"/doctors/{doctor.pk}/calendar-feed", hire("dr.other", "doctor", specialty="Cardiology")
    made = {role for role, user in staff.items() if api_client(user).post(feed).status_code == 201}
    seen = {role for role, user in staff.items() if api_client(user).get(feed).status_code == 200}
    assert made == seen == {"admin", "doctor", "manager", "receptionist"}
    for method in ("POST", "GET", "DELETE"):
        assert api_client(other).call(method, feed).status_code == 403
    assert api_client(staff["admin"]).post(f"/doctors/{staff['nurse'].pk}/calendar-feed").status_code == 404
    with pytest.raises(Forbidden):
        services.make_feed(by=other, doctor_id=doctor.pk)
    with pytest.raises(NotFound):
        services.revoke_feed(by=SYSTEM, doctor_id=uuid4())
    with pytest.raises(NoFeed):
        services.revoke_feed(by=SYSTEM, doctor_id=other.pk)


def test_a_doctor_has_one_live_calendar_even_by_raw_sql(doctor: User) -> None:
    services.make_feed(by=SYSTEM, doctor_id=doctor.pk)
    with pytest.raises(IntegrityError, match="calendar_feed_one_live"), transaction.atomic():
        CalendarFeed.objects.create(doctor=doctor, secret_hash=b"x" * 32)
    taken = bytes(CalendarFeed.objects.get().secret_hash)
    with pytest.raises(IntegrityError, match="secret_hash"), transaction.atomic():
        CalendarFeed.objects.create(doctor=doctor, secret_hash=taken, revoked_at=clock.now())


@pytest.mark.django_db(transaction=True)
def test_of_many_addresses_made_at_once_one_is_live() -> None:
    doctor = hire("dr.one", "doctor", specialty="Cardiology")
    run_concurrently(8, lambda _: services.make_feed(by=SYSTEM, doctor_id=doctor.pk))
    assert CalendarFeed.objects.filter(revoked_at=None).count() == 1
    assert CalendarFeed.objects.count() == 8


def test_a_full_calendar_takes_few_statements(doctor: User, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        book(register_patient("Many", str(number)), doctor, at("09:00", monday(2)) + timedelta(minutes=15 * number))
    path, who = subscribe(doctor), api_client()
    with django_assert_max_num_queries(5):
        assert len(events(who.get(path))) == 12
