"""Mail to a real server: that it arrives, what it holds, and what happens while the server is not there."""

import stat
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail as outgoing
from django.db import transaction

from apps.access.actor import SYSTEM
from apps.accounts.events import SignedInFromNewPlace
from apps.accounts.models import User
from apps.accounts.tests import factories as people
from apps.events import relay
from apps.events.models import Delivery, OutboxEvent
from apps.events.services import emit
from apps.notifications.mail import mailer
from apps.notifications.mail.mailer import Recipient
from apps.notifications.models import Message
from apps.notifications.tests import receiver
from apps.notifications.tests.receiver import Receiver
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db
SECRET = "https://hims.test/reset/uid/secret-token-of-the-link"


@pytest.fixture
def port(settings: Any) -> int:
    """Where the mail server is expected."""
    settings.EMAIL_BACKEND = "apps.notifications.mail.smtp_backend.SmtpUtf8Backend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", receiver.free_port(), 1
    settings.DEFAULT_FROM_EMAIL = '"Arocord, Family & Clinic" <no-reply@clinic.example>'
    return settings.EMAIL_PORT


def sign_in_from_elsewhere(user: User) -> None:
    with transaction.atomic():
        emit(SignedInFromNewPlace(user_id=user.pk, session_id=None), by=SYSTEM)
    for turn in relay.claim_waiting():
        relay.deliver(turn.delivery_id, turn.attempt)


def mail_delivery() -> Delivery:
    return Delivery.objects.get(listener__endswith="mail_new_place")


def deliver_again() -> bool:
    row = mail_delivery()
    return relay.deliver(row.pk, row.attempts + 1)


def test_a_mail_arrives(port: int, staff: dict[str, User]) -> None:
    with receiver.open_at(port, Receiver()) as server:
        sign_in_from_elsewhere(staff["nurse"])
    [taken] = server.taken
    assert taken["To"] == staff["nurse"].email
    assert server.envelopes[0].rcpt_tos == [staff["nurse"].email]
    assert server.envelopes[0].mail_from == "no-reply@clinic.example"
    assert taken["Subject"].startswith("New sign-in to your")
    assert taken["Auto-Submitted"] == "auto-generated"
    assert taken.get_content_type() == "text/plain"
    assert "Tester" in taken.get_content()
    assert mail_delivery().status == Delivery.Status.DONE


def test_a_mail_reaches_an_address_in_any_script(port: int, staff: dict[str, User]) -> None:
    User.objects.filter(pk=staff["nurse"].pk).update(email="josé@exämple.com")
    with receiver.open_at(port, Receiver()) as server:
        sign_in_from_elsewhere(staff["nurse"])
    [envelope] = server.envelopes
    assert envelope.rcpt_tos == ["josé@xn--exmple-cua.com"]
    assert "SMTPUTF8" in envelope.mail_options
    assert "To: josé@xn--exmple-cua.com\r\n".encode() in envelope.content
    assert server.taken[0]["Subject"].startswith("New sign-in to your")
    assert mail_delivery().status == Delivery.Status.DONE


def test_a_server_that_cannot_take_such_an_address_fails_in_plain_sight(port: int, staff: dict[str, User]) -> None:
    User.objects.filter(pk=staff["nurse"].pk).update(email="josé@example.com")
    with receiver.open_at(port, Receiver(), smtputf8=False) as server:
        sign_in_from_elsewhere(staff["nurse"])
    assert server.taken == []
    delivery = mail_delivery()
    assert delivery.status != Delivery.Status.DONE
    assert "SMTPUTF8" in delivery.last_error
    assert "josé" not in delivery.last_error


def test_a_mail_waits_for_its_server_and_arrives_when_it_is_back(port: int, staff: dict[str, User]) -> None:
    sign_in_from_elsewhere(staff["nurse"])
    assert mail_delivery().status == Delivery.Status.PENDING
    assert not deliver_again()  # the server rests
    assert "MailServerPaused" in mail_delivery().last_error
    mailer.end_pause()
    with receiver.open_at(port, Receiver()) as server:
        assert deliver_again()
    assert len(server.taken) == 1
    assert mail_delivery().status == Delivery.Status.DONE


def test_a_mail_that_is_refused_for_now_is_sent_again_under_the_same_id(port: int, staff: dict[str, User]) -> None:
    with receiver.open_at(port, Receiver(answer="451 try later")) as server:
        sign_in_from_elsewhere(staff["nurse"])
        assert "451" in mail_delivery().last_error
        server.answer = "250 OK"
        assert deliver_again()
        Delivery.objects.update(status=Delivery.Status.PENDING, done_at=None)  # as if the worker had died before its commit
        assert deliver_again()
    first, second = server.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@clinic.example>")


def test_two_facts_are_two_mails(port: int, staff: dict[str, User]) -> None:
    with receiver.open_at(port, Receiver()) as server:
        sign_in_from_elsewhere(staff["nurse"])
        sign_in_from_elsewhere(staff["nurse"])
    assert len({taken["Message-ID"] for taken in server.taken}) == 2


def test_a_server_that_says_nothing_costs_one_time_out_and_not_one_a_mail(
    settings: Any, port: int, staff: dict[str, User]
) -> None:
    with receiver.silent_mail_server() as hole:
        settings.EMAIL_PORT = hole.port
        for user in staff.values():
            sign_in_from_elsewhere(user)
        assert hole.connections() == 1
    assert Delivery.objects.filter(listener__endswith="mail_new_place", status="pending").count() == len(staff)


def test_no_mail_names_a_patient(port: int, staff: dict[str, User]) -> None:
    patient = register_patient("Mary", "Major", mrn="MRN777")
    with receiver.open_at(port, Receiver()) as server:
        sign_in_from_elsewhere(staff["nurse"])
        for template, more in (("password_reset", {"minutes": 30}), ("invitation", {"days": 7})):
            mailer.send(to=Recipient.of(staff["nurse"]), template=template, context={"link": SECRET, **more})
    for taken in server.taken:
        for word in (patient.first_name, patient.last_name, patient.mrn, str(patient.pk)):
            assert word not in taken.as_string()


@pytest.mark.parametrize(("template", "lifetime"), [("password_reset", {"minutes": 30}), ("invitation", {"days": 7})])
def test_a_link_stands_in_the_mail_and_nowhere_else(staff: dict[str, User], template: str, lifetime: dict[str, int]) -> None:
    mailer.send(to=Recipient.of(staff["nurse"]), template=template, context={"link": SECRET, **lifetime})
    [sent] = outgoing.outbox
    assert SECRET in sent.body.split("\n")
    assert str(next(iter(lifetime.values()))) in sent.body
    assert "{" not in sent.body
    assert not OutboxEvent.objects.filter(payload__icontains="secret-token").exists()
    assert not Message.objects.exists()


def test_a_name_adds_no_header_and_no_line(settings: Any, db: None) -> None:
    user = people.hire("o.brien", "nurse", first_name="Pat\r\nBcc: all@evil.example\r\n\r\nPay", last_name="O'Brien <x> & Co")
    settings.CLINIC_NAME = "North\r\nBcc: spy@evil.example"
    sent = mailer.compose(to=Recipient.of(user), template="new_place", context={"at": "now"}, event_id=uuid4()).message()
    assert sent["Bcc"] is None
    assert "O'Brien <x> & Co" in sent.get_payload()
    assert not any(line.startswith("Bcc") for line in sent.as_string().splitlines())


def test_mails_in_files_are_their_owners_alone(settings: Any, tmp_path: Path, staff: dict[str, User]) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = (
        "apps.notifications.mail.file_backend.PrivateFileBackend",
        str(tmp_path / "mail"),
    )
    mailer.send(to=Recipient.of(staff["nurse"]), template="password_reset", context={"link": SECRET, "minutes": 30})
    [file] = (tmp_path / "mail").iterdir()
    assert SECRET in file.read_text()
    assert stat.S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700
