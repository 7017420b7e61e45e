"""A consultation begins on the day of its appointment, or early on purpose; after a death, only for what came before it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser
from apps.appointments.models import Appointment
from apps.common import clock
from apps.consultations.models import Consultation
from apps.consultations.tests.factories import booked
from apps.patients import services as patients
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

DAY = 24 * 60


def start(who: Any, row: Appointment, **more: Any) -> Any:
    return who.post("/consultations", {"patient_id": str(row.patient_id), "appointment_id": str(row.pk), **more})


def dies(patient: Patient, when: datetime) -> None:
    patients.amend(by=SYSTEM, patient_id=patient.pk, changes={"deceased_at": when})


@pytest.mark.parametrize("days", [-200, -2, 2, 200])
def test_a_visit_of_another_day_is_started_only_early(staff: dict[str, User], days: int) -> None:
    doctor, row = api_client(staff["doctor"]), booked(register_patient(), staff["doctor"], minutes_ahead=days * DAY)
    refusal = start(doctor, row)
    assert (refusal.status_code, refusal.json()["error"]["details"]["reason"]) == (409, "not_today")
    assert not Consultation.objects.exists()
    assert start(doctor, row, early=True).status_code == 201


def test_the_page_asks_before_it_starts_a_visit_of_another_day(staff: dict[str, User]) -> None:
    row, client = booked(register_patient(), staff["doctor"], minutes_ahead=200 * DAY), browser(staff["doctor"])
    address = f"/admin/consultations/consultation/add/?appointment={row.pk}"
    assert "I want this appointment" in client.get(address).content.decode()
    assert client.post(address, {"workflow_type": "quick"}).status_code == 200
    assert not Consultation.objects.exists()
    assert client.post(address, {"workflow_type": "quick", "early": "on"}).status_code == 302
    today = booked(register_patient("Ann", "Roe"), staff["doctor"])
    page = client.get(f"/admin/consultations/consultation/add/?appointment={today.pk}").content.decode()
    assert "I want this appointment" not in page


def test_of_a_patient_who_died_only_a_visit_before_the_death_is_entered(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), api_client(staff["doctor"])
    before, after = (booked(patient, staff["doctor"], minutes_ahead=days * DAY) for days in (-9, 9))
    dies(patient, clock.now() - timedelta(days=5))
    for refusal in (start(doctor, after, early=True), doctor.post("/consultations", {"patient_id": str(patient.pk)})):
        assert (refusal.status_code, refusal.json()["error"]["details"]["reason"]) == (409, "patient_not_active")
    assert start(doctor, before).json()["error"]["details"]["reason"] == "not_today"
    assert start(doctor, before, early=True).status_code == 201
