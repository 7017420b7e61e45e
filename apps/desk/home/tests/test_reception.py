"""The home of reception: who arrives next with one action each, the doctors, free times and things to do."""

from datetime import time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import at, book, publish
from apps.appointments.tests.test_waitlist_constraints import offer, waits
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.desk.home.tests.pages import HOME, ann, rows, section, statements, text_of, tiles
from apps.patients.tests.factories import restrict

pytestmark = pytest.mark.django_db


@pytest.fixture
def reception(staff: dict[str, User]) -> Client:
    return browser(staff["receptionist"])


def today(clock_time: str) -> Any:
    return at(clock_time, clock.today())


def booked(last_name: str, doctor: User, clock_time: str, status: str = "scheduled", **details: Any) -> Appointment:
    row = book(ann(last_name), doctor, today(clock_time), **details)
    Appointment.objects.filter(pk=row.pk).update(status=status)
    return row


def test_the_next_patients_have_one_action_each_and_a_menu_with_the_others(reception: Client, doctor: User) -> None:
    late = booked("Late", doctor, "09:30", appointment_type="follow_up")
    soon = booked("Soon", doctor, "10:30", "confirmed", notes="Itching, very private")
    text = text_of(reception)
    first, second = rows(text)
    assert first[:5] == ["09:30", "LATE, Ann", "Dr Tester", "Follow-up", "30 min late"]
    assert second[:5] == ["10:30", "SOON, Ann", "Dr Tester", "Consultation", "Confirmed"]
    assert first[5].startswith("Did not come LATE, Ann")
    assert second[5].startswith("Check in SOON, Ann")
    assert "private" not in text
    back = "?next=%2Fadmin%2F"
    for row, name in ((late, "no_show"), (late, "check_in"), (late, "confirm"), (soon, "check_in"), (soon, "cancel")):
        assert f'href="{reverse(f"admin:appointments_appointment_{name}", args=[row.pk])}{back}"' in text
    assert reverse("admin:appointments_appointment_no_show", args=[soon.pk]) not in text
    assert reverse("admin:patients_patient_change", args=[soon.patient_id]) in text


def test_the_tiles_count_the_day_and_lead_to_their_lists(reception: Client, doctor: User, ten_o_clock: Any) -> None:
    here = booked("Here", doctor, "10:15")
    services.check_in(by=SYSTEM, appointment_id=here.pk)
    booked("Missed", doctor, "09:00", "no_show")
    booked("Next", doctor, "11:30", "confirmed"), booked("Asked", doctor, "11:45", "requested"), booked("New", doctor, "12:00")
    book(ann("Tomorrow"), doctor, at("10:00", clock.today() + timedelta(days=1)))
    offer(waits(patient=ann("Wish")), doctor)
    ten_o_clock.move_to(today("10:12"))
    text = text_of(reception)
    assert tiles(text) == {
        "In the waiting room": "1 Longest wait 12 min",
        "Still to arrive today": "3 of 5 Next at 11:30",
        "Not confirmed": "3 2 today, 1 tomorrow",
        "Did not come": "1 Call to book again",
        "Waiting list": "1 1 offered a time",
    }
    for link in ("?day=today&amp;status=unconfirmed", "?day=today&amp;status=no_show"):
        assert f'href="{reverse("admin:appointments_appointment_changelist")}{link}"' in text


def test_the_doctors_are_shown_with_how_late_they_are_and_the_free_times_lead_to_booking(
    reception: Client, staff: dict[str, User], doctor: User, ten_o_clock: Any
) -> None:
    publish(doctor)
    patel = hire("patel", "doctor", specialty="Cardiology", last_name="Patel")
    publish(patel, starts=time(13))
    row = booked("Waits", doctor, "10:00")
    services.check_in(by=SYSTEM, appointment_id=row.pk)
    assert section(text_of(reception), "doctors") == "Doctors now Schedule Dr Patel Here from 13:00 Dr Tester On time"
    ten_o_clock.move_to(today("10:16"))
    text = text_of(browser(staff["receptionist"]))
    assert "Dr Tester Running 16 min late" in section(text, "doctors")
    assert section(text, "free") == "Next free times Book Today, 10:30 Dr Tester, 15 min Book Today, 13:00 Dr Patel, 15 min"
    link = text.partition('<h2 id="free">')[2].partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert parse_qs(urlsplit(link).query)["doctor"] == [str(doctor.pk)]
    assert urlsplit(link).path == reverse("admin:appointments_appointment_add")


def test_open_offers_and_requests_are_to_do(reception: Client, doctor: User) -> None:
    assert section(text_of(reception), "todo") == "To do Nothing waiting"
    entry = waits(patient=ann("Wish"))
    offer(entry, doctor)
    booked("Asked", doctor, "11:45", "requested")
    text = text_of(reception)
    assert "Ask WISH, Ann:" in section(text, "todo")
    assert "Answer 1 request Since" in section(text, "todo")
    assert f'href="{reverse("admin:appointments_waitlistentry_change", args=[entry.pk])}"' in text


def test_a_request_is_accepted_with_its_button(reception: Client, doctor: User) -> None:
    row = booked("Asked", doctor, "11:45", "requested")
    page = f"{reverse('admin:appointments_appointment_accept', args=[row.pk])}?next=%2Fadmin%2F"
    text = text_of(reception)
    assert f'href="{page}"' in text
    assert rows(text)[0][4] == "Asked for"
    assert rows(text)[0][5].startswith("Accept ASKED, Ann")
    assert reception.post(page).headers["Location"] == HOME
    row.refresh_from_db()
    assert row.status == "scheduled"
    assert reception.get(page).status_code == 403


def test_a_day_without_appointments_says_what_to_do(reception: Client) -> None:
    text = text_of(reception)
    assert "No one else is expected today" in text
    assert "No doctor works today." in text
    assert "<table" not in text
    assert text.count("btn primary") == 1


def test_a_closed_chart_is_not_on_the_page_and_the_view_is_audited_with_the_number_shown(
    reception: Client, staff: dict[str, User], doctor: User
) -> None:
    open_, closed = booked("Open", doctor, "11:00"), booked("Closed", doctor, "11:30")
    restrict(closed.patient, staff["nurse"])
    text = text_of(reception)
    assert "OPEN, Ann" in text
    assert "CLOSED" not in text
    assert tiles(text)["Still to arrive today"].startswith("1 of 1")
    row = AuditEvent.objects.get(action="home.listed")
    assert (row.user_id, row.detail["home"], row.detail["shown"]) == (staff["receptionist"].pk, "reception", 1)
    assert open_.patient_id


def test_the_page_needs_the_same_statements_for_1_and_for_12_patients(reception: Client, doctor: User) -> None:
    publish(doctor)
    booked("First", doctor, "10:30")
    here = booked("Here", doctor, "10:15")
    services.check_in(by=SYSTEM, appointment_id=here.pk)
    offer(waits(patient=ann("Wish")), doctor)
    reception.get(HOME)
    few = statements(reception)
    for number in range(6):
        booked(f"Next{'abcdef'[number]}", doctor, f"11:{number}0", duration_minutes=10)
        row = booked(f"Here{'abcdef'[number]}", doctor, f"12:{number}0", duration_minutes=10)
        services.check_in(by=SYSTEM, appointment_id=row.pk)
        offer(waits(patient=ann(f"Wish{'abcdef'[number]}")), doctor)
    assert statements(reception) == few
