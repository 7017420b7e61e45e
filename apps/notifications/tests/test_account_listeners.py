"""Which notifications users get about changes of their account."""

from typing import Any

import pytest
from django.core import mail as outgoing
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.models import PasswordLink, User
from apps.accounts.tests.factories import api_client, browser, create_api_key, hire
from apps.audit.models import AuditEvent
from apps.events import relay
from apps.events.models import OutboxEvent
from apps.notifications.models import Message, Notification

pytestmark = pytest.mark.django_db
WORDS = "three blue herons in the rain"


def deliver_all() -> None:
    while turns := relay.claim_waiting():
        assert all(relay.deliver(turn.delivery_id, turn.attempt) for turn in turns)


def inbox(person: User) -> list[Message]:
    return [copy.message for copy in Notification.objects.filter(user=person).select_related("message")]


def mails() -> dict[str, Any]:
    return {address: mail for mail in outgoing.outbox for address in mail.to}


def test_a_change_of_e_mail_is_mailed_to_both_addresses_with_the_keys_of_the_account(staff: dict[str, User]) -> None:
    nurse = staff["nurse"]
    live, old, others = create_api_key(nurse), create_api_key(nurse), create_api_key(staff["doctor"])
    accounts.revoke_key(by=nurse, key_id=old.key.pk)
    assert api_client(nurse).call("PATCH", "/auth/me", {"email": "thief@example.com"}).status_code == 200
    deliver_all()
    sent = mails()
    assert set(sent) == {"nurse.ward@hims.test", "thief@example.com"}
    assert len({mail.extra_headers["Message-ID"] for mail in sent.values()}) == 2
    for mail in sent.values():
        assert "e-mail address" in mail.subject
        assert f"- a program ({live.key.prefix}…{live.key.last4})" in mail.body
        assert old.key.last4 not in mail.body
        assert others.key.last4 not in mail.body
        assert live.text not in mail.body
    [message] = inbox(nurse)
    assert "e-mail address" in message.title


def test_an_administrators_change_of_e_mail_names_the_administrator(staff: dict[str, User]) -> None:
    boss, nurse = api_client(staff["admin"]), staff["nurse"]
    assert boss.put(f"/users/{nurse.pk}", {"email": "other@hims.test"}).status_code == 200
    deliver_all()
    assert set(mails()) == {"nurse.ward@hims.test", "other@hims.test"}
    for mail in outgoing.outbox:
        assert "Admin.Ward Tester" in mail.body
        assert "no API keys" in mail.body


def test_the_same_address_again_notifies_no_user(staff: dict[str, User]) -> None:
    nurse = staff["nurse"]
    assert api_client(nurse).call("PATCH", "/auth/me", {"email": nurse.email, "last_name": "Wed"}).status_code == 200
    deliver_all()
    assert not outgoing.outbox


def test_no_address_can_be_read_in_the_outbox_or_the_audit_log(staff: dict[str, User]) -> None:
    accounts.change_staff(by=SYSTEM, user_id=staff["nurse"].pk, changes={"email": "unmistakable@example.com"})
    stored = str([*OutboxEvent.objects.values_list("payload"), *AuditEvent.objects.values_list("detail")])
    assert "unmistakable" not in stored
    assert "nurse.ward@" not in stored


def test_a_name_of_a_key_adds_no_line_to_the_mail(staff: dict[str, User]) -> None:
    new = accounts.NewKey(name="sync\n- nothing to worry about", scopes=["patients:read"])
    accounts.create_key(by=staff["nurse"], owner_id=staff["nurse"].pk, new=new)
    accounts.change_staff(by=SYSTEM, user_id=staff["nurse"].pk, changes={"email": "x@hims.test"})
    deliver_all()
    assert "- sync - nothing to worry about (hims_test_" in outgoing.outbox[0].body


def test_links_mailed_to_the_former_address_are_void(staff: dict[str, User]) -> None:
    link = accounts.create_password_link(user_id=staff["nurse"].pk)
    accounts.change_staff(by=SYSTEM, user_id=staff["nurse"].pk, changes={"email": "x@hims.test"})
    with pytest.raises(accounts.InvalidLink):
        accounts.reset_password(token=link.partition("token=")[2], password=WORDS)


def test_an_invitation_sent_to_a_wrong_address_is_sent_again_to_the_right_one(staff: dict[str, User]) -> None:
    names = {"first_name": "New", "last_name": "Nurse", "role": "nurse"}
    invited = accounts.invite(by=staff["admin"], staff=accounts.NewStaff(username="new", email="wrong@hims.test", **names))
    deliver_all()
    wrong = PasswordLink.objects.get(user=invited)
    accounts.change_staff(by=staff["admin"], user_id=invited.pk, changes={"email": "right@hims.test"})
    deliver_all()
    wrong.refresh_from_db()
    assert wrong.used_at is not None
    assert PasswordLink.objects.filter(user=invited, used_at=None, purpose="invitation").count() == 1
    assert [mail.to for mail in outgoing.outbox if "token=" in mail.body] == [["wrong@hims.test"], ["right@hims.test"]]


@pytest.mark.parametrize("door", ["api", "page"])
def test_the_owner_learns_who_revoked_a_key_and_the_audit_log_names_the_same(staff: dict[str, User], door: str) -> None:
    key = create_api_key(staff["doctor"]).key
    if door == "api":
        assert api_client(staff["admin"]).call("DELETE", f"/api-keys/{key.pk}").status_code == 200
    else:
        browser(staff["admin"]).post(reverse("admin:accounts_apikey_revoke", args=[key.pk]))
    deliver_all()
    row = AuditEvent.objects.get(action="api_key.revoked", object_id=key.pk)
    assert (row.user_id, row.role) == (staff["admin"].pk, "admin")
    assert set(mails()) == {staff["doctor"].email}
    [message] = inbox(staff["doctor"])
    for text in (message.message, outgoing.outbox[0].body):
        assert "Admin.Ward Tester" in text
        assert f"{key.prefix}…{key.last4}" in text


def test_no_notice_follows_ones_own_revocation_or_a_closed_account(staff: dict[str, User]) -> None:
    accounts.revoke_key(by=staff["doctor"], key_id=create_api_key(staff["doctor"]).key.pk)
    create_api_key(staff["nurse"])
    accounts.deactivate(by=staff["admin"], user_id=staff["nurse"].pk)
    deliver_all()
    assert not outgoing.outbox
    assert not Message.objects.exists()


def test_a_password_that_an_administrator_set_is_reported_to_the_owner(staff: dict[str, User]) -> None:
    accounts.set_password(by=staff["admin"], user_id=staff["nurse"].pk, password=WORDS)
    accounts.set_password(by=staff["doctor"], user_id=staff["doctor"].pk, password=WORDS)
    hire("somebody.else")
    deliver_all()
    assert set(mails()) == {staff["nurse"].email}
    assert "Admin.Ward Tester" in outgoing.outbox[0].body
    assert WORDS not in outgoing.outbox[0].body
