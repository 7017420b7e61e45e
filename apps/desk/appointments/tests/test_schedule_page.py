"""The page of the schedule: what it shows to which user, in how many statements."""

import re
from datetime import UTC, time, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
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
    """Returns the table as a user reads it: by the time of a row the text of the cells that begin there."""
    body = re.search(r"<tbody>.*</tbody>", response.content.decode(), re.S)
    assert body, "there is no table"
    grid: dict[str, list[str]] = {}
    label, minutes = "", 0
    for row in re.findall(r"<tr>(.*?)</tr>", body.group(), re.S):
        spoken = re.sub(r'<span aria-hidden="true">.*?</span>(?=<span class="vh">)', "", row, flags=re.S)
        cells = re.findall(r"<t([hd])([^>]*)>(.*?)</t[hd]>", spoken, re.S)
        texts = [
            (kind, " ".join(strip_tags(text).replace("\u2068", "").replace("\u2069", "").split())) for kind, _, text in cells
        ]
        if cells and cells[0][0] == "h":
            label, minutes = texts.pop(0)[1], 0
        hour, again = label.split(":")[0], label.partition(" ")[1] + label.partition(" ")[2]
        time_of_row = f"{hour}:{int(label[3:5]) + minutes:02}{again}"
        grid[time_of_row] = [text for _, text in texts]
        minutes += 5
    return {key: texts for key, texts in grid.items() if texts}


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
    assert grid["09:15"] == ["Book 09:15 Dr Patel", "DOE, John 09:15–09:45 Consultation, Room 1, Confirmed"]
    assert grid["09:30"] == ["Break"]
    assert grid["10:30"] == ["Away", "Book 10:30 Dr Tester"]
    assert list(grid) == ["09:00", "09:15", "09:30", "09:45", "10:00", "10:15", "10:30", "10:45"]
    assert "2 booked" not in text
    assert "1 booked, 10 free" in text
    assert reverse("admin:appointments_appointment_change", args=[row.pk]) in text
    assert (
        f"{reverse('admin:appointments_appointment_add')}?doctor={smith.pk}&amp;at={at('09:00').astimezone(UTC):%Y-%m-%dT%H}"
        in text
    )


def test_a_free_cell_leads_to_a_form_that_books_it(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    publish(staff["doctor"], ends=time(10))
    links = re.findall(
        r'class="slot" href="([^"]+)".*?<span class="vh">(.*?)</span>', receptionist_browser.get(day()).content.decode()
    )
    address = next(url for url, label in links if label.startswith("Book 09:30")).replace("&amp;", "&")
    form = receptionist_browser.get(f"{address}&patient={john.pk}").content.decode()
    assert f'value="{monday()}"' in form
    assert 'value="09:30"' in form


def test_a_week_shows_one_doctors_days(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    publish(staff["doctor"], weekdays=2, ends=time(9, 30))
    book(john, staff["doctor"], at("09:15", monday() + timedelta(days=1)))
    response = receptionist_browser.get(day(view="week", date=monday() + timedelta(days=3)))
    assert table(response) == {
        "09:00": ["Book 09:00 Dr Tester", "Book 09:00 Dr Tester", *["Closed"] * 3],
        "09:15": ["Book 09:15 Dr Tester", "DOE, John 09:15–09:30 Consultation, Booked"],
    }
    assert "Dr Tester, " in response.content.decode()


def test_two_patients_at_one_time_are_a_pair_and_the_second_is_marked(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"], ends=time(9, 30))
    book(john, staff["doctor"], at("09:00"))
    book(register_patient("Ann", "Roe"), staff["doctor"], at("09:00"), overbook_reason="Fever")
    response = receptionist_browser.get(day())
    assert table(response)["09:00"] == [
        "DOE, John 09:00–09:15 Consultation, Booked",
        "ROE, Ann 09:00–09:15 Consultation, double booking, Booked",
    ]
    assert '<th scope="col" colspan="2">' in response.content.decode()


def test_a_cancelled_visit_frees_its_cell_and_is_shown_where_asked_for(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"], ends=time(9, 30))
    row = book(john, staff["doctor"], at("09:00"))
    services.cancel(by=SYSTEM, appointment_id=row.pk)
    assert table(receptionist_browser.get(day()))["09:00"] == ["Book 09:00 Dr Tester"]
    shown = table(receptionist_browser.get(day(status="cancelled")))["09:00"]
    assert shown == ["DOE, John 09:00–09:15 Cancelled, Consultation", "Book 09:00 Dr Tester"]


def test_what_a_filter_leaves_out_is_taken_time_without_a_name(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"], ends=time(9, 30))
    row = book(john, staff["doctor"], at("09:00"))
    book(register_patient("Ann", "Roe"), staff["doctor"], at("09:15"), appointment_type="lab")
    assert table(receptionist_browser.get(day(type="lab")))["09:00"] == ["Taken 09:00–09:15"]
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
    assert table(response)["09:00"] == ["Taken 09:00–09:15"]
    assert str(row.pk) not in response.content.decode()
    assert "DOE, John" in table(browser(staff["doctor"]).get(day()))["09:00"][0]


def test_only_reception_clinicians_and_managers_open_the_schedule(staff: dict[str, User]) -> None:
    opened = {role for role in staff if browser(staff[role]).get(day()).status_code == 200}
    assert opened == {"admin", "doctor", "manager", "nurse", "receptionist"}
    assert Client().get(SCHEDULE).status_code == 302


def test_every_look_is_one_row_of_the_trail_with_what_was_asked_for(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    book(john, staff["doctor"])
    receptionist_browser.get(day(status="scheduled"))
    row = AuditEvent.objects.get(action="appointments.diary_read")
    assert (row.user_id, row.detail["shown"], row.detail["first_day"]) == (staff["receptionist"].pk, 1, str(monday()))
    assert row.detail["query"] == {"date": str(monday()), "status": "scheduled"}


@pytest.mark.parametrize("leaves", ["deactivated", "another role"])
def test_a_doctor_who_left_stays_in_the_schedule_while_there_are_appointments(
    staff: dict[str, User], receptionist_browser: Client, john: Patient, leaves: str
) -> None:
    gone = hire("dr.gone", "doctor", last_name="Gone", specialty="Cardiology")
    for doctor in (staff["doctor"], gone):
        publish(doctor)
    row = book(john, gone)
    book(register_patient("Ann", "Roe"), gone, at("10:00", monday(2)), status="requested")
    if leaves == "deactivated":
        accounts.deactivate(by=staff["admin"], user_id=gone.pk)
    else:
        accounts.change_staff(by=staff["admin"], user_id=gone.pk, changes={"role": "nurse"})
    shown = receptionist_browser.get(day())
    assert [head["label"] for head in shown.context["heads"]] == ["Dr Tester", "Dr Gone, no longer here"]
    assert str(row.pk) in shown.content.decode()
    assert f"doctor={gone.pk}" not in "".join(re.findall(r'href="[^"]*/add/[^"]*"', shown.content.decode()))
    assert "Dr Gone, no longer here" in receptionist_browser.get(day(date=monday(2))).content.decode()
    assert "Dr Gone" not in receptionist_browser.get(day(date=monday(4))).content.decode()
    week = receptionist_browser.get(day(date=monday(4), view="week", doctor=gone.pk))
    assert week.context["title"].startswith("Dr Gone, no longer here, ")
    entries = reverse("admin:appointments_appointment_changelist")
    listed = receptionist_browser.get(entries, {"doctor": gone.pk})
    assert "Dr Gone, no longer here" in listed.content.decode()
    assert len(listed.context["cl"].result_list) == 2
    for left in Appointment.objects.filter(doctor=gone):
        services.cancel(by=SYSTEM, appointment_id=left.pk)
    for address in (day(), day(date=monday(2)), entries):
        assert "Dr Gone, no longer here" not in receptionist_browser.get(address).content.decode()


def test_a_nurse_who_was_a_doctor_sees_the_day_of_all_doctors_first(staff: dict[str, User], john: Patient) -> None:
    book(john, staff["doctor"])
    accounts.change_staff(by=staff["admin"], user_id=staff["doctor"].pk, changes={"role": "nurse"})
    staff["doctor"].refresh_from_db()
    assert browser(staff["doctor"]).get(f"{SCHEDULE}?date={monday()}").context["grid_view"].doctor is None


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
    for number in range(2):
        gone = hire(f"dr.gone{number}", "doctor", specialty="Cardiology")
        book(register_patient(f"Bea{number}", "Roe"), gone, at("10:00"))
        accounts.deactivate(by=staff["admin"], user_id=gone.pk)
    assert Appointment.objects.count() == 15
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


# What a doctor sees, and what is late


def test_doctors_get_their_own_week_and_can_choose_all_doctors(staff: dict[str, User]) -> None:
    smith, patel = staff["doctor"], hire("patel", "doctor", specialty="Cardiology", last_name="Patel")
    publish(smith), publish(patel)
    own = browser(smith)
    week = own.get(SCHEDULE)
    assert week.context["grid_view"].view == "week"
    assert {head["label"].replace("\u2068", "").replace("\u2069", "") for head in week.context["heads"]}.isdisjoint({"Dr Patel"})
    assert week.context["grid_view"].doctor.pk == smith.pk
    assert own.get(day()).context["grid_view"].doctor.pk == smith.pk
    assert len(own.get(day(doctor="")).context["heads"]) == 2


def test_an_expected_patient_is_late_after_five_minutes_in_words_and_in_color(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"])
    book(john, staff["doctor"], at("09:00"))
    address, early, late = day(), at("09:04"), at("09:27")
    with time_machine.travel(early, tick=False):
        assert "min late" not in browser(staff["receptionist"]).get(address).content.decode()
    with time_machine.travel(late, tick=False):
        text = browser(staff["receptionist"]).get(address).content.decode()
    assert "27 min late, Consultation" in text
    assert 'class="appt late short"' in text


def test_the_line_of_the_present_is_where_the_clock_is(staff: dict[str, User]) -> None:
    publish(staff["doctor"], ends=time(11))
    today, week, other = day(), day(view="week"), day(date=monday(2))
    with time_machine.travel(at("09:30"), tick=False):
        here = browser(staff["receptionist"])
        assert here.get(today).context["now_line"] == {"x1": "0.00%", "x2": "100.00%", "y": "25.00%"}
        assert here.get(week).context["now_line"] == {"x1": "0.00%", "x2": "20.00%", "y": "25.00%"}
        assert here.get(other).context["now_line"] is None


def test_a_booked_patient_is_marked_if_the_doctor_is_away_by_then(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    publish(staff["doctor"], ends=time(9, 30))
    book(john, staff["doctor"], at("09:00"))
    services.add_time_off(by=SYSTEM, doctor_id=staff["doctor"].pk, starts_at=at("09:00"), ends_at=at("10:00"), reason="Training")
    grid = table(receptionist_browser.get(day()))
    assert grid["09:00"] == ["DOE, John 09:00–09:15 doctor away, Consultation, Booked"]
    assert grid["09:15"] == ["Away: Training"]
    assert table(browser(staff["nurse"]).get(day()))["09:15"] == ["Away"]


def test_managers_see_free_times_and_book_none(staff: dict[str, User]) -> None:
    publish(staff["doctor"], ends=time(9, 30))
    response = browser(staff["manager"]).get(day())
    assert table(response)["09:15"] == ["09:15 free"]
    assert reverse("admin:appointments_appointment_add") not in response.content.decode()


# Moving


def test_while_a_patient_is_moved_each_free_time_leads_to_the_question(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    smith = staff["doctor"]
    publish(smith, ends=time(9, 30))
    row = book(john, smith, at("09:00"))
    move = reverse("admin:appointments_appointment_move", args=[row.pk])
    response = receptionist_browser.get(day(move=row.pk))
    assert table(response)["09:15"] == ["Move to 09:15 Dr Tester"]
    text = response.content.decode()
    assert f'href="{move}?' in text
    assert "choose a free time" in text
    assert 'aria-current="true" title="' in text
    assert f"move={row.pk}" in response.context["steps"]["after"]["url"]
    assert f"move={row.pk}" not in response.context["moving"]["stop_url"]


def test_only_what_the_user_may_move_can_be_moved(staff: dict[str, User], receptionist_browser: Client, john: Patient) -> None:
    patel = hire("patel", "doctor", specialty="Cardiology", last_name="Patel")
    publish(staff["doctor"]), publish(patel)
    row, over = book(john, patel, at("09:00")), book(register_patient("Ann", "Roe"), patel, at("10:00"))
    services.check_in(by=SYSTEM, appointment_id=over.pk, early=True)

    def movable(client: Client) -> set[str]:
        return set(re.findall(r'data-move="([^"]+)"', client.get(day(doctor="")).content.decode()))

    assert movable(receptionist_browser) == {reverse("admin:appointments_appointment_move", args=[row.pk])}
    assert movable(browser(staff["doctor"])) == set()
    assert receptionist_browser.get(day(move=over.pk)).context["moving"] is None
    assert receptionist_browser.get(day(move="nonsense")).status_code == 200


def test_a_time_of_another_doctor_is_asked_for_and_moves_the_patient_there(
    staff: dict[str, User], receptionist_browser: Client, john: Patient
) -> None:
    patel = hire("patel", "doctor", specialty="Cardiology", last_name="Patel")
    publish(staff["doctor"], ends=time(9, 30)), publish(patel, ends=time(9, 30))
    row = book(john, staff["doctor"], at("09:00"))
    page = receptionist_browser.get(day(move=row.pk)).content.decode()
    move = reverse("admin:appointments_appointment_move", args=[row.pk])
    addresses = [address.replace("&amp;", "&") for address in re.findall(rf'href="({move}[^"]+)"', page)]
    address = next(one for one in addresses if f"doctor={patel.pk}" in one and f"T{at('09:15').astimezone(UTC):%H}%3A15" in one)
    question = receptionist_browser.get(address)
    text = " ".join(strip_tags(question.content.decode()).replace("\u2068", "").replace("\u2069", "").split())
    assert "09:15, Dr Patel" in text
    row.refresh_from_db()
    assert row.scheduled_time == at("09:00")  # nothing changes before the answer
    form = question.context["form"]
    answers = {name: form[name].value() for name in ("to", "old", "doctor")} | {"notify_patient": "on"}
    response = receptionist_browser.post(address, answers)
    row.refresh_from_db()
    assert (row.scheduled_time, row.doctor_id) == (at("09:15"), patel.pk)
    assert response.headers["Location"].startswith(SCHEDULE)
