"""Calling a patient in from the home page: one click starts the visit and opens its first step."""

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments.models import Appointment
from apps.appointments.queue import board
from apps.appointments.tests.factories import at, book, book_and_check_in
from apps.consultations import services
from apps.consultations.models import Consultation
from apps.consultations.steps.definitions import Step
from apps.consultations.tests.factories import start_consultation
from apps.desk.consultations import call_in
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

HOME, CALL_IN = "/admin/", "/admin/call-in/"


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(at("10:00"), tick=False):
        yield


@pytest.fixture
def nurse(staff: dict[str, User]) -> Client:
    return browser(staff["nurse"])


def ann(last_name: str) -> Patient:
    return register_patient("Ann", last_name)


def step_page(row: Appointment, step: Step) -> str:
    visit = Consultation.objects.get(appointment=row)
    return reverse("admin:consultations_consultation_step", args=[visit.pk, int(step)])


def test_a_nurse_calls_a_patient_in_and_the_vital_signs_open(staff: dict[str, User], nurse: Client) -> None:
    row = book_and_check_in(ann("Roe"), staff["doctor"], 5)
    response = nurse.post(CALL_IN, {"appointment": row.pk})
    assert response.headers["Location"] == step_page(row, Step.VITALS)
    visit = Consultation.objects.get()
    assert (visit.doctor_id, visit.entered_by_id) == (staff["doctor"].pk, staff["nurse"].pk)
    row.refresh_from_db()
    assert row.status == "in_progress"
    assert nurse.get(response.headers["Location"]).status_code == 200


def test_the_next_patient_is_the_urgent_one_then_the_one_who_waits_longest(staff: dict[str, User], nurse: Client) -> None:
    first = book_and_check_in(ann("First"), staff["doctor"], 30)
    urgent = book_and_check_in(ann("Urgent"), staff["doctor"], 2, "urgent")
    book_and_check_in(ann("Yesterday"), staff["doctor"], 24 * 60)
    assert nurse.post(CALL_IN).headers["Location"] == step_page(urgent, Step.VITALS)
    assert nurse.post(CALL_IN).headers["Location"] == step_page(first, Step.VITALS)
    response = nurse.post(CALL_IN, follow=True)
    assert response.redirect_chain == [(HOME, 302)]
    assert "No patients are waiting." in response.content.decode()
    assert Consultation.objects.count() == 2


def main_form(client: Client, address: str) -> dict[str, str]:
    """Returns what the main button of the page sends."""
    (since,) = re.findall(r'name="since" value="([^"]+)"', client.get(address).content.decode())
    return {"since": since}


@pytest.mark.parametrize("address", [HOME, "/admin/queue/"])
@pytest.mark.parametrize("role", ["nurse", "doctor"])
def test_a_second_click_on_the_button_leads_to_the_visit_that_the_first_one_started(
    staff: dict[str, User], role: str, address: str
) -> None:
    first, second = (book_and_check_in(ann(name), staff["doctor"], minutes) for name, minutes in (("First", 30), ("Second", 5)))
    client = browser(staff[role])
    sent = main_form(client, address)
    client.post(CALL_IN, sent)
    again = client.post(CALL_IN, sent)
    visit = Consultation.objects.get()
    assert visit.appointment_id == first.pk
    assert again.headers["Location"] == reverse("admin:consultations_consultation_go_on", args=[visit.pk])
    assert "You have already started this visit." in client.get(again.headers["Location"], follow=True).content.decode()
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        client.post(CALL_IN, main_form(client, address))  # the page of later calls in the next patient
    assert set(Consultation.objects.values_list("appointment_id", flat=True)) == {first.pk, second.pk}


@pytest.mark.parametrize("misses", [0, 1])
def test_a_second_click_that_the_queue_overtakes_leads_to_the_visit_of_the_first(
    staff: dict[str, User], nurse: Client, monkeypatch: pytest.MonkeyPatch, misses: int
) -> None:
    for name in ("First", "Second"):
        book_and_check_in(ann(name), staff["doctor"], 5)
    sent, before = main_form(nurse, HOME), board.current(by=staff["nurse"])
    nurse.post(CALL_IN, sent)
    monkeypatch.setattr(call_in.board, "current", lambda **_: before)  # read just before the first click was stored
    answers, last_begun = [None] * misses, call_in.worklists.last_begun  # and perhaps this too
    monkeypatch.setattr(call_in.worklists, "last_begun", lambda **asked: answers.pop() if answers else last_begun(**asked))
    nurse.post(CALL_IN, sent)
    assert Consultation.objects.count() == 1


def test_a_visit_that_a_colleague_started_meanwhile_is_not_the_next_one(staff: dict[str, User], nurse: Client) -> None:
    first, second = (book_and_check_in(ann(name), staff["doctor"], minutes) for name, minutes in (("First", 30), ("Second", 5)))
    sent = main_form(nurse, HOME)
    start_consultation(staff["doctor"], first.patient, by=hire("other", "nurse"), appointment_id=first.pk)
    assert nurse.post(CALL_IN, sent).headers["Location"] == step_page(second, Step.VITALS)


@pytest.mark.parametrize("since", ["", "yesterday", "2026-01-01", "2026-01-01T10:00"])
def test_a_time_that_no_page_sends_hinders_no_call(staff: dict[str, User], nurse: Client, since: str) -> None:
    row = book_and_check_in(ann("Roe"), staff["doctor"], 5)
    assert nurse.post(CALL_IN, {"since": since}).headers["Location"] == step_page(row, Step.VITALS)


def test_a_doctor_starts_their_own_next_visit_at_its_first_step_and_never_that_of_another(staff: dict[str, User]) -> None:
    patel = hire("patel", "doctor", specialty="Cardiology", last_name="Patel")
    other = book_and_check_in(ann("Other"), patel, 40)
    own = book_and_check_in(ann("Own"), staff["doctor"], 5)
    doctor = browser(staff["doctor"])
    assert doctor.post(CALL_IN, {"appointment": other.pk}).status_code == 403
    assert doctor.post(CALL_IN).headers["Location"] == step_page(own, Step.PATIENT_OVERVIEW)
    assert Consultation.objects.get().appointment_id == own.pk


def test_a_doctor_opens_the_visit_that_the_nurse_handed_over_before_those_who_wait(staff: dict[str, User]) -> None:
    book_and_check_in(ann("Waits"), staff["doctor"], 30)
    row = book_and_check_in(ann("Ready"), staff["doctor"], 5)
    visit = start_consultation(staff["doctor"], row.patient, by=staff["nurse"], appointment_id=row.pk)
    services.ready(by=staff["nurse"], consultation_id=visit.row.pk)
    location = browser(staff["doctor"]).post(CALL_IN).headers["Location"]
    assert location.startswith(reverse("admin:consultations_consultation_change", args=[visit.row.pk]).removesuffix("change/"))
    assert Consultation.objects.count() == 1


def test_a_visit_that_a_colleague_started_is_opened_and_not_started_twice(staff: dict[str, User], nurse: Client) -> None:
    row = book_and_check_in(ann("Roe"), staff["doctor"], 5)
    visit = start_consultation(staff["doctor"], row.patient, by=staff["nurse"], appointment_id=row.pk)
    response = nurse.post(CALL_IN, {"appointment": row.pk})
    assert response.headers["Location"] == reverse("admin:consultations_consultation_go_on", args=[visit.row.pk])
    assert Consultation.objects.count() == 1


def test_a_refusal_is_shown_on_the_home_page(staff: dict[str, User], nurse: Client) -> None:
    row = book(ann("Roe"), staff["doctor"], at("11:00"))
    Appointment.objects.filter(pk=row.pk).update(status="no_show")
    response = nurse.post(CALL_IN, {"appointment": row.pk}, follow=True)
    assert response.redirect_chain == [(HOME, 302)]
    assert 'class="error"' in response.content.decode()
    assert not Consultation.objects.exists()


def test_opening_the_address_writes_nothing(staff: dict[str, User], nurse: Client) -> None:
    row = book_and_check_in(ann("Roe"), staff["doctor"], 5)
    assert nurse.get(f"{CALL_IN}?appointment={row.pk}").headers["Location"] == HOME
    assert not Consultation.objects.exists()


def test_a_patient_who_is_not_shown_is_not_called_in(staff: dict[str, User], nurse: Client) -> None:
    row = book_and_check_in(ann("Hale"), staff["doctor"], 5)
    restrict(row.patient, staff["doctor"])
    assert nurse.post(CALL_IN, {"appointment": row.pk}).status_code == 404
    for text in (str(uuid4()), "nonsense", ""):
        assert nurse.post(CALL_IN, {"appointment": text}).status_code == 404
    assert nurse.post(CALL_IN).headers["Location"] == HOME
    assert not Consultation.objects.exists()


@pytest.mark.parametrize("role", ["receptionist", "billing", "manager", "pharmacist"])
def test_other_roles_call_no_patient_in(staff: dict[str, User], role: str) -> None:
    row = book_and_check_in(ann("Roe"), staff["doctor"], 5)
    client = browser(staff[role])
    assert [client.get(CALL_IN).status_code, client.post(CALL_IN, {"appointment": row.pk}).status_code] == [403, 403]
    assert not Consultation.objects.exists()
