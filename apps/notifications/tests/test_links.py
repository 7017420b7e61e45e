"""Links that open an account: made while the mail is written, and found in the mail alone."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail as outgoing

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.models import PasswordLink, User
from apps.accounts.tests.authenticator import enable_totp
from apps.accounts.tests.factories import PASSWORD, ApiClient, api_client
from apps.events import relay
from apps.events.models import Delivery, OutboxEvent

pytestmark = pytest.mark.django_db
CHOSEN = "copper kettle meadow fence"


def deliver_all() -> None:
    """Relay until nothing waits: a call for help becomes a fact of its own, which is mailed."""
    while turns := relay.claim_waiting():
        for turn in turns:
            assert relay.deliver(turn.delivery_id, turn.attempt)


def mailed_token() -> str:
    [sent] = outgoing.outbox
    [link] = re.findall(r"^https?://\S+$", sent.body, re.M)
    return parse_qs(urlsplit(link).query)["token"][0]


def sign_in(username: str, password: str) -> Any:
    return api_client().post("/auth/login", {"username": username, "password": password})


def test_who_forgot_the_password_chooses_another_by_the_mailed_link(staff: dict[str, User]) -> None:
    assert api_client().post("/auth/password/forgot", {"email": staff["nurse"].email}).status_code == 200
    deliver_all()
    token = mailed_token()
    assert api_client().post("/auth/password/reset", {"token": token, "new_password": CHOSEN}).status_code == 200
    assert sign_in("nurse.ward", CHOSEN).status_code == 200
    assert sign_in("nurse.ward", PASSWORD).status_code == 401


def test_no_mail_goes_to_an_address_without_an_account(staff: dict[str, User]) -> None:
    assert api_client().post("/auth/password/forgot", {"email": "nobody@hims.test"}).status_code == 200
    deliver_all()
    assert outgoing.outbox == []


def test_an_invited_person_signs_in_after_choosing_a_password(staff: dict[str, User]) -> None:
    admin = api_client(staff["admin"])
    body = {"username": "new.nurse", "email": "new.nurse@hims.test", "first_name": "New", "last_name": "Nurse", "role": "nurse"}
    assert admin.post("/users", body).json()["data"]["user"]["status"] == "invited"
    deliver_all()
    token = mailed_token()
    assert api_client().post("/auth/password/reset", {"token": token, "new_password": CHOSEN}).status_code == 200
    assert sign_in("new.nurse", CHOSEN).json()["data"]["user"]["role"] == "nurse"


def test_who_has_a_password_by_the_time_of_the_mail_is_not_invited(staff: dict[str, User]) -> None:
    body = {"username": "new.nurse", "email": "new.nurse@hims.test", "first_name": "New", "last_name": "Nurse", "role": "nurse"}
    made = api_client(staff["admin"]).post("/users", body).json()["data"]["user"]
    accounts.set_password(by=SYSTEM, user_id=made["id"], password=CHOSEN)
    deliver_all()
    assert outgoing.outbox == []


@pytest.mark.parametrize("path", ["/auth/password/forgot", "/users"])
def test_the_link_s_token_stands_in_no_table(staff: dict[str, User], path: str) -> None:
    asked: ApiClient = api_client(staff["admin"]) if path == "/users" else api_client()
    body = {"username": "x.new", "email": "x.new@hims.test", "first_name": "X", "last_name": "New", "role": "nurse"}
    asked.post(path, body if path == "/users" else {"email": staff["nurse"].email})
    deliver_all()
    token = mailed_token()
    assert PasswordLink.objects.count() == 1
    for model in (OutboxEvent, Delivery, PasswordLink):
        assert token not in str(list(model.objects.values())), model


def test_an_administrator_takes_a_lost_second_factor_away(staff: dict[str, User]) -> None:
    admin = api_client(staff["admin"])
    enable_totp(staff["nurse"])
    assert sign_in("nurse.ward", PASSWORD).json()["error"]["details"]["issue"] == "mfa_required"
    assert admin.post(f"/users/{staff['nurse'].pk}/reset-mfa").status_code == 200
    assert sign_in("nurse.ward", PASSWORD).status_code == 200
    deliver_all()
    inbox = api_client(staff["nurse"]).get("/notifications").json()["data"]["notifications"]
    assert inbox[0]["title"] == "Your second factor was removed"
    assert admin.post(f"/users/{staff['nurse'].pk}/reset-mfa").status_code == 409
