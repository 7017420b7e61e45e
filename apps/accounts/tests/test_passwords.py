"""Choosing, changing, forgetting and resetting passwords; enumeration; the sessions one has open."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import get_hasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.access.actor import SYSTEM
from apps.accounts import rules, services
from apps.accounts.events import PasswordResetRequested
from apps.accounts.listeners import process_reset_request
from apps.accounts.models import PasswordLink, Session, User
from apps.accounts.tests.authenticator import enable_totp
from apps.accounts.tests.factories import PASSWORD, api_client, browser, hire
from apps.common.errors import NotFound
from apps.events.models import OutboxEvent

pytestmark = pytest.mark.django_db
NEW = "three blue herons in the rain"


def token_of(user: User, purpose: str = "reset") -> str:
    return services.create_password_link(user_id=user.pk, purpose=purpose).partition("token=")[2]


def reset(token: str, password: str = NEW, **headers: str) -> Any:
    return api_client().post("/auth/password/reset", {"token": token, "new_password": password}, **headers)


def works(username: str, password: str) -> bool:
    return api_client().post("/auth/login", {"username": username, "password": password}).status_code == 200


def weakness(password: str, **more: Any) -> str | None:
    known = {"with_mfa": False, "own": ["nora.jones", "Nora", "Jones", "nora@hims.com"], "is_common": {"dragon"}.__contains__}
    return rules.weakness(password, **(known | more))


@pytest.mark.parametrize(
    "password",
    [
        NEW,
        "пять синих цапель",
        "correct horse battery staple",
        "1 nurse 2 doctors 3 herons",
        "x" * 10 + "yzabcdq!",
        "🦆🦢🦉🦚🦜" * 3,
        " leading and trailing ",
        "a9" * 30 + "bcd" + "q" * 65,
    ],
)
def test_a_long_pass_phrase_of_any_characters_is_good(password: str) -> None:
    assert weakness(password) is None


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("fourteen chars", "too short"),
        ("x1" * 65, "too long"),
        ("dragon1234567890", "too common"),
        ("dragondragondragon", "too common"),
        ("!!!Dragon!!!!!!!!!!!", "too common"),
        ("aaaaaaaaaaaaaaaaaa", "too easy"),
        ("abcdefghijklmnopqrst", "too easy"),
        ("987654321098765432", "too easy"),
        ("qwertyuiopasdfghjkl", "too easy"),
        ("Nora.Jones.Nora.Jones", "too easy"),
        ("arocord-hims-clinic-2025", "too easy"),
        ("HospitalHospital99", "too easy"),
        ("nora@hims.com!!", "too easy"),
    ],
)
def test_an_easy_password_is_refused_with_the_reason(password: str, why: str) -> None:
    assert why in (weakness(password) or "")


def test_eight_characters_do_with_a_second_factor() -> None:
    assert "too short" in (weakness("h3ron-zz") or "")
    assert weakness("h3ron-zz", with_mfa=True) is None
    assert "too short" in (weakness("h3ron-z", with_mfa=True) or "")


def test_nothing_of_a_long_password_is_cut_off() -> None:
    user = hire()
    long = "heron " * 21 + "ab"
    services.set_password(by=SYSTEM, user_id=user.pk, password=long)
    assert (works("nurse.ward", long), works("nurse.ward", long[:-1])) == (True, False)


def test_djangos_list_of_common_passwords_counts() -> None:
    user = hire()
    reply = api_client(user).post("/auth/password/change", {"current_password": PASSWORD, "new_password": "trustno1trustno1"})
    assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, "new_password")
    assert "too common" in reply.json()["error"]["details"]["issue"]


def test_changing_ones_password_keeps_this_session_and_ends_all_others() -> None:
    user = hire()
    me, other, window = api_client(user), api_client(user), browser(user)
    wrong = me.post("/auth/password/change", {"current_password": "wrong", "new_password": NEW})
    assert (wrong.status_code, wrong.json()["error"]["details"]["field"]) == (401, "current_password")
    same = me.post("/auth/password/change", {"current_password": PASSWORD, "new_password": PASSWORD})
    assert (same.status_code, same.json()["error"]["details"]["field"]) == (400, "new_password")
    done = me.post("/auth/password/change", {"current_password": PASSWORD, "new_password": NEW})
    assert done.json() == {"success": True, "data": {"password_changed": True}}
    assert (me.get("/auth/me").status_code, other.get("/auth/me").status_code) == (200, 401)
    assert window.get("/admin/").status_code == 302
    assert (works("nurse.ward", NEW), works("nurse.ward", PASSWORD)) == (True, False)


def test_a_short_password_without_its_second_factor_holds_the_session_back() -> None:
    user = enable_totp(hire())
    services.set_password(by=SYSTEM, user_id=user.pk, password="h3ron-zz")
    services.reset_mfa(by=hire("boss", "admin"), user_id=user.pk)
    reply = api_client().post("/auth/login", {"username": user.username, "password": "h3ron-zz"})
    assert reply.json()["data"]["mfa_enrollment_required"] is True
    me = api_client()
    me.token = reply.json()["data"]["tokens"]["access_token"]
    assert me.get("/auth/me").status_code == 403
    change = {"current_password": "h3ron-zz", "new_password": NEW}
    assert me.post("/auth/password/change", change).status_code == 200
    assert me.get("/auth/me").status_code == 200


def ask(**body: str) -> Any:
    return api_client().post("/auth/password/forgot", body)


def test_forgetting_is_answered_alike_for_an_account_and_for_none_with_the_same_statements() -> None:
    user = hire()
    ask(email="warm@up.test")
    replies, statements = [], []
    for body in ({"email": user.email}, {"email": "nobody@hims.test"}, {"username": user.username}, {"username": "nobody"}):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            replies.append(ask(**body))
        statements.append([re.sub(r"'[^']*'|\d+", "?", query["sql"])[:60] for query in queries])
    assert {(reply.status_code, reply.content) for reply in replies} == {(200, b'{"success":true,"data":{"accepted":true}}')}
    assert all(one == statements[0] for one in statements)
    assert not any("accounts_user" in sql for sql in statements[0])


def test_only_an_account_is_asked_a_link_for_and_the_fact_holds_no_token_and_no_name() -> None:
    user, closed = hire(), hire("closed")
    services.deactivate(by=SYSTEM, user_id=closed.pk)
    for body in ({"email": user.email.upper()}, {"username": "nobody"}, {"username": "closed"}):
        ask(**body)
    for row in OutboxEvent.objects.filter(name="password.help_asked"):
        assert "nurse" not in str(row.payload)
        process_reset_request(PasswordResetRequested(**row.payload))
    assert OutboxEvent.objects.get(name="password.reset_asked").payload == {"user_id": str(user.pk)}


def test_an_account_is_mailed_no_more_than_five_links_an_hour() -> None:
    user = hire()
    for _ in range(5):
        token_of(user)
    ask(email=user.email)
    process_reset_request(PasswordResetRequested(**OutboxEvent.objects.get(name="password.help_asked").payload))
    assert not OutboxEvent.objects.filter(name="password.reset_asked").exists()


@pytest.mark.parametrize("body", [{}, {"email": "a@b.test", "username": "a"}, {"email": ""}])
def test_forgetting_wants_one_of_the_two(body: dict[str, str]) -> None:
    assert ask(**body).status_code == 400


def test_a_link_is_used_once_and_ends_every_session() -> None:
    user = hire()
    me, window, first, second = api_client(user), browser(user), token_of(user), token_of(user)
    assert reset(first, "short").json()["error"]["details"]["field"] == "new_password"
    assert reset(first).status_code == 200
    assert me.get("/auth/me").status_code == 401
    assert window.get("/admin/").status_code == 302
    assert works("nurse.ward", NEW)
    for spent in (first, second):
        assert reset(spent).json()["error"]["details"]["field"] == "token"


def test_a_reset_leaves_the_second_factor_in_place() -> None:
    user = enable_totp(hire())
    reset(token_of(user))
    reply = api_client().post("/auth/login", {"username": user.username, "password": NEW})
    assert reply.json()["error"]["details"]["issue"] == "mfa_required"


@pytest.mark.parametrize(("purpose", "lives"), [("reset", timedelta(minutes=30)), ("invitation", timedelta(days=7))])
def test_a_link_expires(purpose: str, lives: timedelta, time_machine: Any) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    token = token_of(hire(), purpose)
    time_machine.shift(lives - timedelta(seconds=1))
    assert services.is_valid_link(token)
    time_machine.shift(timedelta(seconds=1))
    assert reset(token).status_code == 400


@pytest.mark.parametrize("token", ["x", "", "a" * 43, "a" * 300])
def test_a_made_up_token_opens_nothing(token: str) -> None:
    hire()
    assert reset(token).status_code == 400


def test_no_link_is_made_for_a_user_who_left() -> None:
    user = hire()
    token = token_of(user)
    services.deactivate(by=SYSTEM, user_id=user.pk)
    assert reset(token).status_code == 400
    with pytest.raises(NotFound):
        token_of(user)


def test_no_mailed_link_survives_a_new_password_or_a_closed_account() -> None:
    user, other = hire(), hire("other")
    tokens = [token_of(user), token_of(user, "invitation")]
    services.change_password(by=user, session_id=None, current=PASSWORD, new=NEW)
    assert [reset(token).status_code for token in tokens] == [400, 400]
    token = token_of(user)
    services.set_password(by=SYSTEM, user_id=user.pk, password=f"{NEW} again")
    assert reset(token).status_code == 400
    token = token_of(user)
    services.deactivate(by=SYSTEM, user_id=user.pk)
    services.reactivate(by=SYSTEM, user_id=user.pk)
    assert reset(token).status_code == 400
    assert reset(token_of(other)).status_code == 200


def test_a_link_names_our_address_whatever_host_was_claimed(settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.HIMS_BASE_URL = ["*"], "https://hims.clinic.example"
    user = hire()
    api_client().post(
        "/auth/password/forgot", {"email": user.email}, HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="evil.example"
    )
    assert "evil" not in str(list(OutboxEvent.objects.values()))
    link = services.create_password_link(user_id=user.pk)
    assert re.fullmatch(r"https://hims\.clinic\.example/admin/password-reset/\?token=[\w-]{43}", link)
    assert bytes(PasswordLink.objects.get().token_hash) not in link.encode()


def test_the_mailed_link_works_in_a_browser() -> None:
    user, client = hire(), Client()
    address = services.create_password_link(user_id=user.pk).partition("127.0.0.1:8000")[2]
    page = client.get(address)
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    token = address.partition("token=")[2]
    answers = {"token": token, "password": NEW, "again": NEW}
    assert "too short" in client.post("/admin/password-reset/", answers | {"password": "x", "again": "x"}).content.decode()
    assert client.post("/admin/password-reset/", answers).status_code == 302
    assert "is invalid" in client.get(address).content.decode()
    assert works("nurse.ward", NEW)


def test_the_page_for_the_forgetful_gives_nothing_away() -> None:
    user = hire()
    bodies = [Client().post("/admin/password-forgot/", {"identifier": text}).content for text in (user.email, "nobody@hims.test")]
    assert bodies[0] == bodies[1]
    assert OutboxEvent.objects.filter(name="password.help_asked").count() == 2


def test_names_and_passwords_cost_the_same_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    hire(), enable_totp(hire("with.mfa")), services.deactivate(by=SYSTEM, user_id=hire("closed").pk)
    User.objects.filter(username="with.mfa").update(password=User.objects.get(username="nurse.ward").password)
    kind, hashes = type(get_hasher()), []
    for work in ("encode", "verify"):
        plain = getattr(kind, work)
        monkeypatch.setattr(kind, work, lambda *args, plain=plain: hashes.append(1) or plain(*args))
    counts = {}
    for name in ("nobody", "nurse.ward", "with.mfa", "closed"):
        hashes.clear()
        assert not works(name, "wrong")
        counts[name] = len(hashes)
    assert set(counts.values()) == {1}, counts


def test_the_sessions_one_has_open_are_listed_and_ended() -> None:
    user, other = hire(), hire("other")
    me, second, third, stranger = api_client(user), api_client(user), api_client(user), api_client(other)
    listed = me.get("/auth/sessions").json()["data"]
    assert listed["pagination"]["total"] == 3
    assert [row["current"] for row in listed["sessions"]].count(True) == 1
    other_one = next(row["id"] for row in listed["sessions"] if not row["current"])
    assert stranger.call("DELETE", f"/auth/sessions/{other_one}").status_code == 404
    assert api_client(hire("boss", "admin")).call("DELETE", f"/auth/sessions/{other_one}").status_code == 404
    ended = me.call("DELETE", f"/auth/sessions/{other_one}").json()["data"]["session"]
    assert (ended["id"], ended["ended_at"] is None) == (other_one, False)
    assert me.call("DELETE", f"/auth/sessions/{other_one}").status_code == 409
    assert me.call("DELETE", "/auth/sessions").json()["data"] == {"ended": 1}
    assert [one.get("/auth/me").status_code for one in (me, second, third, stranger)] == [200, 401, 401, 200]


def test_ending_all_others_ends_those_in_browsers() -> None:
    user = hire()
    me, window = api_client(user), browser(user)
    me.call("DELETE", "/auth/sessions")
    assert window.get("/admin/").status_code == 302


def test_a_reactivated_user_finds_no_old_session_alive() -> None:
    user = hire()
    me, window = api_client(user), browser(user)
    services.deactivate(by=SYSTEM, user_id=user.pk)
    services.reactivate(by=SYSTEM, user_id=user.pk)
    assert (me.get("/auth/me").status_code, window.get("/admin/").status_code) == (401, 302)
    assert not Session.objects.filter(ended_at=None).exists()


def test_the_list_of_sessions_costs_the_same_however_many(django_assert_max_num_queries: Any) -> None:
    user = hire()
    me, *_ = [api_client(user) for _ in range(12)]
    with django_assert_max_num_queries(3):
        assert me.get("/auth/sessions").status_code == 200
