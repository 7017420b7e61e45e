"""The front desk books, moves, cancels and checks in: few clicks, nothing typed is lost, and the database decides."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments import services
from apps.appointments.models import Appointment
from apps.appointments.tests.factories import at, book, monday, publish
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.desk.appointments import check_in
from apps.desk.appointments.forms import choice
from apps.desk.kit.forms import Stale
from apps.events.models import OutboxEvent
from apps.patients import services as charts
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db
ADD = reverse("admin:appointments_appointment_add")


@pytest.fixture(autouse=True)
def noon(staff: dict[str, User]) -> Iterator[None]:
    """A Sunday, noon at the clinic: all free times of the week are still to come."""
    with time_machine.travel(at("12:00", monday() - timedelta(days=1)), tick=False):
        yield


@pytest.fixture
def john() -> Patient:
    return register_patient(phone="415 555 0134", email="john@example.com", insurance_provider="Blue")


@pytest.fixture
def desk(staff: dict[str, User]) -> Client:
    return browser(staff["receptionist"])


def page(row: Appointment, name: str = "change") -> str:
    return reverse(f"admin:appointments_appointment_{name}", args=[row.pk])


def offered(response: Any) -> list[tuple[str, str]]:
    return [(time["when"][-5:], time["doctor"]) for time in response.context["adminform"].form.times]


def sent_by(response: Any) -> dict[str, str]:
    """What the inputs of the page's form send."""
    text = response.content.decode().partition('class="question"')[2]
    inputs = re.findall(r'<input type="(?:tel|text|hidden)" name="([^"]+)"(?: value="([^"]*)")?', text)
    return {name: unescape(value) for name, value in inputs}


# Booking


def test_booking_offers_the_first_free_times_of_any_doctor_at_once(staff: dict[str, User], desk: Client, john: Patient) -> None:
    other = hire("dr.other", "doctor", last_name="Other", specialty="Cardiology")
    for doctor in (staff["doctor"], other):
        publish(doctor)
    book(register_patient("Ann", "Roe"), other, at("09:00"))
    response = desk.get(f"{ADD}?patient={john.pk}&at={at('09:00').isoformat()}")
    assert offered(response) == [
        ("09:00", "Dr Tester"),
        *[("09:15", name) for name in ("Dr Other", "Dr Tester")],
        *[("09:30", name) for name in ("Dr Other", "Dr Tester")],
        ("09:45", "Dr Other"),
    ]


def test_a_time_at_which_the_patient_is_booked_elsewhere_is_not_offered(
    staff: dict[str, User], desk: Client, john: Patient
) -> None:
    publish(staff["doctor"])
    book(john, hire("dr.other", "doctor", specialty="Cardiology"), at("09:00"))
    response = desk.get(f"{ADD}?patient={john.pk}&at={at('09:00').isoformat()}")
    assert offered(response)[0] == ("09:15", "Dr Tester")


def test_the_free_times_cost_as_many_queries_for_five_doctors_as_for_one(
    staff: dict[str, User], desk: Client, john: Patient, django_assert_max_num_queries: Any
) -> None:
    def queries() -> int:
        with django_assert_max_num_queries(60) as captured:
            assert desk.get(f"{ADD}?patient={john.pk}&at={at('09:00').isoformat()}").status_code == 200
        return len(captured)

    publish(staff["doctor"])
    few = queries()
    for number in range(4):
        publish(hire(f"dr.other{number}", "doctor", specialty="Cardiology"))
    assert queries() == few


def test_a_free_time_of_any_doctor_books_and_says_a_sentence_to_read_aloud(
    staff: dict[str, User], desk: Client, john: Patient
) -> None:
    publish(staff["doctor"])
    address = f"{ADD}?patient={john.pk}&at={at('10:15').isoformat()}"
    time = next(time for time in desk.get(address).context["adminform"].form.times if time["when"].endswith("10:15"))
    sent = {"slot": time["value"], "doctor": "", "appointment_type": "consultation", "notes": "Sore throat"}
    response = desk.post(f"{ADD}?patient={john.pk}", sent, follow=True)
    row = Appointment.objects.get()
    assert (row.doctor, row.scheduled_time, row.notes) == (staff["doctor"], at("10:15"), "Sore throat")
    day = monday()
    year = "" if day.year == clock.today().year else f" {day.year}"
    assert f"{day:%A} {day.day} {day:%B}{year} at 10:15 with Dr Tester" in response.content.decode()


def test_a_time_of_another_doctor_than_the_chosen_one_is_refused_with_the_times_of_the_chosen_one(
    staff: dict[str, User], desk: Client, john: Patient
) -> None:
    other = hire("dr.other", "doctor", last_name="Other", specialty="Cardiology")
    for doctor in (staff["doctor"], other):
        publish(doctor)
    sent = {"slot": choice(at("10:15"), staff["doctor"].pk), "doctor": other.pk, "appointment_type": "consultation"}
    refused = desk.post(f"{ADD}?patient={john.pk}", sent | {"notes": "Sore throat", "from": monday().isoformat()})
    text = refused.content.decode()
    assert "The time that you chose is with Dr Tester. Choose one of the times of Dr Other, or change the doctor." in text
    assert {doctor for _, doctor in offered(refused)} == {"Dr Other"}
    assert "Sore throat" in text
    assert not Appointment.objects.exists()


def test_a_time_of_a_doctor_who_left_meanwhile_is_not_booked_with_another(
    staff: dict[str, User], desk: Client, john: Patient
) -> None:
    gone = hire("dr.gone", "doctor", specialty="Cardiology")
    accounts.deactivate(by=SYSTEM, user_id=gone.pk)
    for doctor in ("", staff["doctor"].pk):
        sent = {"slot": choice(at("10:15"), gone.pk), "doctor": doctor, "appointment_type": "consultation"}
        refused = desk.post(f"{ADD}?patient={john.pk}", sent)
        assert "The doctor of the time that you chose is no longer available." in refused.content.decode()
    assert not Appointment.objects.exists()


def test_a_typed_time_without_a_doctor_is_refused_and_nothing_typed_is_lost(
    staff: dict[str, User], desk: Client, john: Patient
) -> None:
    sent = {"slot": "", "doctor": "", "appointment_type": "consultation", "notes": "Sore throat"}
    sent |= {"scheduled_time_0": monday().isoformat(), "scheduled_time_1": "10:00"}
    text = desk.post(f"{ADD}?patient={john.pk}", sent).content.decode()
    assert "Choose a doctor, or one of the free times." in text
    assert "Sore throat" in text
    assert 'value="10:00"' in text
    assert not Appointment.objects.exists()


def test_without_any_choice_one_message_says_what_to_choose(staff: dict[str, User], desk: Client, john: Patient) -> None:
    response = desk.post(f"{ADD}?patient={john.pk}", {"slot": "", "doctor": "", "appointment_type": "consultation"})
    wanted = {"scheduled_time": ["Choose one of the free times, or a doctor and another time."]}
    assert dict(response.context["adminform"].form.errors) == wanted


def test_later_and_earlier_weeks_keep_what_was_typed(staff: dict[str, User], desk: Client, john: Patient) -> None:
    publish(staff["doctor"])
    sent = {"slot": "", "doctor": "", "appointment_type": "vaccination", "notes": "Tetanus", "look": monday(2).isoformat()}
    response = desk.post(f"{ADD}?patient={john.pk}", sent)
    text = response.content.decode()
    assert response.context["adminform"].form.times[0]["value"].startswith(at("09:00", monday(2)).astimezone().strftime("%Y-"))
    assert 'value="Tetanus"' in text
    assert "errors-top" not in text
    assert f'value="{monday(3)}"' in text
    assert response.context["shown_from"] == monday(2)


def test_the_reason_for_double_booking_is_asked_only_once_the_time_is_taken(
    staff: dict[str, User], desk: Client, john: Patient
) -> None:
    publish(staff["doctor"])
    book(register_patient("Ann", "Roe"), staff["doctor"])
    address = f"{ADD}?patient={john.pk}"
    assert 'name="overbook_reason"' not in desk.get(address).content.decode()
    sent = {"slot": "", "doctor": str(staff["doctor"].pk), "appointment_type": "consultation"}
    sent |= {"scheduled_time_0": monday().isoformat(), "scheduled_time_1": "10:00"}
    response = desk.post(address, sent)
    assert 'name="overbook_reason"' in response.content.decode()
    assert len(response.context["adminform"].form.alternatives) == 3
    desk.post(address, sent | {"overbook_reason": "Fever"})
    assert Appointment.objects.get(patient=john).overbook_seat == 1


# Moving and cancelling


def test_the_page_of_an_appointment_lists_the_six_nearest_free_times(staff: dict[str, User], desk: Client, john: Patient) -> None:
    publish(staff["doctor"])
    row = book(john, staff["doctor"], at("10:00"))
    book(register_patient("Ann", "Roe"), staff["doctor"], at("10:15"))
    nearest = desk.get(page(row)).context["nearest"]
    assert [words[-5:] for words, _ in nearest] == ["09:00", "09:15", "09:30", "09:45", "10:30", "10:45"]


@pytest.mark.parametrize(("ticked", "tells"), [({"notify_patient": "on"}, True), ({}, False)])
def test_moving_asks_with_both_times_and_whether_to_tell_the_patient(
    staff: dict[str, User], desk: Client, john: Patient, ticked: dict[str, str], tells: bool
) -> None:
    publish(staff["doctor"])
    row = book(john, staff["doctor"], at("10:00"))
    (_, url) = desk.get(page(row)).context["nearest"][-1]
    asked = desk.get(url)
    text = asked.content.decode()
    assert re.search(r"10:00</bdi>.*10:45</bdi>", text, re.DOTALL)
    assert "john@example.com" in text
    form = asked.context["form"]
    response = desk.post(url, {"to": form["to"].value(), "old": form["old"].value(), **ticked}, follow=True)
    row.refresh_from_db()
    assert row.scheduled_time == at("10:45")
    assert "at 10:45 with Dr Tester" in response.content.decode()
    assert OutboxEvent.objects.get(name="appointment.updated").payload["notify_patient"] is tells


def test_a_time_that_was_taken_meanwhile_is_answered_with_the_three_nearest(
    staff: dict[str, User], desk: Client, john: Patient
) -> None:
    publish(staff["doctor"])
    row = book(john, staff["doctor"], at("10:00"))
    book(register_patient("Ann", "Roe"), staff["doctor"], at("10:45"))
    response = desk.post(page(row, "move"), {"to": at("10:45").isoformat(), "old": row.scheduled_time.isoformat()})
    assert [words[-5:] for _, words in response.context["times"]] == ["11:00", "11:15", "11:30"]
    assert "already booked at that time" in response.content.decode()
    row.refresh_from_db()
    assert row.scheduled_time == at("10:00")


def test_an_appointment_that_another_user_moved_is_not_moved_again_unseen(
    staff: dict[str, User], desk: Client, john: Patient
) -> None:
    row = book(john, staff["doctor"], at("10:00"))
    services.change(by=staff["nurse"], appointment_id=row.pk, changes={"scheduled_time": at("14:00")})
    sent = {"to": at("10:45").isoformat(), "old": at("10:00").isoformat()}
    assert "Another user moved this appointment" in desk.post(page(row, "move"), sent).content.decode()
    row.refresh_from_db()
    assert row.scheduled_time == at("14:00")


@pytest.mark.parametrize("time", ["", "tomorrow", "2030-01-01T10:00:00", "2030-13-01T10:00:00+00:00"])
def test_a_time_that_is_none_is_refused_and_free_times_are_offered(
    staff: dict[str, User], desk: Client, john: Patient, time: str
) -> None:
    publish(staff["doctor"])
    row = book(john, staff["doctor"])
    response = desk.post(page(row, "move"), {"to": time})
    assert "Choose a time." in response.content.decode()
    assert len(response.context["times"]) == 6


def test_cancelling_stores_the_reason_of_the_list_and_the_words(staff: dict[str, User], desk: Client, john: Patient) -> None:
    row = book(john, staff["doctor"])
    text = desk.get(page(row, "cancel")).content.decode()
    assert "Patient asked" in text
    assert "10:00" in text
    desk.post(page(row, "cancel"), {"cause": "Patient is ill", "reason": "Flu", "notify_patient": "on"})
    row.refresh_from_db()
    assert (row.status, row.cancellation_reason) == ("cancelled", "Patient is ill: Flu")


# Check-in


def soon(patient: Patient, doctor: User) -> Appointment:
    return book(patient, doctor, clock.now() + timedelta(minutes=1))


def test_checking_in_shows_what_to_confirm_and_saves_a_new_phone(staff: dict[str, User], desk: Client, john: Patient) -> None:
    row = soon(john, staff["doctor"])
    text = desk.get(page(row, "check_in")).content.decode()
    assert 'value="415 555 0134"' in text
    assert 'value="Blue"' in text
    assert "15 May 1980" in text
    desk.post(page(row, "check_in"), {"phone": "415 555 0199", "insurance_provider": "Blue", "insurance_policy_number": ""})
    row.refresh_from_db()
    john.refresh_from_db()
    assert (row.status, john.phone) == ("checked_in", "415 555 0199")
    assert AuditEvent.objects.filter(action="patient.updated", patient_id=john.pk).count() == 1


def test_a_check_in_keeps_what_a_colleague_corrected_meanwhile(staff: dict[str, User], desk: Client, john: Patient) -> None:
    row = soon(john, staff["doctor"])
    values = sent_by(desk.get(page(row, "check_in")))
    assert values["initial-phone"] == values["phone"] == "415 555 0134"
    charts.amend(by=staff["admin"], patient_id=john.pk, changes={"phone": "415 555 0177", "insurance_provider": "Red"})
    desk.post(page(row, "check_in"), values | {"insurance_policy_number": "P 1"})
    row.refresh_from_db()
    john.refresh_from_db()
    assert row.status == "checked_in"
    assert (john.phone, john.insurance_provider, john.insurance_policy_number) == ("415 555 0177", "Red", "P 1")


def test_two_corrections_of_one_value_are_shown_before_either_is_lost(
    staff: dict[str, User], desk: Client, john: Patient
) -> None:
    row = soon(john, staff["doctor"])
    typed = sent_by(desk.get(page(row, "check_in"))) | {"phone": "415 555 0199", "insurance_provider": "Green"}
    charts.amend(by=staff["admin"], patient_id=john.pk, changes={"phone": "415 555 0177", "insurance_provider": ""})
    refused = desk.post(page(row, "check_in"), typed)
    text = refused.content.decode()
    assert "Another user has changed this to: 415 555 0177." in text
    assert "Another user has changed this to: (empty)." in text
    assert (sent_by(refused)["phone"], sent_by(refused)["insurance_provider"]) == ("415 555 0199", "Green")
    row.refresh_from_db()
    john.refresh_from_db()
    assert (row.status, john.phone) == ("scheduled", "415 555 0177")
    desk.post(page(row, "check_in"), sent_by(refused))
    row.refresh_from_db()
    john.refresh_from_db()
    assert (row.status, john.phone, john.insurance_provider) == ("checked_in", "415 555 0199", "Green")


def test_a_value_that_changes_while_the_check_in_is_saved_is_not_overwritten(staff: dict[str, User], john: Patient) -> None:
    row = soon(john, staff["doctor"])
    answers = {"changes": {"phone": "415 555 0199"}, "recorded": {"phone": "415 555 0134"}}
    charts.amend(by=staff["admin"], patient_id=john.pk, changes={"phone": "415 555 0177"})
    with pytest.raises(Stale):
        check_in.run(staff["receptionist"], row, answers)


def test_a_phone_that_is_none_stops_the_check_in_and_stays_in_the_box(
    staff: dict[str, User], desk: Client, john: Patient
) -> None:
    row = soon(john, staff["doctor"])
    text = desk.post(page(row, "check_in"), {"phone": "1x"}).content.decode()
    assert "A telephone number has 3 to 20 digits." in text
    assert 'value="1x"' in text
    row.refresh_from_db()
    assert row.status == "scheduled"


def test_a_refused_check_in_saves_no_phone(staff: dict[str, User], desk: Client, john: Patient) -> None:
    row = soon(john, staff["doctor"])
    services.cancel(by=staff["nurse"], appointment_id=row.pk)
    desk.post(page(row, "check_in"), {"phone": "415 555 0199"})
    john.refresh_from_db()
    assert john.phone == "415 555 0134"


def test_after_the_check_in_the_user_is_back_where_they_came_from(staff: dict[str, User], desk: Client, john: Patient) -> None:
    back = f"{reverse('admin:appointments_appointment_changelist')}?day=today"
    row = soon(john, staff["doctor"])
    (_, url) = desk.get(back).context["rows"][0]["links"][0]
    assert desk.post(url, {"phone": "415 555 0134"}).headers["Location"] == back
    for elsewhere in ("https://example.com/admin/", "//example.com", "/v1/patients"):
        other = soon(register_patient("Ann", "Roe"), hire(f"dr{len(elsewhere)}", "doctor", specialty="Cardiology"))
        assert desk.post(f"{page(other, 'check_in')}?next={elsewhere}", {}).headers["Location"] == page(other)
    assert row.pk


def test_the_list_shows_the_states_in_the_words_of_the_clinic(staff: dict[str, User], desk: Client, john: Patient) -> None:
    row = soon(john, staff["doctor"])
    services.check_in(by=staff["nurse"], appointment_id=row.pk, early=True)
    text = desk.get(reverse("admin:appointments_appointment_changelist")).content.decode()
    assert re.search(r'<span class="tag info"><svg.*?</svg>Waiting</span>', text)
    assert "checked in" not in text
