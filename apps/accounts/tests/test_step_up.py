"""Sensitive changes need the password again: over the API, on pages, and for callers of the service."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from apps.accounts import services
from apps.accounts.models import ApiKey, Session, User
from apps.accounts.services import NewStaff
from apps.accounts.tests.authenticator import code, enable_totp
from apps.accounts.tests.factories import PASSWORD, ApiClient, api_client, browser, create_api_key
from apps.common import clock
from apps.events.models import OutboxEvent
from apps.rest.permissions import ReauthenticationRequired

pytestmark = pytest.mark.django_db
NEW = {"username": "new.nurse", "email": "new@hims.test", "first_name": "New", "last_name": "Nurse", "role": "nurse"}
KEY = {"name": "Night sync", "scopes": ["patients:read"]}
WORDS = "three blue herons in the rain"


def grave(staff: dict[str, User]) -> list[tuple[str, str, Any]]:
    """Method, path and body of every change over the API that takes the password again."""
    nurse, key = f"/users/{staff['nurse'].pk}", create_api_key(staff["admin"]).key
    enable_totp(staff["nurse"])
    return [
        ("PATCH", "/auth/me", {"email": "thief@example.com"}),
        ("PUT", "/auth/me", {"email": "thief@example.com", "first_name": "A", "last_name": "B"}),
        ("PATCH", nurse, {"email": "thief@example.com"}),
        ("PUT", nurse, {"email": "thief@example.com"}),
        ("PATCH", nurse, {"role": "admin"}),
        ("PUT", nurse, {"role": "admin"}),
        ("POST", "/users", {**NEW, "role": "admin"}),
        ("POST", f"{nurse}/reset-mfa", None),
        ("POST", f"{nurse}/deactivate", None),
        ("POST", f"/users/{staff['doctor'].pk}/reactivate", None),
        ("POST", "/api-keys", KEY),
        ("POST", f"/api-keys/{key.pk}/rotate", None),
    ]


def let_the_proof_grow_old(user: User) -> None:
    """As if the person had last given the password six minutes ago, in every session."""
    Session.objects.filter(user=user).update(reauthenticated_at=clock.now() - timedelta(minutes=6))


def state(staff: dict[str, User]) -> list[Any]:
    """What a grave change would change."""
    people = User.objects.order_by("pk").values_list("pk", "email", "role", "is_active", "password")
    keys = ApiKey.objects.order_by("pk").values_list("pk", "prefix", "revoked_at")
    return [list(people), list(keys), services.mfa.selectors.has_second_factor(staff["nurse"].pk)]


def test_a_stolen_token_changes_no_account_without_the_password(staff: dict[str, User]) -> None:
    services.deactivate(by=staff["admin"], user_id=staff["doctor"].pk)
    changes, thief = grave(staff), api_client(staff["admin"])
    before = state(staff)
    let_the_proof_grow_old(staff["admin"])
    for method, path, body in changes:
        refused = thief.call(method, path, body)
        assert refused.status_code == 401, (method, path, refused.content)
        assert refused.json()["error"]["details"]["issue"] == "reauthentication_required"
    assert state(staff) == before


@pytest.mark.parametrize("number", range(12))
def test_a_user_who_gives_the_password_again_makes_the_change(staff: dict[str, User], number: int) -> None:
    services.deactivate(by=staff["admin"], user_id=staff["doctor"].pk)
    method, path, body = grave(staff)[number]
    boss = api_client(staff["admin"])
    let_the_proof_grow_old(staff["admin"])
    assert boss.call(method, path, body).status_code == 401
    assert boss.post("/auth/reauthenticate", {"password": PASSWORD}).status_code == 200
    assert boss.call(method, path, body).status_code in (200, 201)


def test_what_changes_nobodys_access_takes_no_password(staff: dict[str, User]) -> None:
    mine, others = create_api_key(staff["admin"]).key, create_api_key(staff["nurse"]).key
    boss = api_client(staff["admin"])
    let_the_proof_grow_old(staff["admin"])
    for method, path, body in (
        ("PATCH", "/auth/me", {"last_name": "Married", "email": staff["admin"].email}),
        ("PUT", f"/users/{staff['nurse'].pk}", {"last_name": "Wed", "email": staff["nurse"].email, "role": "nurse"}),
        ("DELETE", f"/api-keys/{mine.pk}", None),
        ("DELETE", f"/api-keys/{others.pk}", None),
        ("POST", f"/users/{staff['nurse'].pk}/revoke-sessions", None),
    ):
        assert boss.call(method, path, body).status_code == 200, (method, path)


def test_no_service_trusts_its_caller_to_have_asked(staff: dict[str, User]) -> None:
    boss, nurse = (
        User.objects.get(pk=staff["admin"].pk),
        staff["nurse"].pk,
    )  # as read from the database, without a confirmed password
    key = create_api_key(staff["admin"]).key
    for act in (
        lambda: services.change_staff(by=boss, user_id=nurse, changes={"email": "x@hims.test"}),
        lambda: services.change_account(by=boss, user_id=nurse, changes={"role": "admin"}),
        lambda: services.hire(by=boss, staff=NewStaff(**NEW, password=WORDS)),
        lambda: services.invite(by=boss, staff=NewStaff(**NEW)),
        lambda: services.deactivate(by=boss, user_id=nurse),
        lambda: services.reactivate(by=boss, user_id=nurse),
        lambda: services.reset_mfa(by=boss, user_id=nurse),
        lambda: services.set_password(by=boss, user_id=nurse, password=WORDS),
        lambda: services.create_key(by=boss, owner_id=boss.pk, new=services.NewKey(**KEY)),
        lambda: services.rotate_key(by=boss, key_id=key.pk),
    ):
        with pytest.raises(ReauthenticationRequired):
            act()


# At pages


def later(minutes: int = 6) -> Any:
    return time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False)


def staff_form(user: User, client: Client, **changes: str) -> dict[str, str]:
    page = client.get(reverse("admin:accounts_user_change", args=[user.pk]))
    assert page.status_code == 200
    return {name: str(value) for name, value in page.context["adminform"].form.initial.items()} | {
        "version": page.context["adminform"].form["version"].value(),
        **changes,
    }


def hidden(page: Any) -> dict[str, str]:
    return dict(page.context["kept"]) | dict([page.context["marker"]])


def test_a_page_asks_for_the_password_and_saves_what_was_typed(staff: dict[str, User]) -> None:
    client, nurse = browser(staff["admin"]), staff["nurse"]
    address = reverse("admin:accounts_user_change", args=[nurse.pk])
    with later():
        asked = client.post(address, staff_form(nurse, client, email="thief@example.com", last_name="O'Brien <b>"))
        assert "Confirm your password" in asked.content.decode()
        nurse.refresh_from_db()
        assert nurse.email == "nurse.ward@hims.test"
        fields = hidden(asked)
        wrong = client.post(address, fields | {"proof-password": "not the password"})
        assert "The password is wrong." in wrong.content.decode()
        assert hidden(wrong) == fields
        nurse.refresh_from_db()
        assert nurse.email == "nurse.ward@hims.test"
        assert client.post(address, fields | {"proof-password": PASSWORD}).status_code == 302
    nurse.refresh_from_db()
    assert (nurse.email, nurse.last_name) == ("thief@example.com", "O'Brien <b>")


def test_a_page_asks_for_the_code_too_where_there_is_a_second_factor(staff: dict[str, User]) -> None:
    client = browser(staff["admin"])
    enable_totp(staff["admin"])
    address = reverse("admin:accounts_user_deactivate", args=[staff["nurse"].pk])
    with later():
        fields = hidden(client.post(address))
        assert client.post(address, fields | {"proof-password": PASSWORD}).status_code == 200
        assert client.post(address, fields | {"proof-password": PASSWORD, "proof-code": "000000"}).status_code == 200
        assert User.objects.get(pk=staff["nurse"].pk).is_active
        assert client.post(address, fields | {"proof-password": PASSWORD, "proof-code": code()}).status_code == 302
    assert not User.objects.get(pk=staff["nurse"].pk).is_active


def test_every_page_that_changes_an_account_asks_before_it_shows_its_form(staff: dict[str, User]) -> None:
    services.deactivate(by=staff["admin"], user_id=staff["doctor"].pk)
    key, equipped = create_api_key(staff["admin"]).key, enable_totp(staff["nurse"])
    client = browser(staff["admin"])
    actions = [("user_set_password", equipped), ("user_reset_mfa", equipped), ("user_deactivate", equipped)]
    rows = [*actions, ("user_reactivate", staff["doctor"]), ("apikey_rotate", key)]
    addresses = [reverse(f"admin:accounts_{name}", args=[row.pk]) for name, row in rows]
    addresses += [reverse("admin:accounts_user_add"), reverse("admin:accounts_apikey_add")]
    before = state(staff)
    with later():
        for address in addresses:
            for asked in (client.get(address), client.post(address, {"password": WORDS, "again": WORDS})):
                assert "Confirm your password" in asked.content.decode(), address
                assert WORDS not in asked.content.decode()
        assert state(staff) == before
        proven = client.post(addresses[0], {"proof-of": "GET", "proof-password": PASSWORD})
        assert (proven.status_code, proven.headers["Location"]) == (302, addresses[0])
        for address in addresses:
            assert "Confirm your password" not in client.get(address).content.decode(), address


def test_revoking_a_key_at_a_page_takes_no_password(staff: dict[str, User]) -> None:
    key, client = create_api_key(staff["nurse"]).key, browser(staff["admin"])
    with later():
        assert client.post(reverse("admin:accounts_apikey_revoke", args=[key.pk])).status_code == 302
    assert ApiKey.objects.get(pk=key.pk).revoked_at is not None


def test_ten_wrong_passwords_in_a_row_end_the_browsers_session(staff: dict[str, User], settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 10.0
    client, address = browser(staff["admin"]), reverse("admin:accounts_user_deactivate", args=[staff["nurse"].pk])
    with later():
        for _ in range(10):
            last = client.post(address, {"proof-of": "POST", "proof-password": "wrong"})
    assert (last.status_code, last.headers["Location"]) == (302, reverse("admin:login"))
    assert client.get("/admin/").status_code == 302


def test_the_sixth_wrong_password_within_a_minute_is_not_looked_at(staff: dict[str, User]) -> None:
    client, address = browser(staff["admin"]), reverse("admin:accounts_user_deactivate", args=[staff["nurse"].pk])
    with later():
        statuses = [client.post(address, {"proof-of": "POST", "proof-password": "wrong"}).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


# Keys and passwords


def test_a_reset_by_link_revokes_every_key_of_the_account(staff: dict[str, User]) -> None:
    mine, others = create_api_key(staff["nurse"]).key, create_api_key(staff["doctor"]).key
    token = services.create_password_link(user_id=staff["nurse"].pk).partition("token=")[2]
    services.reset_password(token=token, password=WORDS)
    assert ApiKey.objects.get(pk=mine.pk).revoked_at is not None
    assert ApiKey.objects.get(pk=others.pk).revoked_at is None
    assert OutboxEvent.objects.get(name="api_key.revoked").payload["reason"] == "password_reset"


@pytest.mark.parametrize(
    ("sent", "revoked"), [({}, False), ({"revoke_api_keys": False}, False), ({"revoke_api_keys": True}, True)]
)
def test_a_change_of_password_revokes_the_keys_where_it_says_so(
    staff: dict[str, User], sent: dict[str, Any], revoked: bool
) -> None:
    key = create_api_key(staff["nurse"]).key
    body = {"current_password": PASSWORD, "new_password": WORDS, **sent}
    assert api_client(staff["nurse"]).post("/auth/password/change", body).status_code == 200
    assert (ApiKey.objects.get(pk=key.pk).revoked_at is not None) == revoked


@pytest.mark.parametrize("ticked", [False, True])
def test_the_page_of_ones_own_password_offers_to_revoke_the_keys(staff: dict[str, User], ticked: bool) -> None:
    key, client = create_api_key(staff["nurse"]).key, browser(staff["nurse"])
    address = reverse("admin:password_change")
    assert 'name="revoke_api_keys"' in client.get(address).content.decode()
    sent = {"old_password": PASSWORD, "new_password1": WORDS, "new_password2": WORDS} | (
        {"revoke_api_keys": "on"} if ticked else {}
    )
    assert client.post(address, sent).status_code == 302
    assert (ApiKey.objects.get(pk=key.pk).revoked_at is not None) == ticked


def test_a_role_change_ends_the_session_so_the_old_token_gets_401(staff: dict[str, User]) -> None:
    nurse, boss = api_client(staff["nurse"]), api_client(staff["admin"])
    assert nurse.get("/patients").status_code == 200
    assert boss.put(f"/users/{staff['nurse'].pk}", {"role": "billing"}).status_code == 200
    refused = nurse.get("/patients")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "AUTHENTICATION_ERROR")
    assert api_client(staff["nurse"]).get("/auth/me").json()["data"]["user"]["role"] == "billing"


# Another person's key


def test_the_text_of_another_persons_key_is_never_shown(staff: dict[str, User]) -> None:
    made, boss, client = create_api_key(staff["doctor"]), api_client(staff["admin"]), browser(staff["admin"])
    before = ApiKey.objects.get(pk=made.key.pk)
    refused = boss.post(f"/api-keys/{made.key.pk}/rotate")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AUTHORIZATION_ERROR")
    rotate = reverse("admin:accounts_apikey_rotate", args=[made.key.pk])
    assert [client.get(rotate).status_code, client.post(rotate).status_code] == [403, 403]
    shown = client.get(reverse("admin:accounts_apikey_change", args=[made.key.pk])).content.decode()
    assert rotate not in shown
    assert reverse("admin:accounts_apikey_revoke", args=[made.key.pk]) in shown
    for page in (shown, boss.get(f"/api-keys/{made.key.pk}").content.decode(), boss.get("/api-keys").content.decode()):
        assert made.text not in page
    with pytest.raises(services.api_keys.Forbidden):
        services.create_key(by=staff["admin"], owner_id=staff["doctor"].pk, new=services.NewKey(**KEY))
    assert ApiKey.objects.get(pk=made.key.pk).prefix == before.prefix
    assert ApiClient(Client(), made.text).get("/patients").status_code == 200
