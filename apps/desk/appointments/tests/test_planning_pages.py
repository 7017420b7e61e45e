"""The pages of rooms, doctors' weeks and time off; rooms as a service."""

from datetime import date, time
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments import selectors, services
from apps.appointments.models import DoctorSchedule, Room, TimeOff
from apps.appointments.services import NewSchedule, RoomExists, WeeklyHours
from apps.appointments.tests.factories import at, book, monday, publish
from apps.audit.models import AuditEvent
from apps.common.errors import Invalid, NotFound
from apps.events.models import OutboxEvent
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

ROOMS, WEEKS, AWAY = (f"/admin/appointments/{model}/" for model in ("room", "doctorschedule", "timeoff"))


@pytest.fixture
def receptionist_browser(staff: dict[str, User]) -> Client:
    return browser(staff["receptionist"])


def week(doctor: User | None = None, *lines: tuple[Any, ...], **other: Any) -> dict[str, Any]:
    """The week's form as it is sent; a line is weekday, from, to."""
    values: dict[str, Any] = {
        "slot_minutes": 20,
        "overbook_per_day": 3,
        "hours-TOTAL_FORMS": len(lines),
        "hours-INITIAL_FORMS": 0,
    }
    for number, (weekday, starts, ends) in enumerate(lines):
        values |= {f"hours-{number}-weekday": weekday, f"hours-{number}-starts": starts, f"hours-{number}-ends": ends}
    return values | ({"doctor": str(doctor.pk)} if doctor else {}) | other


# Rooms


def test_an_administrator_adds_renames_closes_and_reopens_a_room(staff: dict[str, User]) -> None:
    admin = browser(staff["admin"])
    admin.post(f"{ROOMS}add/", {"name": " Room 1 ", "location": "Ground floor"})
    row = Room.objects.get()
    assert (row.name, row.location) == ("Room 1", "Ground floor")
    admin.post(f"{ROOMS}{row.pk}/change/", {"version": row.updated_at.isoformat(), "name": "Room 2", "location": "Ground floor"})
    admin.post(f"{ROOMS}{row.pk}/close/")
    row.refresh_from_db()
    assert (row.name, row.is_active) == ("Room 2", False)
    admin.post(f"{ROOMS}{row.pk}/reopen/")
    assert [event.payload.get("changes") for event in OutboxEvent.objects.filter(name="room.changed").order_by("id")] == [
        ["name"],
        ["is_active"],
        ["is_active"],
    ]
    assert AuditEvent.objects.filter(action="room.added", object_id=row.pk, user_id=staff["admin"].pk).count() == 1


def test_a_room_is_there_once(staff: dict[str, User]) -> None:
    services.add_room(by=SYSTEM, name="Room 1", location="Ground floor")
    with pytest.raises(RoomExists):
        services.add_room(by=SYSTEM, name="ROOM 1", location="ground floor")
    other = services.add_room(by=SYSTEM, name="Room 2", location="Ground floor")
    with pytest.raises(RoomExists):
        services.rename_room(by=SYSTEM, room_id=other.pk, name="Room 1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Room.objects.create(name="room 1", location="Ground floor")
    with pytest.raises(Invalid):
        services.rename_room(by=SYSTEM, room_id=other.pk, name="  ")
    text = browser(staff["admin"]).post(f"{ROOMS}add/", {"name": "room 1", "location": "Ground floor"}).content.decode()
    assert "a room with this name" in text


def test_only_administrators_change_rooms(staff: dict[str, User], receptionist_browser: Client) -> None:
    row = services.add_room(by=SYSTEM, name="Room 1")
    assert receptionist_browser.get(ROOMS).status_code == 200
    assert receptionist_browser.post(f"{ROOMS}add/", {"name": "Room 2"}).status_code == 403
    assert receptionist_browser.post(f"{ROOMS}{row.pk}/close/").status_code == 403
    with pytest.raises(NotFound):
        services.close_room(by=staff["billing"], room_id=row.pk)


# Weeks


def test_a_receptionist_publishes_a_week_with_a_break(staff: dict[str, User], receptionist_browser: Client) -> None:
    values = week(staff["doctor"], (0, "09:00", "12:00"), (0, "13:00", "17:00"), ("", "", ""), minutes_procedure=60)
    assert receptionist_browser.post(f"{WEEKS}add/", values).status_code == 302
    published = selectors.week(SYSTEM, staff["doctor"].pk)
    assert [(one.weekday, one.starts, one.ends) for one in published.hours] == [(0, time(9), time(12)), (0, time(13), time(17))]
    assert (published.schedule.slot_minutes, published.schedule.overbook_per_day, published.lengths) == (20, 3, {"procedure": 60})


def test_a_week_is_changed_and_what_is_not_touched_stays(staff: dict[str, User], receptionist_browser: Client) -> None:
    doctor = staff["doctor"]
    hours = [WeeklyHours(weekday=2, starts=time(9), ends=time(12), valid_from=date(2030, 1, 1))]
    services.set_schedule(by=SYSTEM, doctor_id=doctor.pk, schedule=NewSchedule(hours=hours, visit_lengths={"lab": 10}))
    row = DoctorSchedule.objects.get()
    page = receptionist_browser.get(f"{WEEKS}{row.pk}/change/").content.decode()
    assert 'value="2030-01-01"' in page
    values = week(None, (2, "09:00", "12:00"), (4, "08:00", "10:00"), minutes_lab=10, version=row.updated_at.isoformat())
    values |= {"hours-INITIAL_FORMS": 1, "hours-0-valid_from": "2030-01-01", "slot_minutes": 15, "overbook_per_day": 6}
    assert receptionist_browser.post(f"{WEEKS}{row.pk}/change/", values).status_code == 302
    published = selectors.week(SYSTEM, doctor.pk)
    assert [(one.weekday, one.valid_from) for one in published.hours] == [(2, date(2030, 1, 1)), (4, None)]
    assert published.lengths == {"lab": 10}


def test_hours_that_overlap_are_refused_at_their_line(staff: dict[str, User], receptionist_browser: Client) -> None:
    values = week(staff["doctor"], ("", "", ""), (0, "09:00", "12:00"), (0, "11:00", "13:00"))
    response = receptionist_browser.post(f"{WEEKS}add/", values)
    assert "must not overlap" in str(response.context["adminform"].form.lines[2].errors)
    assert not DoctorSchedule.objects.exists()
    half = receptionist_browser.post(f"{WEEKS}add/", week(staff["doctor"], (0, "09:00", "")))
    assert "Fill this in, or empty the whole line." in half.content.decode()


def test_a_new_week_does_not_replace_a_published_one(staff: dict[str, User], receptionist_browser: Client) -> None:
    publish(staff["doctor"])
    before = selectors.week(SYSTEM, staff["doctor"].pk)
    response = receptionist_browser.post(f"{WEEKS}add/", week(staff["doctor"], (0, "13:00", "14:00")))
    assert "This doctor already has hours." in str(response.context["adminform"].form.errors["doctor"])
    assert selectors.week(SYSTEM, staff["doctor"].pk).hours == before.hours


def test_time_off_is_no_week_that_stops_a_first_one(staff: dict[str, User], receptionist_browser: Client) -> None:
    services.add_time_off(by=SYSTEM, doctor_id=staff["doctor"].pk, starts_at=at("09:00"), ends_at=at("12:00"))
    assert receptionist_browser.post(f"{WEEKS}add/", week(staff["doctor"], (0, "13:00", "14:00"))).status_code == 302


def test_doctors_publish_their_own_week_alone_and_nurses_none(staff: dict[str, User]) -> None:
    other = hire("patel", "doctor", specialty="Cardiology")
    publish(other)
    smith = browser(staff["doctor"])
    assert smith.post(f"{WEEKS}add/", week(staff["doctor"], (0, "09:00", "12:00"))).status_code == 302
    shown = smith.get(f"{WEEKS}{other.pk}/change/").content.decode()
    assert 'Monday <span class="ltr">09:00–17:00</span>' in shown
    assert "hours-0-weekday" not in shown
    assert smith.post(f"{WEEKS}{other.pk}/change/", week(None, (0, "09:00", "12:00"))).status_code == 403
    assert len(selectors.week(SYSTEM, other.pk).hours) == 5
    assert browser(staff["nurse"]).get(f"{WEEKS}add/").status_code == 403


# Time off


def away(doctor: User, starts: str = "09:00", ends: str = "12:00") -> dict[str, Any]:
    values = {"starts_at_0": monday(), "starts_at_1": starts, "ends_at_0": monday(), "ends_at_1": ends}
    return {"doctor": str(doctor.pk), "reason": "Course"} | values


def test_time_off_tells_how_many_visits_lie_in_it_and_is_taken_back(staff: dict[str, User], receptionist_browser: Client) -> None:
    book(register_patient(), staff["doctor"])
    text = receptionist_browser.post(f"{AWAY}add/", away(staff["doctor"]), follow=True).content.decode()
    row = TimeOff.objects.get()
    assert (row.starts_at, row.ends_at, row.added_by) == (at("09:00"), at("12:00"), staff["receptionist"])
    assert "Booked appointments in that time: 1." in text
    assert receptionist_browser.post(f"{AWAY}{row.pk}/remove/").headers["Location"] == AWAY
    assert not TimeOff.objects.exists()
    assert OutboxEvent.objects.filter(name="schedule.time_off_removed").count() == 1


def test_time_off_that_ends_before_it_begins_is_refused_at_the_field(
    staff: dict[str, User], receptionist_browser: Client
) -> None:
    response = receptionist_browser.post(f"{AWAY}add/", away(staff["doctor"], "12:00", "09:00"))
    assert "Must be after" in str(response.context["adminform"].form.errors["ends_at"])


def test_why_a_doctor_is_away_is_shown_to_users_who_plan(staff: dict[str, User], receptionist_browser: Client) -> None:
    services.add_time_off(by=SYSTEM, doctor_id=staff["doctor"].pk, starts_at=at("09:00"), ends_at=at("12:00"), reason="Surgery")
    page = reverse("admin:appointments_timeoff_change", args=[TimeOff.objects.get().pk])
    assert "Surgery" in receptionist_browser.get(AWAY).content.decode()
    assert "Surgery" in receptionist_browser.get(page).content.decode()
    nurse = browser(staff["nurse"])
    assert "Surgery" not in nurse.get(AWAY).content.decode() + nurse.get(page).content.decode()


def test_doctors_keep_their_own_time_off_alone(staff: dict[str, User]) -> None:
    other = hire("patel", "doctor", specialty="Cardiology")
    smith = browser(staff["doctor"])
    assert smith.post(f"{AWAY}add/", away(other)).status_code == 403
    assert not TimeOff.objects.exists()
    assert smith.post(f"{AWAY}add/", away(staff["doctor"])).status_code == 302
