"""The page of the schedule: what it shows to which user, in how many statements."""

import re
from datetime import UTC, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.services import NewSchedule, WeeklyHours
from apps.appointments.tests.factories import at, book, monday, publish, room, sunday
from apps.audit.models import AuditEvent
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

SCHEDULE = "/admin/schedule/"


@pytest.fixture
def john(db: None) -> Patient:
    return register_patient()


@pytest.fixture
def receptionist_browser(staff: dict[str, User]) -> Client:
    return browser(staff["receptionist"])


def day(**other: Any) -> str:
    return f"{SCHEDULE}?" + "&".join(f"{name}={value}" for name, value in ({"date": monday()} | other).items())


def table(response: Any) -> dict[str, list[str]]:
    """Returns the table as a user reads it: by the row's time the text of its cells."""
    body = re.search(r"<tbody>.*</tbody>", response.content.decode(), re.S)
    assert body, "there is no table"
    grid = {}
    for row in re.findall(r"<tr>(.*?)</tr>", body.group(), re.S):
        head, *cells = [" ".join(strip_tags(cell).split()) for cell in re.split(r"<t[hd][^>]*>", row)[1:]]
        grid[head] = cells
    return grid


def test_a_day_shows_each_doctor_with_what_is_free_taken_and_closed(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    smith, patel = staff["doctor"], hire("patel", "doctor", specialty="Cardiology", last_name="Patel")
    publish(smith, ends=time(11))
    morning = [WeeklyHours(weekday=0, starts=time(9), ends=time(9, 30)), WeeklyHours(weekday=0, starts=time(10), ends=time(11))]
    services.set_schedule(by=SYSTEM, doctor_id=patel.pk, schedule=NewSchedule(hours=morning))
    services.add_time_off(by=SYSTEM, doctor_id=patel.pk, starts_at=at("10:30"), ends_at=at("12:00"))
    row = book(john, smith, at("09:15"), duration_minutes=30, room_id=room().pk)
    services.confirm(by=SYSTEM, appointment_id=row.pk)
    response = receptionist_browser.get(day())
    text = response.content.decode()
    grid = table(response)
    # Columns by name: Patel, Tester
    assert grid["09:00"] == ["Book 09:00 Dr Patel", "Book 09:00 Dr Tester"]
    assert grid["09:15"] == ["Book 09:15 Dr Patel", "09:15–09:45 DOE, John, consultation: ✓ confirmed Room 1"]
    assert grid["09:30"] == ["Break", "until 09:45"]
    assert grid["10:30"] == ["Time off", "Book 10:30 Dr Tester"]
    assert list(grid) == ["09:00", "09:15", "09:30", "09:45", "10:00", "10:15", "10:30", "10:45"]
    assert reverse("admin:appointments_appointment_change", args=[row.pk]) in text
    assert (
        f"{reverse('admin:appointments_appointment_add')}?doctor={smith.pk}&amp;at={at('09:00').astimezone(UTC):%Y-%m-%dT%H}"
        in text
    )


def test_a_free_cell_leads_to_a_form_that_books_it(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    publish(staff["doctor"], ends=time(10))
    link = re.search(r'class="hims-book" href="([^"]+)">Book 09:30', receptionist_browser.get(day()).content.decode())
    assert link
    address = link.group(1).replace("&amp;", "&")
    form = receptionist_browser.get(f"{address}&patient={john.pk}").content.decode()
    assert f'value="{monday()}"' in form
    assert 'value="09:30"' in form


def test_a_week_shows_one_doctors_days(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    publish(staff["doctor"], weekdays=2, ends=time(9, 30))
    book(john, staff["doctor"], at("09:15", monday() + timedelta(days=1)))
    response = receptionist_browser.get(day(view="week", date=monday() + timedelta(days=3)))
    assert table(response)["09:15"] == [
        "Book 09:15 Dr Tester",
        "09:15–09:30 DOE, John, consultation: ○ scheduled",
        *["Closed"] * 5,
    ]


def test_overbooked_visits_are_marked_and_leave_no_gap(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"], ends=time(9, 30))
    book(john, staff["doctor"], at("09:00"))
    book(register_patient("Ann", "Roe"), staff["doctor"], at("09:00"), overbook_reason="Fever")
    cell = table(receptionist_browser.get(day()))["09:00"][0]
    assert "DOE, John" in cell
    assert "ROE, Ann, consultation: ○ scheduled overbooked" in cell
    assert "Book" not in cell


def test_a_cancelled_visit_frees_its_cell_and_is_shown_where_asked_for(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"], ends=time(9, 30))
    row = book(john, staff["doctor"], at("09:00"))
    services.cancel(by=SYSTEM, appointment_id=row.pk)
    assert table(receptionist_browser.get(day()))["09:00"] == ["Book 09:00 Dr Tester"]
    assert "DOE, John, consultation: ✕ cancelled" in table(receptionist_browser.get(day(status="cancelled")))["09:00"][0]


def test_what_a_filter_leaves_out_is_taken_time_without_a_name(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"], ends=time(9, 30))
    row = book(john, staff["doctor"], at("09:00"))
    book(register_patient("Ann", "Roe"), staff["doctor"], at("09:15"), appointment_type="lab")
    assert table(receptionist_browser.get(day(type="lab")))["09:00"] == ["09:00–09:15 Taken"]
    assert "ROE, Ann" in table(receptionist_browser.get(day(type="lab")))["09:15"][0]
    services.confirm(by=SYSTEM, appointment_id=row.pk)
    assert "Doe" not in receptionist_browser.get(day(status="unconfirmed")).content.decode()


def test_a_visit_of_a_closed_chart_is_taken_time_without_name_and_link(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"], ends=time(9, 30))
    row = book(john, staff["doctor"], at("09:00"))
    restrict(john)
    response = receptionist_browser.get(day())
    assert table(response)["09:00"] == ["09:00–09:15 Taken"]
    assert str(row.pk) not in response.content.decode()
    assert "DOE, John" in table(browser(staff["doctor"]).get(day()))["09:00"][0]


def test_only_reception_and_clinicians_open_the_schedule(staff: dict[str, User]) -> None:
    opened = {role for role in staff if browser(staff[role]).get(day()).status_code == 200}
    assert opened == {"admin", "doctor", "nurse", "receptionist"}
    assert Client().get(SCHEDULE).status_code == 302


def test_every_look_is_one_row_of_the_trail_with_what_was_asked_for(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    book(john, staff["doctor"])
    receptionist_browser.get(day(status="scheduled"))
    row = AuditEvent.objects.get(action="appointments.diary_read")
    assert (row.user_id, row.detail["shown"], row.detail["first_day"]) == (staff["receptionist"].pk, 1, str(monday()))
    assert row.detail["query"] == {"date": str(monday()), "status": "scheduled"}


def test_the_page_asks_the_database_as_often_for_many_visits_as_for_one(
    staff: dict[str, User], receptionist_browser: Client, django_assert_max_num_queries: Any
) -> None:
    def asked() -> int:
        with django_assert_max_num_queries(20) as captured:
            assert receptionist_browser.get(day()).status_code == 200
        return len(captured)

    publish(staff["doctor"])
    book(register_patient("Ann", "Roe"), staff["doctor"], at("16:00"), room_id=room().pk)
    few = asked()
    for number in range(12):
        book(register_patient(f"Ann{number}", "Roe"), staff["doctor"], at(f"{9 + number // 4}:{number % 4 * 15:02}".zfill(5)))
    hire("patel", "doctor", specialty="Cardiology")
    assert Appointment.objects.count() == 13
    assert asked() == few


@pytest.mark.parametrize(
    "query", ["date=nonsense", "view=year", "doctor=x", "date=0001-01-01&view=week", "date=9999-12-31", "type=x"]
)
def test_a_nonsense_address_shows_some_day(staff: dict[str, User], receptionist_browser: Client, query: str) -> None:
    assert receptionist_browser.get(f"{SCHEDULE}?{query}").status_code == 200


def test_on_the_day_the_clocks_go_forward_free_times_are_real_ones(staff: dict[str, User], receptionist_browser: Client) -> None:
    hours = [WeeklyHours(weekday=6, starts=time(1), ends=time(4))]
    services.set_schedule(by=SYSTEM, doctor_id=staff["doctor"].pk, schedule=NewSchedule(hours=hours, slot_minutes=30))
    forward = sunday(3, 2)
    response = receptionist_browser.get(day(date=forward))
    assert list(table(response)) == ["01:00", "01:30", "03:00", "03:30"]
    assert f"at={forward}T10%3A00%3A00Z" in response.content.decode()


def test_on_the_day_the_clocks_go_back_the_hour_is_there_twice(staff: dict[str, User], receptionist_browser: Client) -> None:
    hours = [WeeklyHours(weekday=6, starts=time(0, 30), ends=time(3))]
    services.set_schedule(by=SYSTEM, doctor_id=staff["doctor"].pk, schedule=NewSchedule(hours=hours, slot_minutes=30))
    grid = table(receptionist_browser.get(day(date=sunday(11, 1))))
    assert list(grid) == ["00:30", "01:00", "01:30", "01:00 again", "01:30 again", "02:00", "02:30"]
    assert (grid["01:00"], grid["01:00 again"]) == (["Book 01:00 PDT Dr Tester"], ["Book 01:00 PST Dr Tester"])
