"""Titles, tabs and confirmations show the clinic's time."""

from datetime import UTC

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import at, book
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


def page(row: Appointment, name: str) -> str:
    return reverse(f"admin:appointments_appointment_{name}", args=[row.pk])


@pytest.mark.parametrize("name", ["change", "cancel", "history"])
def test_each_page_of_an_appointment_shows_the_clinics_time(staff: dict[str, User], name: str) -> None:
    row = book(register_patient(), staff["doctor"])
    text = browser(staff["admin"]).get(page(row, name)).content.decode()
    assert f"{at():%H:%M}" in text
    assert f"{at().astimezone(UTC):%H:%M}" not in text
    assert " UTC" not in text


def test_the_confirmation_of_a_change_shows_the_clinics_time(staff: dict[str, User]) -> None:
    row = book(register_patient(), staff["doctor"], appointment_type="telehealth")
    values = {
        "version": row.updated_at.isoformat(),
        "scheduled_time_0": f"{at():%Y-%m-%d}",
        "scheduled_time_1": "11:15",
        "duration_minutes": row.duration_minutes,
        "appointment_type": row.appointment_type,
        "doctor": str(row.doctor_id),
        "room": "",
        "notes": "",
        "overbook_reason": "",
    }
    response = browser(staff["receptionist"]).post(page(row, "change"), values, follow=True)
    messages = " ".join(str(message) for message in response.context["messages"])
    assert f"Saved: Video visit, {at():%a} {at().day} {at():%b %Y}, 11:15." in messages
    assert " UTC" not in messages
