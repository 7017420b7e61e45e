"""Which notifications a doctor gets about a consultation that a nurse started: an urgent vital sign, a patient who is ready."""

from typing import Any

import pytest
from django.core import mail as outgoing
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests import factories as people
from apps.consultations import services
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.tests.factories import booked, save, start_consultation
from apps.events import relay
from apps.events.models import Delivery
from apps.notifications.models import Message, Notification
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(staff: dict[str, User]) -> ConsultationDetails:
    """Begun by the nurse for the booked doctor, who has not opened it."""
    appointment = booked(register_patient("Mary", "Major", mrn="MRN777"), staff["doctor"])
    return start_consultation(staff["doctor"], appointment.patient, by=staff["nurse"], appointment_id=appointment.pk)


def deliver() -> None:
    for turn in relay.claim_waiting():
        assert relay.deliver(turn.delivery_id, turn.attempt)


def messages_to(person: User, category: str = "consultation") -> list[Message]:
    deliver()
    copies = Notification.objects.filter(user=person, message__category=category).select_related("message").order_by("id")
    return [copy.message for copy in copies]


def test_the_doctor_is_notified_at_once_of_210_130_and_88_percent_and_mailed_without_a_value(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    save(staff["nurse"], visit, 1, {"bp": "210/130", "spo2": 88})
    (message,) = messages_to(staff["doctor"])
    assert (message.title, message.priority, message.type) == ("Alert: vital signs", "urgent", "warning")
    assert message.message.startswith("Mary Major (MRN777): Very high blood pressure")
    assert "210/130" in message.message
    assert "88 %" in message.message
    assert message.action_url == reverse("admin:consultations_consultation_change", args=[visit.row.pk])
    assert messages_to(staff["nurse"]) == []
    mails = [mail for mail in outgoing.outbox if mail.to == [staff["doctor"].email]]
    (mail,) = (mail for mail in mails if "needs you now" in mail.subject)
    secret = ("Mary", "Major", "MRN777", "210", "130", "88", "pressure", "oxygen")
    assert not [word for word in secret if word in f"{mail.subject} {mail.body}"]


def test_the_doctor_is_notified_of_an_alert_in_a_visit_without_an_appointment(staff: dict[str, User]) -> None:
    walk_in = start_consultation(staff["doctor"], register_patient("Mary", "Major", mrn="MRN777"), by=staff["nurse"])
    save(staff["nurse"], walk_in, 1, {"bp": "210/130", "spo2": 88})
    (message,) = messages_to(staff["doctor"])
    assert (message.title, message.priority) == ("Alert: vital signs", "urgent")
    assert message.action_url == reverse("admin:consultations_consultation_change", args=[walk_in.row.pk])
    assert [mail.to for mail in outgoing.outbox if "needs you now" in mail.subject] == [[staff["doctor"].email]]


def test_an_unchanged_value_is_reported_once_however_often_the_event_is_delivered(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    for _ in range(2):
        save(staff["nurse"], visit, 1, {"bp": "210/130"})
        deliver()
    Delivery.objects.update(status=Delivery.Status.PENDING, attempts=0, done_at=None)
    assert all(relay.deliver(row.pk, 1) for row in Delivery.objects.filter(listener__contains=".notify_doctor_of_alert"))
    assert len(messages_to(staff["doctor"])) == 1


def test_a_value_that_is_normal_by_the_time_of_the_message_says_so(staff: dict[str, User], visit: ConsultationDetails) -> None:
    save(staff["nurse"], visit, 1, {"spo2": 88})
    save(staff["nurse"], visit, 1, {"spo2": 97})
    (message,) = messages_to(staff["doctor"])
    assert "Normal when measured again" in message.message


def test_a_doctor_is_not_notified_of_what_they_entered(staff: dict[str, User], visit: ConsultationDetails) -> None:
    save(staff["doctor"], visit, 1, {"bp": "210/130"})
    assert messages_to(staff["doctor"]) == []


def test_the_new_doctor_after_a_handover_is_notified_of_the_alert_that_is_not_acknowledged(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    other = people.hire("other.doctor", "doctor", specialty="Cardiology")
    save(staff["nurse"], visit, 1, {"bp": "210/130", "spo2": 88})
    one = services.Acknowledged(id="redflag.oxygen", reason="Oxygen given")
    save(staff["doctor"], visit, 2, acknowledged=[one])
    services.hand_over(by=staff["doctor"], consultation_id=visit.row.pk, doctor_id=other.pk)
    (message,) = messages_to(other)
    assert "210/130" in message.message
    assert "88 %" not in message.message


def test_a_visit_without_an_alert_is_handed_over_in_silence(staff: dict[str, User], visit: ConsultationDetails) -> None:
    other = people.hire("other.doctor", "doctor", specialty="Cardiology")
    services.hand_over(by=staff["doctor"], consultation_id=visit.row.pk, doctor_id=other.pk)
    assert messages_to(other) == []


def test_the_doctor_is_notified_that_a_patient_is_ready(staff: dict[str, User], visit: ConsultationDetails) -> None:
    services.ready(by=staff["nurse"], consultation_id=visit.row.pk)
    (message,) = messages_to(staff["doctor"])
    assert (message.title, message.priority) == ("Patient ready", "high")
    assert message.message.startswith("Mary Major (MRN777) has been ready for you since")
    sent: list[Any] = [mail for mail in outgoing.outbox if "MRN777" in mail.body]
    assert sent == []
