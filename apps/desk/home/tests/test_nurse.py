"""The home of the nurses: who is called in next, and who is with a nurse."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import book_and_check_in
from apps.audit.models import AuditEvent
from apps.consultations import services as consultations
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.tests.factories import save, start_consultation
from apps.desk.home.tests.pages import HOME, rows, statements, text_of, tiles
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

CRITICAL = {"bp": "210/130", "spo2": 88}


@pytest.fixture
def nurse(staff: dict[str, User]) -> Client:
    return browser(staff["nurse"])


def waiting(last_name: str, doctor: User, ago: int, triage: str = "routine", **details: Any) -> Appointment:
    return book_and_check_in(register_patient("Ann", last_name), doctor, ago, triage, **details)


def begun(row: Appointment, nurse: User) -> ConsultationDetails:
    """A nurse has called the patient in."""
    return start_consultation(row.doctor, row.patient, by=nurse, appointment_id=row.pk)


def test_urgent_patients_come_first_then_the_longest_wait_with_a_nurses_patient_in_place(
    staff: dict[str, User], nurse: Client, doctor: User
) -> None:
    waiting("Long", doctor, 31), waiting("Urgent", doctor, 2, "urgent", notes="Short of  breath")
    row = waiting("Begun", doctor, 18)
    visit = begun(row, staff["nurse"])
    text = text_of(nurse)
    first, second, third = rows(text)
    assert first[:5] == ["2", "URGENT, Ann 46 years Urgent Short of breath", "Dr Tester", "Waiting", "2 min"]
    assert second[:5] == [
        "1",
        "LONG, Ann 46 years Consultation",
        "Dr Tester",
        "Waiting",
        "31 min , very long wait, over 30 minutes",
    ]
    assert third[:5] == [
        "3",
        "BEGUN, Ann 46 years Consultation",
        "Dr Tester",
        "With nurse",
        "18 min , long wait, over 15 minutes",
    ]
    assert [row[5].split()[0:2] for row in (first, second, third)] == [["Call", "in"], ["Call", "in"], ["Go", "on"]]
    assert text.count('<tr class="mine">') == 1
    assert f'href="{reverse("admin:consultations_consultation_step", args=[visit.row.pk, 1])}"' in text
    assert "2 to call in" in text
    assert text.count("btn primary") == 1


def test_a_patient_who_is_ready_for_the_doctor_or_with_the_doctor_is_no_longer_the_nurses(
    staff: dict[str, User], nurse: Client, doctor: User
) -> None:
    with_doctor, ready, other = (waiting(name, doctor, ago) for name, ago in (("In", 30), ("Ready", 20), ("Other", 10)))
    start_consultation(doctor, with_doctor.patient, appointment_id=with_doctor.pk)
    visit = begun(ready, staff["nurse"])
    assert len(rows(text_of(nurse))) == 2
    consultations.ready(by=staff["nurse"], consultation_id=visit.row.pk)
    assert [row[1].split(",")[0] for row in rows(text_of(nurse))] == ["OTHER"]
    save(doctor, visit, 0)  # clears the mark: the doctor has begun
    assert [row[1].split(",")[0] for row in rows(text_of(nurse))] == ["OTHER"]
    assert other.status == "checked_in"


def test_a_colleagues_patient_is_shown_and_is_not_tinted(staff: dict[str, User], nurse: Client, doctor: User) -> None:
    begun(waiting("Begun", doctor, 5), hire("nurse.two", "nurse"))
    text = text_of(nurse)
    assert "Go on" in text
    assert 'class="mine"' not in text


def test_a_walk_in_with_a_nurse_and_its_alert_are_shown(staff: dict[str, User], nurse: Client, doctor: User) -> None:
    visit = start_consultation(doctor, register_patient("Ann", "Walk"), by=staff["nurse"])
    save(staff["nurse"], visit, 0)
    save(staff["nurse"], visit, 1, CRITICAL)
    text = text_of(nurse)
    ((_, patient, _, state, wait, _),) = rows(text)
    assert patient.endswith("Without an appointment")
    assert (state, wait) == ("With nurse Alert: vital signs", "")
    assert tiles(text)["Alerts not acknowledged"] == "1 A doctor must see them"


def test_the_tiles_count_and_a_very_long_wait_and_urgent_patients_are_alarms(
    staff: dict[str, User], nurse: Client, doctor: User
) -> None:
    assert tiles(text_of(nurse)) == {"To call in": "0", "Urgent": "0", "With a nurse": "0"}
    waiting("Long", doctor, 31), waiting("Worse", doctor, 2, "emergency"), begun(waiting("Begun", doctor, 5), staff["nurse"])
    text = text_of(nurse)
    assert tiles(text) == {
        "Longest wait": "31 min LONG, Ann, Dr Tester",
        "Urgent": "1 Emergency: 1",
        "To call in": "2 Average wait today 5 min",
        "With a nurse": "1 BEGUN, Ann, 0 min",
    }
    assert text.count('class="tile alarm"') == 2


def test_an_empty_waiting_room_offers_no_call(nurse: Client, doctor: User) -> None:
    waiting("Yesterday", doctor, 24 * 60)
    text = text_of(nurse)
    assert "No patients are waiting" in text
    assert "<table" not in text
    assert reverse("admin:call_in") not in text


def test_a_closed_chart_is_not_shown_and_the_view_is_audited(staff: dict[str, User], nurse: Client, doctor: User) -> None:
    waiting("Open", doctor, 5)
    closed, begun_closed = waiting("Closed", doctor, 9), waiting("Hidden", doctor, 9)
    begun(begun_closed, staff["nurse"])
    for row in (closed, begun_closed):
        restrict(row.patient, doctor)
    text = text_of(nurse)
    assert [row[1].split(",")[0] for row in rows(text)] == ["OPEN"]
    assert "HIDDEN" not in text
    event = AuditEvent.objects.get(action="home.listed")
    assert (event.user_id, event.detail["home"], event.detail["shown"]) == (staff["nurse"].pk, "nurse", 1)


def test_the_page_needs_the_same_statements_for_1_and_for_12_patients(
    staff: dict[str, User], nurse: Client, doctor: User
) -> None:
    waiting("Waits", doctor, 5), begun(waiting("Begun", doctor, 9), staff["nurse"])
    nurse.get(HOME)
    few = statements(nurse)
    for number in range(6):
        waiting(f"Waits{'abcdef'[number]}", doctor, 5)
        row = waiting(f"Begun{'abcdef'[number]}", doctor, 5)
        begun(row, staff["nurse"])
    assert statements(nurse) == few
