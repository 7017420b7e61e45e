from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.core import mail as outgoing
from django.db import transaction

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.events import SignedInFromNewPlace
from apps.accounts.models import User
from apps.accounts.tests import factories as people
from apps.audit.events import UnusualReading
from apps.common import clock
from apps.events import relay
from apps.events.event import Event
from apps.events.models import Delivery
from apps.events.services import emit
from apps.notifications.mail import mailer
from apps.notifications.models import Message, Notification
from apps.patients import services as patients
from apps.patients.events import GlassBroken
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)  # 09:30 in Los Angeles


def announce(fact: Event) -> UUID:
    with time_machine.travel(AT, tick=False), transaction.atomic():
        return emit(fact, by=SYSTEM)


def deliver() -> list[bool]:
    return [relay.deliver(turn.delivery_id, turn.attempt) for turn in relay.claim_waiting()]


def inbox(person: User) -> list[Message]:
    return [copy.message for copy in Notification.objects.filter(user=person).select_related("message")]


def glass_broken(by: User) -> GlassBroken:
    patient = register_patient("Mary", "Major", mrn="MRN777")
    return GlassBroken(patient_id=patient.pk, user_id=by.pk, until=AT + timedelta(hours=4))


def test_every_administrator_hears_of_broken_glass(staff: dict[str, User]) -> None:
    second = people.hire("admin.two", "admin")
    away = people.hire("admin.away", "admin")
    accounts.deactivate(by=SYSTEM, user_id=away.pk)
    fact = glass_broken(staff["nurse"])
    announce(fact)
    assert all(deliver())
    [message] = inbox(staff["admin"])
    assert inbox(second) == [message]
    assert not inbox(away)
    assert not inbox(staff["nurse"])
    assert (message.priority, message.type, message.category) == ("urgent", "warning", "system")
    assert "Nurse.Ward Tester" in message.message
    assert "Mary Major (MRN777)" in message.message
    assert "22 Nov 2026 at 09:30 PST, until 22 Nov 2026 at 13:30 PST" in message.message
    assert message.action_url == f"/admin/audit/auditevent/?q={fact.patient_id}"
    assert outgoing.outbox == []


def test_administrators_hear_of_unusual_reading(staff: dict[str, User]) -> None:
    announce(UnusualReading(user_id=staff["nurse"].pk, charts=240))
    assert all(deliver())
    [message] = inbox(staff["admin"])
    assert (message.priority, message.type) == ("high", "warning")
    assert "Nurse.Ward Tester" in message.message
    assert "240 patients" in message.message


def test_a_user_who_signed_in_from_a_new_place_is_notified_in_hims_and_by_mail(staff: dict[str, User]) -> None:
    announce(SignedInFromNewPlace(user_id=staff["nurse"].pk, session_id=uuid4()))
    assert deliver() == [True, True]
    [message] = inbox(staff["nurse"])
    [sent] = outgoing.outbox
    assert "22 Nov 2026 at 09:30 PST" in message.message
    assert sent.to == [staff["nurse"].email]
    assert "22 Nov 2026 at 09:30 PST" in sent.body
    assert not inbox(staff["admin"])


def test_an_event_that_is_delivered_again_notifies_only_once(staff: dict[str, User]) -> None:
    announce(UnusualReading(user_id=staff["nurse"].pk, charts=240))
    deliver()
    Delivery.objects.update(status=Delivery.Status.PENDING, attempts=0, done_at=None)
    assert [relay.deliver(row.pk, 1) for row in Delivery.objects.all()] == [True]
    assert Notification.objects.count() == 1


def test_who_left_meanwhile_gets_no_mail(staff: dict[str, User]) -> None:
    announce(SignedInFromNewPlace(user_id=staff["nurse"].pk, session_id=None))
    accounts.deactivate(by=staff["admin"], user_id=staff["nurse"].pk)
    assert all(deliver())
    assert outgoing.outbox == []


@pytest.fixture
def dead_server(settings: Any) -> None:
    """A mail server that refuses connections."""
    settings.EMAIL_BACKEND = "apps.notifications.mail.smtp_backend.SmtpUtf8Backend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9


def mail_delivery() -> Delivery:
    return Delivery.objects.get(listener__endswith="mail_new_place")


@pytest.mark.usefixtures("dead_server")
def test_a_dead_mail_server_keeps_nothing_else_waiting(staff: dict[str, User]) -> None:
    announce(SignedInFromNewPlace(user_id=staff["nurse"].pk, session_id=None))
    assert sorted(deliver()) == [False, True]
    assert len(inbox(staff["nurse"])) == 1
    waiting = mail_delivery()
    assert (waiting.status, waiting.attempts) == ("pending", 1)
    assert "ConnectionRefusedError" in waiting.last_error


@pytest.mark.usefixtures("dead_server")
def test_a_mail_is_tried_for_a_day_and_then_waits_for_a_person(staff: dict[str, User]) -> None:
    announce(SignedInFromNewPlace(user_id=staff["nurse"].pk, session_id=None))
    begun = clock.now()
    with time_machine.travel(begun, tick=False) as traveller:
        deliver()
        while (row := mail_delivery()).status == "pending":
            traveller.move_to(row.next_attempt_at)
            for turn in relay.due_deliveries():
                assert turn.queue == "mail"
                relay.deliver(turn.delivery_id, turn.attempt)
        tried_for = clock.now() - begun
    assert (row.status, row.attempts) == ("parked", mailer.RETRY_POLICY.attempts)
    assert timedelta(hours=23) < tried_for < timedelta(hours=25)


def test_mail_goes_by_its_own_queue(staff: dict[str, User]) -> None:
    announce(SignedInFromNewPlace(user_id=staff["nurse"].pk, session_id=None))
    assert sorted(turn.queue for turn in relay.claim_waiting()) == ["default", "mail"]


def test_administrators_are_asked_for_a_merge_with_a_link_to_the_pair(staff: dict[str, User]) -> None:
    older = register_patient("Mary", "Major", mrn="MRN777")
    register_patient("Mari", "Major", mrn="MRN778")
    patients.refresh_duplicate_candidates(by=SYSTEM, patient_id=older.pk)
    pair = DuplicateCandidate.objects.get()
    patients.ask_for_merge(by=staff["manager"], pair_id=pair.pk, keep_id=older.pk, reason="Same passport")
    assert all(deliver())
    [message] = inbox(staff["admin"])
    assert "Manager.Ward Tester asks you to merge Mari Major (MRN778) into Mary Major (MRN777)." in message.message
    assert "Same passport" in message.message
    assert message.action_url == f"/admin/patients/duplicatecandidate/{pair.pk}/change/"
    assert not inbox(staff["manager"])


def test_no_merge_is_asked_for_that_was_decided_before_the_notification(staff: dict[str, User]) -> None:
    older, newer = register_patient("Mary", "Major"), register_patient("Mari", "Major")
    patients.refresh_duplicate_candidates(by=SYSTEM, patient_id=older.pk)
    pair = DuplicateCandidate.objects.get()
    patients.ask_for_merge(by=staff["manager"], pair_id=pair.pk, keep_id=older.pk)
    patients.mark_not_duplicate(by=staff["manager"], patient_id=older.pk, other_id=newer.pk)
    assert all(deliver())
    assert not inbox(staff["admin"])
