"""Days and times in a year that cannot be meant are refused as slips, and break no page."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.appointments.models import Appointment, BulkReschedule, TimeOff
from apps.appointments.tests.factories import at, book, monday, publish
from apps.desk.appointments import moments
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db
ADD = reverse("admin:appointments_appointment_add")
INSTANTS = ("9999-12-28T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00")
SLIPS = ("9999-12-31", "2201-01-01", "1849-12-31", "0026-12-01", "0001-01-01")


@pytest.fixture
def john() -> Patient:
    return register_patient()


@pytest.fixture
def desk(staff: dict[str, User]) -> Client:
    publish(staff["doctor"])
    return browser(staff["receptionist"])


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ("1850-01-01T00:00:00Z", True),
        ("2200-12-31T23:59:59Z", True),
        ("1849-12-31T23:59:59Z", False),
        ("2201-01-01T00:00:00Z", False),
    ],
)
def test_an_instant_is_read_in_the_years_of_the_api(text: str, is_read: bool) -> None:
    instant = moments.instant(text)
    assert (instant is not None) == is_read
    assert instant is None or not moments.is_slip(instant)


@pytest.mark.parametrize("instant", INSTANTS)
def test_an_address_with_an_odd_time_breaks_no_page(staff: dict[str, User], desk: Client, john: Patient, instant: str) -> None:
    row = book(john, staff["doctor"])
    for address in (
        f"{ADD}?{urlencode({'patient': john.pk, 'at': instant})}",
        f"{reverse('admin:appointments_series_add')}?{urlencode({'patient': john.pk, 'at': instant})}",
        f"{reverse('admin:appointments_appointment_move', args=[row.pk])}?{urlencode({'to': instant})}",
        f"{reverse('admin:appointments_bulkreschedule_add')}?{urlencode({'from': instant, 'until': instant})}",
    ):
        assert desk.get(address).status_code == 200, address
    moved = desk.post(reverse("admin:appointments_appointment_move", args=[row.pk]), {"to": instant})
    assert "Choose a time." in moved.content.decode()
    row.refresh_from_db()
    assert row.scheduled_time == at()


@pytest.mark.parametrize("day", SLIPS)
@pytest.mark.parametrize("button", ["_save", "look"])
def test_a_typed_day_with_a_slip_is_refused_at_its_field(
    staff: dict[str, User], desk: Client, john: Patient, day: str, button: str
) -> None:
    typed = {"doctor": staff["doctor"].pk, "appointment_type": "consultation", "slot": "", button: "1"}
    response = desk.post(f"{ADD}?patient={john.pk}", typed | {"scheduled_time_0": day, "scheduled_time_1": "10:00"})
    assert response.status_code == 200
    if button == "_save":
        assert response.context["adminform"].form.errors["scheduled_time"] == ["Check the year."]
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("day", SLIPS)
def test_days_away_and_covers_refuse_such_days_too(staff: dict[str, User], desk: Client, day: str) -> None:
    away: dict[str, Any] = {"doctor": staff["doctor"].pk, "reason": ""}
    away |= {"starts_at_0": monday(), "starts_at_1": "09:00", "ends_at_0": day, "ends_at_1": "10:00"}
    response = desk.post(reverse("admin:appointments_timeoff_add"), away)
    assert response.context["adminform"].form.errors["ends_at"] == ["Check the year."]
    cover: dict[str, Any] = {"doctor_id": staff["doctor"].pk, "to_doctor_id": "", "reason": "Ill", "look": "1"}
    cover |= {"date_from_0": day, "date_from_1": "09:00", "date_to_0": monday(), "date_to_1": "10:00"}
    response = desk.post(reverse("admin:appointments_bulkreschedule_add"), cover)
    assert response.context["adminform"].form.errors["date_from"] == ["Check the year."]
    assert not TimeOff.objects.exists()
    assert not BulkReschedule.objects.exists()
