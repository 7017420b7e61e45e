"""Which staff are notified when another user changes a doctor's schedule."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core import mail as outgoing
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests import factories as people
from apps.appointments import services
from apps.appointments.events import AppointmentUpdated
from apps.appointments.models import Appointment
from apps.appointments.services import ImportedAppointment, ImportedStatus, NewAppointment
from apps.events import relay
from apps.events.models import Delivery
from apps.notifications import listeners
from apps.notifications.models import Message, Notification
from apps.patients import services as charts
from apps.patients.models import Patient
from apps.patients.tests.factories import merge, register_patient, restrict

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)  # a Sunday, 09:30 in Los Angeles
TOMORROW = NOW + timedelta(days=1)
IN_A_WEEK = NOW + timedelta(days=7)


@pytest.fixture(autouse=True)
def sunday_morning() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def mary(staff: dict[str, User]) -> Patient:
    return register_patient("Mary", "Major", mrn="MRN777")


def book(by: User, patient: Patient, doctor: User, when: datetime, **visit: Any) -> Appointment:
    asked = NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=when, **visit)
    return services.book(by=by, new=asked).appointment


def change(by: User, visit: Appointment, **changes: Any) -> None:
    services.change(by=by, appointment_id=visit.pk, changes=changes)


def deliver() -> None:
    for turn in relay.claim_waiting():
        assert relay.deliver(turn.delivery_id, turn.attempt)


def inbox(person: User) -> list[Message]:
    deliver()
    return [copy.message for copy in Notification.objects.filter(user=person).select_related("message")]


def titles(person: User) -> list[str]:
    return sorted(message.title for message in inbox(person))


def test_a_doctor_is_notified_of_a_visit_that_reception_books_for_tomorrow(staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff["receptionist"], mary, staff["doctor"], TOMORROW)
    [message] = inbox(staff["doctor"])
    assert (message.title, message.category, message.priority) == ("New appointment", "appointment", "medium")
    assert message.message.startswith("Mary Major (MRN777): booked for 23 Nov 2026 at 09:30 PST, by Receptionist.Ward")
    assert message.action_url == reverse("admin:appointments_appointment_change", args=[visit.pk])
    assert not inbox(staff["receptionist"])


def test_a_doctor_is_notified_of_a_walk_in_of_this_moment(staff: dict[str, User], mary: Patient) -> None:
    book(staff["nurse"], mary, staff["doctor"], NOW)
    assert titles(staff["doctor"]) == ["New appointment"]


@pytest.mark.parametrize("when", [IN_A_WEEK, NOW - timedelta(days=1)])
def test_what_is_far_off_or_past_is_left_to_the_schedule(staff: dict[str, User], mary: Patient, when: datetime) -> None:
    visit = book(staff["receptionist"], mary, staff["doctor"], when)
    services.cancel(by=staff["receptionist"], appointment_id=visit.pk)
    assert not inbox(staff["doctor"])


def test_how_far_ahead_is_a_setting(settings: Any, staff: dict[str, User], mary: Patient) -> None:
    settings.HIMS_NOTICE_DAYS = 1
    book(staff["receptionist"], mary, staff["doctor"], TOMORROW)
    assert not inbox(staff["doctor"])
    settings.HIMS_NOTICE_DAYS = 8
    book(staff["receptionist"], mary, staff["doctor"], IN_A_WEEK)
    assert titles(staff["doctor"]) == ["New appointment"]


def test_the_day_is_the_clinic_s_and_not_greenwich_s(staff: dict[str, User], mary: Patient) -> None:
    last = datetime(2026, 11, 24, 7, 45, tzinfo=UTC)  # tomorrow, 23:45 in Los Angeles
    book(staff["receptionist"], mary, staff["doctor"], last)
    book(staff["receptionist"], mary, staff["doctor"], last + timedelta(minutes=15))
    assert len(inbox(staff["doctor"])) == 1


def test_a_doctor_is_not_notified_of_their_own_actions(staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff["doctor"], mary, staff["doctor"], TOMORROW)
    change(staff["doctor"], visit, scheduled_time=TOMORROW + timedelta(hours=1))
    services.cancel(by=staff["doctor"], appointment_id=visit.pk)
    assert not inbox(staff["doctor"])


def test_a_doctor_is_notified_when_another_user_moves_or_extends_a_visit(staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff["doctor"], mary, staff["doctor"], TOMORROW)
    change(staff["receptionist"], visit, scheduled_time=TOMORROW + timedelta(hours=1))
    change(staff["receptionist"], visit, duration_minutes=45)
    texts = {message.title: message.message for message in inbox(staff["doctor"])}
    assert sorted(texts) == ["Appointment changed", "Appointment moved"]
    assert "Mary Major (MRN777): moved to 23 Nov 2026 at 10:30 PST" in texts["Appointment moved"]


def test_a_visit_that_goes_to_a_colleague_is_reported_to_the_colleague(staff: dict[str, User], mary: Patient) -> None:
    colleague = people.hire("dr.two", "doctor", specialty="Oncology", npi="1003000126")
    visit = book(staff["doctor"], mary, staff["doctor"], TOMORROW)
    change(staff["admin"], visit, doctor_id=colleague.pk)
    [message] = inbox(colleague)
    assert message.title == "Appointment moved to you"
    assert "moved to you, for 23 Nov 2026 at 09:30 PST" in message.message


@pytest.mark.parametrize("reached", ["scheduled", "confirmed", "checked_in"])
def test_a_doctor_is_notified_of_a_cancellation_and_of_waiting_patients(
    staff: dict[str, User], mary: Patient, reached: str
) -> None:
    visit = book(staff["doctor"], mary, staff["doctor"], NOW + timedelta(hours=1))
    if reached != "scheduled":
        {"confirmed": services.confirm, "checked_in": services.check_in}[reached](
            by=staff["receptionist"], appointment_id=visit.pk
        )
    services.cancel(by=staff["receptionist"], appointment_id=visit.pk, notify_patient=False)
    [message] = inbox(staff["doctor"])
    assert message.title == "Appointment cancelled"
    assert "the appointment on 22 Nov 2026 at 10:30 PST was cancelled, by Receptionist.Ward" in message.message


def test_who_came_or_did_not_and_what_was_noted_is_no_news(staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff["doctor"], mary, staff["doctor"], NOW)
    change(staff["receptionist"], visit, notes="Brings her reports", triage="urgent", triage_reason="Pale")
    services.check_in(by=staff["receptionist"], appointment_id=visit.pk)
    services.no_show(by=staff["receptionist"], appointment_id=visit.pk)
    assert not inbox(staff["doctor"])


def test_a_request_is_announced_once_it_is_granted(staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff["receptionist"], mary, staff["doctor"], TOMORROW, status="requested")
    change(staff["receptionist"], visit, scheduled_time=TOMORROW + timedelta(hours=2))
    assert not inbox(staff["doctor"])
    change(staff["receptionist"], visit, status="scheduled")
    assert titles(staff["doctor"]) == ["New appointment"]


def test_a_fact_that_is_delivered_again_tells_no_doctor_twice(staff: dict[str, User], mary: Patient) -> None:
    visit = book(staff["receptionist"], mary, staff["doctor"], TOMORROW)
    services.cancel(by=staff["receptionist"], appointment_id=visit.pk)
    deliver()
    Delivery.objects.update(status=Delivery.Status.PENDING, attempts=0, done_at=None)
    assert all(relay.deliver(row.pk, 1) for row in Delivery.objects.filter(listener__contains=".notify_doctor"))
    assert titles(staff["doctor"]) == ["Appointment cancelled", "New appointment"]


def test_the_doctor_of_a_restricted_chart_is_notified(staff: dict[str, User], mary: Patient) -> None:
    restrict(mary, staff["nurse"], staff["doctor"])
    book(staff["nurse"], mary, staff["doctor"], TOMORROW)
    assert titles(staff["doctor"]) == ["New appointment"]
    assert inbox(staff["doctor"])[0].message.startswith("Mary Major (MRN777): ")


def test_a_restricted_patient_is_not_named_to_a_doctor_outside_the_care_team(staff: dict[str, User], mary: Patient) -> None:
    restrict(mary, people.hire("dr.team", "doctor", specialty="Oncology", npi="1003000126"))
    charts.break_glass(by=staff["nurse"], patient_id=mary.pk, reason="Unconscious in the hall")
    visit = book(staff["nurse"], mary, staff["doctor"], TOMORROW)
    services.cancel(by=staff["nurse"], appointment_id=visit.pk)
    messages = inbox(staff["doctor"])
    assert {message.title for message in messages} == {"New appointment", "Appointment cancelled"}
    for message in messages:
        assert message.message.startswith("A patient: ")
        assert "23 Nov 2026" in message.message
        assert "Major" not in message.message
        assert "MRN777" not in message.message
        assert message.action_url == ""


def test_a_visit_of_a_merged_record_names_the_survivor(staff: dict[str, User], mary: Patient) -> None:
    book(staff["receptionist"], register_patient("Marie", "Major", mrn="MRN778"), staff["doctor"], TOMORROW)
    merge(Patient.objects.get(mrn="MRN778"), mary)
    [message] = inbox(staff["doctor"])
    assert message.message.startswith("Mary Major (MRN777)")


def test_imported_visits_notify_no_user(staff: dict[str, User], mary: Patient) -> None:
    mary.amend(email="m77@home.example")
    booked = ImportedStatus(status="scheduled", at=NOW, by_id=staff["receptionist"].pk)
    taken = ImportedAppointment(
        patient_id=mary.pk, doctor_id=staff["doctor"].pk, scheduled_time=TOMORROW, duration_minutes=15, steps=[booked]
    )
    assert services.import_records(by=staff["admin"], visits=[taken]) == 1
    assert not inbox(staff["doctor"])
    assert outgoing.outbox == []


def moved(mary: Patient, **details: Any) -> AppointmentUpdated:
    fact = AppointmentUpdated(**({"appointment_id": uuid4(), "patient_id": mary.pk, "status": "scheduled"} | details))
    vars(fact).update(event_id=uuid4(), announced_at=NOW, announced_by=None)
    return fact


def test_a_doctor_is_notified_that_tomorrow_s_visit_went_to_another_week(staff: dict[str, User], mary: Patient) -> None:
    doctor = staff["doctor"].pk
    fact = moved(
        mary, doctor_id=doctor, scheduled_time=IN_A_WEEK, changes=("scheduled_time",), left_at=TOMORROW, left_doctor_id=doctor
    )
    listeners.notify_doctors_of_change(fact)
    [message] = inbox(staff["doctor"])
    assert message.message == (
        "Mary Major (MRN777): moved to 29 Nov 2026 at 09:30 PST, before on 23 Nov 2026 at 09:30 PST, by the system."
    )


def test_a_doctor_whose_visit_goes_to_a_colleague_is_notified_once(staff: dict[str, User], mary: Patient) -> None:
    colleague = people.hire("dr.two", "doctor", specialty="Oncology", npi="1003000126")
    fact = moved(
        mary,
        doctor_id=colleague.pk,
        scheduled_time=TOMORROW,
        changes=("doctor_id",),
        left_at=TOMORROW,
        left_doctor_id=staff["doctor"].pk,
    )
    for _ in range(2):
        listeners.notify_doctors_of_change(fact)
    assert titles(colleague) == ["Appointment moved to you"]
    [message] = inbox(staff["doctor"])
    assert message.title == "Appointment moved to a colleague"
    assert "moved from you to Dr.Two Tester, for 23 Nov 2026 at 09:30 PST" in message.message


def test_a_doctor_who_hands_a_visit_over_is_not_notified_of_it(staff: dict[str, User], mary: Patient) -> None:
    colleague = people.hire("dr.two", "doctor", specialty="Oncology", npi="1003000126")
    fact = moved(mary, doctor_id=colleague.pk, scheduled_time=TOMORROW, changes=("doctor_id",), left_doctor_id=staff["doctor"].pk)
    vars(fact).update(announced_by=staff["doctor"].pk)
    listeners.notify_doctors_of_change(fact)
    assert titles(colleague) == ["Appointment moved to you"]
    assert not inbox(staff["doctor"])
