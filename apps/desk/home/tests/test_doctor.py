"""The home of the doctors: the patients of the day, alerts to acknowledge and notes to finish."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import at, book
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.consultations import services as consultations
from apps.consultations.models import Consultation
from apps.consultations.services import Acknowledged
from apps.consultations.tests.factories import save, start_consultation
from apps.desk.home.tests.pages import HOME, ann, rows, section, statements, text_of
from apps.patients.tests.factories import restrict

pytestmark = pytest.mark.django_db

CRITICAL = {"bp": "210/130", "spo2": 88}
MENU_NUMBER = re.compile(r"<span>Notes to finish</span>(?:<b class=\"n\">.*?</span>(\d+)</b>)?")


@pytest.fixture
def page(doctor: User) -> Client:
    return browser(doctor)


def today(clock_time: str) -> Any:
    return at(clock_time, clock.today())


def booked(last_name: str, doctor: User, clock_time: str, status: str = "confirmed", **details: Any) -> Appointment:
    row = book(ann(last_name), doctor, today(clock_time), **details)
    Appointment.objects.filter(pk=row.pk).update(status=status)
    return row


def came(row: Appointment, ago: int, triage: str = "routine") -> Appointment:
    """The patient was checked in so many minutes ago."""
    since = clock.now() - timedelta(minutes=ago)
    Appointment.objects.filter(pk=row.pk).update(status="checked_in", checked_in_at=since, triage=triage, queue_number=ago)
    row.refresh_from_db()
    return row


def test_the_patient_with_the_doctor_comes_first_then_those_who_are_here_then_the_others(
    staff: dict[str, User], doctor: User, page: Client
) -> None:
    booked("Later", doctor, "11:00", notes="Warfarin review")
    came(booked("Waits", doctor, "09:45"), 31), came(booked("Urgent", doctor, "10:15"), 4, "urgent")
    with_nurse, inside = came(booked("Nurse", doctor, "09:30"), 18), came(booked("Inside", doctor, "10:30"), 3)
    start_consultation(doctor, with_nurse.patient, by=staff["nurse"], appointment_id=with_nurse.pk)
    visit = start_consultation(doctor, inside.patient, appointment_id=inside.pk)
    text = text_of(page)
    shown = [row[:5] for row in rows(text)]
    assert shown == [
        ["10:30", "INSIDE, Ann 46 years", "Consultation", "With doctor", ""],
        ["10:15", "URGENT, Ann 46 years", "Consultation Urgent", "Waiting", "4 min"],
        ["09:30", "NURSE, Ann 46 years", "Consultation", "With nurse", "18 min , long wait, over 15 minutes"],
        ["09:45", "WAITS, Ann 46 years", "Consultation", "Waiting", "31 min , very long wait, over 30 minutes"],
        ["11:00", "LATER, Ann 46 years", "Warfarin review", "Confirmed", ""],
    ]
    assert [row[5] for row in rows(text)] == ["Go on INSIDE, Ann", "Start URGENT, Ann", "Open NURSE, Ann", "Start WAITS, Ann", ""]
    assert text.count('<tr class="mine">') == 1
    assert f'href="{reverse("admin:consultations_consultation_step", args=[visit.row.pk, 0])}"' in text
    assert text.count("btn primary") == 1


def test_a_patient_handed_over_by_the_nurse_is_ready_and_then_with_the_doctor(
    staff: dict[str, User], doctor: User, page: Client
) -> None:
    row = came(booked("Ready", doctor, "10:00"), 10)
    visit = start_consultation(doctor, row.patient, by=staff["nurse"], appointment_id=row.pk)
    assert "Start next visit" not in text_of(page)
    consultations.ready(by=staff["nurse"], consultation_id=visit.row.pk)
    text = text_of(page)
    assert [line[3] for line in rows(text)] == ["Ready for you"]
    assert "Start next visit" in text
    save(doctor, visit, 0)
    text = text_of(page)
    assert [line[3] for line in rows(text)] == ["With doctor"]
    assert "Start next visit" not in text


def test_the_day_counts_what_is_booked_and_seen_and_leads_to_those_who_left(doctor: User, page: Client) -> None:
    booked("Seen", doctor, "09:00", "completed"), booked("Missed", doctor, "09:15", "no_show")
    cancelled = booked("Gone", doctor, "09:30")
    services.cancel(by=SYSTEM, appointment_id=cancelled.pk)
    booked("Other", hire("patel", "doctor", specialty="Cardiology", last_name="Patel"), "11:00")
    text = text_of(page)
    assert rows(text) == []
    assert "No more patients today" in text
    assert "2 booked, 1 seen" in text
    assert "1 patient seen, 1 did not come" in section(text, "patients")
    assert f'href="{reverse("admin:schedule")}?view=week"' in text


def test_a_walk_in_in_progress_is_in_the_list(doctor: User, page: Client) -> None:
    start_consultation(doctor, ann("Walk"))
    ((_, patient, reason, state, *_),) = rows(text_of(page))
    assert (patient, reason, state) == ("WALK, Ann 46 years", "Without an appointment", "With doctor")


def test_a_note_is_to_finish_a_day_after_the_start_until_it_is_signed_or_cancelled(
    staff: dict[str, User], doctor: User, page: Client
) -> None:
    other = hire("other.doctor", "doctor", specialty="Cardiology")
    for number, person in enumerate([doctor, doctor, other]):
        visit = start_consultation(person, ann(f"Note{'abc'[number]}"), "quick")
        ago = timedelta(hours=25 if number != 1 else 23)
        Consultation.objects.filter(pk=visit.row.pk).update(started_at=clock.now() - ago)
    text = text_of(page)
    yesterday = clock.today() - timedelta(days=1)
    assert section(text, "notes") == f"Notes to finish NOTEA, Ann Since {yesterday.day} {yesterday:%b %Y}"
    whole = page.get(HOME).content.decode()
    assert MENU_NUMBER.search(whole).group(1) == "1"  # type: ignore[union-attr]  # the menu has the entry
    assert "?status=unsigned&amp;doctor=mine" in whole
    Consultation.objects.update(status="cancelled", cancelled_at=clock.now())
    assert section(text_of(page), "notes") == "Notes to finish All notes are signed."


def test_an_alert_is_shown_until_a_doctor_acknowledges_it(staff: dict[str, User], doctor: User, page: Client) -> None:
    visit = save(staff["nurse"], start_consultation(doctor, ann("Major"), by=staff["nurse"]), 0)
    assert section(text_of(page), "alerts") == ""
    save(staff["nurse"], visit, 1, CRITICAL)
    assert section(text_of(page), "alerts") == "Alerts to acknowledge MAJOR, Ann Vital signs Today, 10:00"
    assert [row[3] for row in rows(text_of(page))] == ["With nurse Alert: vital signs"]
    for alert_id in ("redflag.pressure", "redflag.oxygen"):
        save(doctor, visit, 2, acknowledged=[Acknowledged(id=alert_id, reason="Seen")])
    assert section(text_of(page), "alerts") == ""


def test_a_closed_chart_is_not_shown_and_the_view_is_audited(staff: dict[str, User], doctor: User, page: Client) -> None:
    booked("Open", doctor, "11:00")
    closed = booked("Closed", doctor, "11:30")
    restrict(closed.patient, staff["nurse"])
    other = hire("other.doctor", "doctor", specialty="Cardiology")
    assert "OPEN" not in text_of(browser(other))
    text_of(page)
    event = AuditEvent.objects.filter(action="home.listed", user_id=doctor.pk).get()
    assert (event.detail["home"], event.detail["shown"]) == ("doctor", 2)  # the team of a closed chart has its doctor


def test_the_page_needs_the_same_statements_for_1_and_for_12_patients(staff: dict[str, User], doctor: User, page: Client) -> None:
    def fill(number: int) -> None:
        name, start = "abcdefghijkl"[number], today("12:00") + timedelta(minutes=15 * number)
        row = came(book(ann(f"Waits{name}"), doctor, start), 5)
        if number % 2:
            start_consultation(doctor, row.patient, by=staff["nurse"], appointment_id=row.pk)
        visit = start_consultation(doctor, ann(f"Note{name}"))
        Consultation.objects.filter(pk=visit.row.pk).update(started_at=clock.now() - timedelta(hours=25))
        save(staff["nurse"], start_consultation(doctor, ann(f"Walk{name}"), by=staff["nurse"]), 1, CRITICAL)

    fill(0)
    page.get(HOME)
    few = statements(page)
    for number in range(1, 12):
        fill(number)
    assert statements(page) == few
