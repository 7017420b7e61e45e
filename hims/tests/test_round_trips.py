"""How often a write asks the database, all counted: BEGIN, savepoints and COMMIT too. Each round trip costs about 0.1 CPU-ms.

`docs/benchmarks.md` (P11) has the limits.
"""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import ApiClient, api_client, create_staff
from apps.appointments import services as appointments
from apps.appointments.tests.factories import at, publish
from apps.consultations.tests.factories import FILLED, booked
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(transactional_db: None) -> dict[str, User]:
    staff = create_staff()
    publish(staff["doctor"])
    return staff


def round_trips(send: Any) -> list[str]:
    with CaptureQueriesContext(connection) as log:
        response = send()
    assert response.status_code in (200, 201), response.content
    return [query["sql"] for query in log]


def post(who: ApiClient, path: str, body: dict[str, Any]) -> Any:
    return who.post(path, body, HTTP_IDEMPOTENCY_KEY=str(uuid4()))


def starting(who: ApiClient, patient: Patient, doctor: User, *, minutes_ahead: int = 0) -> Any:
    """Sends the start of the patient's consultation; the patient has been checked in."""
    appointment = booked(patient, doctor, minutes_ahead=minutes_ahead)
    appointments.check_in(by=SYSTEM, appointment_id=appointment.pk, early=True)
    body = {"patient_id": str(patient.pk), "appointment_id": str(appointment.pk), "early": True}
    return lambda: who.post("/consultations", body)


@pytest.mark.parametrize("role", ["receptionist", "doctor"])
def test_a_booking_takes_at_most_ten_round_trips(staff: dict[str, User], role: str) -> None:
    patient, who = register_patient(), api_client(staff[role])

    def book(hour: int) -> Any:
        body = {
            "patient_id": str(patient.pk),
            "doctor_id": str(staff["doctor"].pk),
            "scheduled_time": at(f"{hour}:00").isoformat(),
        }
        return post(who, "/appointments", body)

    book(10)  # the doctor joins the care team
    sent = round_trips(lambda: book(13))
    assert len(sent) <= 10, "\n".join(sent)


def test_the_start_of_a_consultation_takes_at_most_thirteen_round_trips(staff: dict[str, User]) -> None:
    who, patient = api_client(staff["doctor"]), register_patient()
    starting(who, patient, staff["doctor"])()  # the doctor joins the care team
    sent = round_trips(starting(who, patient, staff["doctor"], minutes_ahead=20))
    assert len(sent) <= 13, "\n".join(sent)


def test_a_saved_step_takes_at_most_nine_round_trips(staff: dict[str, User]) -> None:
    who = api_client(staff["doctor"])
    visit = starting(who, register_patient(), staff["doctor"])().json()["data"]["consultation"]

    def save(number: int) -> Any:
        return who.put(f"/consultations/{visit['id']}/step", {"step_number": number, "step_data": FILLED[number]})

    save(0)
    sent = round_trips(lambda: save(2))
    assert len(sent) <= 9, "\n".join(sent)
