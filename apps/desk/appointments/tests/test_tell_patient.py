"""Whether the patient hears of a change: the user decides on each page that moves or cancels."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import at, book
from apps.events.models import OutboxEvent
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


def page(row: Appointment) -> str:
    return reverse("admin:appointments_appointment_change", args=[row.pk])


def sent(row: Appointment, **other: Any) -> dict[str, Any]:
    """Returns the appointment's form as it is sent, an hour later than it was."""
    here = timezone.localtime(row.scheduled_time, at().tzinfo)
    return {
        "version": row.updated_at.isoformat(),
        "scheduled_time_0": f"{here:%Y-%m-%d}",
        "scheduled_time_1": "11:00",
        "duration_minutes": row.duration_minutes,
        "appointment_type": row.appointment_type,
        "doctor": str(row.doctor_id),
        "room": "",
        "notes": row.notes,
        **other,
    }


@pytest.mark.parametrize(("ticked", "tells"), [({"notify_patient": "on"}, True), ({}, False)])
def test_moving_an_appointment_tells_the_patient_only_if_the_box_is_ticked(
    staff: dict[str, User], ticked: dict[str, str], tells: bool
) -> None:
    row = book(register_patient(), staff["doctor"])
    response = browser(staff["receptionist"]).post(page(row), sent(row, **ticked))
    assert response.status_code == 302
    row.refresh_from_db()
    assert row.scheduled_time == at("11:00")
    fact = OutboxEvent.objects.get(name="appointment.updated")
    assert fact.payload["notify_patient"] is tells


def test_the_box_is_ticked_at_first_and_explained(staff: dict[str, User]) -> None:
    row = book(register_patient(), staff["doctor"])
    response = browser(staff["receptionist"]).get(page(row))
    assert response.context["adminform"].form["notify_patient"].value() is True
    text = response.content.decode()
    assert "Tell the patient" in text
    assert "Sends an e-mail if you change the time or the doctor." in text


def test_an_appointment_that_cannot_be_moved_has_no_such_box(staff: dict[str, User]) -> None:
    row = book(register_patient(), staff["doctor"])
    services.check_in(by=staff["nurse"], appointment_id=row.pk, early=True)
    assert "notify_patient" not in browser(staff["receptionist"]).get(page(row)).content.decode()


def test_the_choice_is_no_difference_between_two_versions_of_the_appointment(staff: dict[str, User]) -> None:
    row = book(register_patient(), staff["doctor"])
    services.change(by=staff["nurse"], appointment_id=row.pk, changes={"notes": "Brings the X-ray"})
    response = browser(staff["receptionist"]).post(page(row), sent(row))
    clash = response.context["adminform"].form.clash
    assert "Tell the patient" not in [one.label for one in clash.differences]


def test_the_page_that_moves_many_asks_too(staff: dict[str, User]) -> None:
    text = browser(staff["receptionist"]).get(reverse("admin:appointments_bulkreschedule_add")).content.decode()
    assert 'name="notify_patient"' in text
    assert "Tell the patients" in text
