"""API keys: made once, shown once, and what becomes of them."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.access.actor import SYSTEM
from apps.accounts import services
from apps.accounts.models import ApiKey, ApiKeySecret, User
from apps.accounts.tests.factories import api_client, api_key_client, create_api_key, hire
from apps.audit.models import AuditEvent
from apps.common.tests.concurrency import run_concurrently
from apps.events.models import OutboxEvent

pytestmark = pytest.mark.django_db

KEYS = {
    *("id", "user_id", "name", "prefix", "last4", "status", "scopes", "expires_at", "allowed_cidrs", "last_used_at"),
    *("created_at", "revoked_at"),
}
BODY = {"name": "Night sync", "scopes": ["patients:read"]}


def make(user: User, **more: Any) -> dict[str, Any]:
    reply = api_client(user).post("/api-keys", BODY | more)
    assert reply.status_code == 201, reply.content
    return reply.json()["data"]["api_key"]


def test_a_key_is_shown_once_and_opens_the_door_its_scope_names(staff: dict[str, User]) -> None:
    reply = api_client(staff["nurse"]).post("/api-keys", BODY)
    made = reply.json()["data"]["api_key"]
    assert (reply.status_code, reply.headers["Location"]) == (201, f"/v1/api-keys/{made['id']}")
    assert set(made) == KEYS | {"key"}
    assert made["key"].startswith("hims_test_")
    assert made["key"].startswith(made["prefix"])
    assert made["key"].endswith(made["last4"])
    assert api_key_client(made["key"]).get("/patients").status_code == 200
    assert api_client().get("/patients", HTTP_X_API_KEY=made["key"]).status_code == 200
    for path in ("/api-keys", reply.headers["Location"].removeprefix("/v1")):
        again = api_client(staff["nurse"]).get(path)
        assert again.status_code == 200
        assert made["key"] not in again.content.decode()
        assert '"key"' not in again.content.decode()


def test_the_text_of_a_key_is_nowhere_in_the_database(staff: dict[str, User]) -> None:
    text = make(staff["nurse"])["key"]
    api_key_client(text).get("/patients")
    api_key_client(text).post("/patients", {})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" row WHERE row::text LIKE %s', [f"%{text[16:-4]}%"])
            assert cursor.fetchone() == (0,), table
    assert bytes(ApiKeySecret.objects.get().secret_hash) == hashlib.sha256(text.encode()).digest()


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["patients:burn"]}, "scopes"),
        ({"scopes": "patients:read"}, "scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"allowed_cidrs": ["10.0.0.0/8", "10.0.0.5/24"]}, "allowed_cidrs[1]"),
        pytest.param({"user_id": str(uuid4())}, "user_id", id="nobody"),
    ],
    ids=str,
)
def test_a_wrong_wish_names_its_field(staff: dict[str, User], more: dict[str, Any], field: str) -> None:
    reply = api_client(staff["nurse"]).post("/api-keys", BODY | more)
    assert reply.status_code == 400
    assert reply.json()["error"]["details"]["field"].startswith(field)
    assert not ApiKey.objects.exists()


def test_a_key_that_expires_works_until_then(staff: dict[str, User]) -> None:
    until = timezone.now() + timedelta(days=1)
    key = api_key_client(create_api_key(staff["nurse"], expires_at=until).text)
    with time_machine.travel(until - timedelta(seconds=1), tick=False):
        assert key.get("/patients").status_code == 200
    with time_machine.travel(until, tick=False):
        refused = key.get("/patients")
    assert refused.status_code == 401
    assert "expired" in refused.json()["error"]["message"]


def test_a_revoked_key_is_refused_at_once_and_cannot_be_revoked_twice(staff: dict[str, User]) -> None:
    made = create_api_key(staff["nurse"])
    key, owner = api_key_client(made.text), api_client(staff["nurse"])
    assert key.get("/patients").status_code == 200
    gone = owner.call("DELETE", f"/api-keys/{made.key.pk}")
    assert (gone.status_code, gone.json()["data"]["api_key"]["status"]) == (200, "revoked")
    refused = key.get("/patients")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "revoked" in refused.json()["error"]["message"]
    assert owner.call("DELETE", f"/api-keys/{made.key.pk}").status_code == 409
    assert owner.post(f"/api-keys/{made.key.pk}/rotate").status_code == 409


def test_after_a_rotation_the_old_text_works_for_another_day(staff: dict[str, User]) -> None:
    made, start = create_api_key(staff["nurse"], "patients:read"), timezone.now()
    reply = api_client(staff["nurse"]).post(f"/api-keys/{made.key.pk}/rotate")
    fresh = reply.json()["data"]["api_key"]
    assert reply.status_code == 200
    assert set(fresh) == KEYS | {"key"}
    assert (fresh["id"], fresh["scopes"]) == (str(made.key.pk), ["patients:read"])
    assert fresh["key"] != made.text
    assert fresh["key"].startswith(fresh["prefix"])
    old, new = api_key_client(made.text), api_key_client(fresh["key"])
    assert [old.get("/patients").status_code, new.get("/patients").status_code] == [200, 200]
    with time_machine.travel(start + timedelta(hours=23, minutes=59), tick=False):
        assert old.get("/patients").status_code == 200
    with time_machine.travel(start + timedelta(hours=24, minutes=1), tick=False):
        refused = old.get("/patients")
        assert (refused.status_code, new.get("/patients").status_code) == (401, 200)
        assert "rotated" in refused.json()["error"]["message"]


def test_revoking_a_rotated_key_ends_both_its_texts(staff: dict[str, User]) -> None:
    made = create_api_key(staff["nurse"])
    fresh = services.rotate_key(by=staff["nurse"], key_id=made.key.pk)
    services.revoke_key(by=staff["nurse"], key_id=made.key.pk)
    assert {api_key_client(text).get("/patients").status_code for text in (made.text, fresh.text)} == {401}


def test_a_key_of_another_user_is_not_found_and_an_administrator_manages_all(staff: dict[str, User]) -> None:
    made = create_api_key(staff["nurse"])
    other, boss = api_client(staff["doctor"]), api_client(staff["admin"])
    assert other.get("/api-keys").json()["data"]["api_keys"] == []
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
        assert other.call(method, f"/api-keys/{made.key.pk}{path}").status_code == 404
    assert api_key_client(made.text).get("/patients").status_code == 200
    assert [row["user_id"] for row in boss.get("/api-keys").json()["data"]["api_keys"]] == [str(staff["nurse"].pk)]
    assert boss.get(f"/api-keys/{made.key.pk}").status_code == 200
    assert boss.call("DELETE", f"/api-keys/{made.key.pk}").status_code == 200


def test_keys_are_listed_by_state_and_the_list_asks_three_questions(staff: dict[str, User]) -> None:
    over = timezone.now() + timedelta(minutes=1)
    for number in range(4):
        create_api_key(staff["nurse"], expires_at=over if number == 0 else None)
    revoked = create_api_key(staff["nurse"])
    services.revoke_key(by=staff["nurse"], key_id=revoked.key.pk)
    me = api_client(staff["nurse"])
    with time_machine.travel(over + timedelta(seconds=1), tick=False):
        rows_by_state = {
            state: me.get(f"/api-keys?status={state}").json()["data"]["api_keys"] for state in ("active", "expired", "revoked")
        }
        expired_or_revoked = me.get("/api-keys?status=expired&status=revoked").json()["data"]["api_keys"]
    assert {state: len(rows) for state, rows in rows_by_state.items()} == {"active": 3, "expired": 1, "revoked": 1}
    assert all(row["status"] == state for state, rows in rows_by_state.items() for row in rows)
    assert {row["status"] for row in expired_or_revoked} == {"expired", "revoked"}
    with CaptureQueriesContext(connection) as asked:
        assert me.get("/api-keys").json()["data"]["pagination"]["total"] == 5
    assert len(asked) == 3  # who asks, how many, which


def test_a_key_is_recognised_by_one_statement_on_its_hash(staff: dict[str, User]) -> None:
    key = api_key_client(create_api_key(staff["nurse"]).text)
    key.get("/version")
    with CaptureQueriesContext(connection) as asked:
        key.get("/version")
    (one,) = asked
    assert "secret_hash = " in one["sql"]


def test_the_last_use_is_written_once_a_minute(staff: dict[str, User]) -> None:
    made, start = create_api_key(staff["nurse"]), timezone.now()
    assert made.key.last_used_at is None
    for seconds, written in ((0, 0), (30, 0), (59, 0), (61, 61), (90, 61)):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            api_key_client(made.text).get("/patients")
        made.key.refresh_from_db()
        assert made.key.last_used_at == start + timedelta(seconds=written)


def test_a_key_dies_with_its_owners_account_and_does_not_come_back(staff: dict[str, User]) -> None:
    key = api_key_client(create_api_key(staff["nurse"]).text)
    User.objects.filter(pk=staff["nurse"].pk).update(is_active=False)
    assert key.get("/patients").status_code == 401
    User.objects.filter(pk=staff["nurse"].pk).update(is_active=True)
    assert key.get("/patients").status_code == 200
    services.deactivate(by=staff["admin"], user_id=staff["nurse"].pk)
    services.reactivate(by=staff["admin"], user_id=staff["nurse"].pk)
    assert key.get("/patients").status_code == 401
    assert OutboxEvent.objects.get(name="api_key.revoked").payload["reason"] == "owner_deactivated"


def test_a_key_follows_its_owners_role_from_the_next_request_on(staff: dict[str, User]) -> None:
    key = api_key_client(create_api_key(staff["nurse"], "appointments:read").text)
    assert key.get("/rooms").status_code == 200
    services.change_staff(by=staff["admin"], user_id=staff["nurse"].pk, changes={"role": "pharmacist"})
    refused = key.get("/rooms")
    assert refused.status_code == 403
    assert "required_scope" not in refused.json()["error"]["details"]


def test_a_key_from_a_foreign_address_is_refused_in_a_sentence_and_on_record(staff: dict[str, User]) -> None:
    made = create_api_key(staff["nurse"], allowed_cidrs=["203.0.113.0/24", "2001:db8::/32"])
    for address, status in (("203.0.113.7", 200), ("2001:db8::1", 200), ("198.51.100.1", 403), ("127.0.0.1", 403)):
        assert api_key_client(made.text).get("/patients", REMOTE_ADDR=address).status_code == status
    refused = api_key_client(made.text).get("/patients", REMOTE_ADDR="198.51.100.1")
    assert refused.json()["error"]["code"] == "AUTHORIZATION_ERROR"
    assert "198.51.100.1" in refused.json()["error"]["message"]
    row = AuditEvent.objects.filter(outcome="denied", request_id=refused.headers["X-Request-ID"]).get()
    assert (row.user_id, row.detail["api_key"], row.ip) == (staff["nurse"].pk, made.key.prefix, "198.51.100.1")


def test_the_address_is_the_clients_and_not_the_proxys(staff: dict[str, User], settings: Any) -> None:
    settings.HIMS_TRUSTED_PROXIES = 1
    key = api_key_client(create_api_key(staff["nurse"], allowed_cidrs=["203.0.113.0/24"]).text)
    assert key.get("/patients", HTTP_X_FORWARDED_FOR="203.0.113.7").status_code == 200
    assert key.get("/patients", HTTP_X_FORWARDED_FOR="203.0.113.7, 198.51.100.1").status_code == 403


def test_two_different_credentials_in_one_request_are_refused(staff: dict[str, User]) -> None:
    one, two = create_api_key(staff["nurse"]).text, create_api_key(staff["doctor"]).text
    session = api_client(staff["nurse"])
    for replies in (
        session.get("/patients", HTTP_X_API_KEY=one),
        api_key_client(two).get("/patients", HTTP_X_API_KEY=one),
        api_client().get("/patients", HTTP_X_API_KEY=one, HTTP_AUTHORIZATION="Basic eDp5"),
    ):
        assert replies.status_code == 400
        assert replies.json()["error"]["details"]["field"] == "X-API-Key"
    assert api_key_client(one).get("/patients", HTTP_X_API_KEY=one).status_code == 200


def test_one_credential_in_both_headers_is_one(staff: dict[str, User]) -> None:
    session, key = api_client(staff["nurse"]), create_api_key(staff["nurse"]).text
    assert session.get("/patients", HTTP_X_API_KEY=session.token).status_code == 200
    assert api_key_client(key).get("/patients", HTTP_X_API_KEY=key).status_code == 200
    assert (
        api_client().get("/patients", HTTP_X_API_KEY="none-of-ours", HTTP_AUTHORIZATION="Bearer none-of-ours").status_code == 401
    )


def test_a_key_for_another_kind_of_installation_says_so(staff: dict[str, User], settings: Any) -> None:
    test = create_api_key(staff["nurse"]).text
    live = api_client().get("/patients", HTTP_X_API_KEY="hims_live_" + "0" * 48)
    assert live.status_code == 401
    assert "live key" in live.json()["error"]["message"]
    assert "hims_test_" in live.json()["error"]["message"]
    settings.HIMS_ENV = "production"
    assert create_api_key(staff["nurse"]).text.startswith("hims_live_")
    refused = api_key_client(test).get("/patients")
    assert refused.status_code == 401
    assert "test key" in refused.json()["error"]["message"]


@pytest.mark.parametrize("text", ["hims_test_" + "0" * 48, "hims_test_x", "hims_", "x", "\x00", "é" * 60, "a, b"])
def test_what_is_no_key_of_ours_opens_nothing(staff: dict[str, User], text: str) -> None:
    reply = api_client().get("/patients", HTTP_X_API_KEY=text)
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "AUTHENTICATION_ERROR")


def test_a_hash_read_from_the_database_is_no_key(staff: dict[str, User]) -> None:
    text = create_api_key(staff["nurse"]).text
    assert api_key_client(f"hims_test_{hashlib.sha256(text.encode()).hexdigest()[:48]}").get("/patients").status_code == 401


def test_the_trail_says_who_and_through_which_key(staff: dict[str, User]) -> None:
    made = create_api_key(staff["receptionist"])
    born = {"first_name": "Ann", "last_name": "Lee", "date_of_birth": "1990-01-31", "gender": "female"}
    assert api_key_client(made.text).post("/patients", born).status_code == 201
    row = AuditEvent.objects.get(action="patient.registered")
    assert (row.user_id, row.role, row.purpose) == (staff["receptionist"].pk, "receptionist", "")
    assert row.detail["api_key"] == made.key.prefix
    api_client(staff["receptionist"]).get("/patients")
    assert "api_key" not in AuditEvent.objects.filter(action="patient.searched").get().detail


def test_a_dead_key_that_still_calls_is_on_record(staff: dict[str, User]) -> None:
    made = create_api_key(staff["nurse"])
    services.revoke_key(by=staff["nurse"], key_id=made.key.pk)
    api_key_client(made.text).get("/patients")
    row = AuditEvent.objects.get(action="api_key.refused")
    assert (row.outcome, row.object_id, row.detail["api_key"]) == ("denied", made.key.pk, made.key.prefix)


def test_refusals_of_one_key_are_audited_ten_times_a_minute_and_never_let_through(staff: dict[str, User]) -> None:
    dead, blocked = create_api_key(staff["nurse"]), create_api_key(staff["nurse"], allowed_cidrs=["203.0.113.0/24"])
    services.revoke_key(by=staff["nurse"], key_id=dead.key.pk)
    for made, status in ((dead, 401), (blocked, 403)):
        assert {api_key_client(made.text).get("/patients").status_code for _ in range(12)} == {status}
        denied = AuditEvent.objects.filter(outcome="denied", detail__api_key=made.key.prefix)
        assert denied.count() == 10


def test_each_key_has_a_limit_of_its_own(staff: dict[str, User], settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 0.01  # one search a minute
    one, two = (api_key_client(create_api_key(staff["nurse"]).text) for _ in range(2))
    assert [one.get("/patients").status_code, one.get("/patients").status_code, two.get("/patients").status_code] == [
        200,
        429,
        200,
    ]
    assert api_client(staff["nurse"]).get("/patients").status_code == 200


def test_guessing_keys_is_counted_by_address(staff: dict[str, User], settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 0.004  # two requests a minute
    statuses = [api_client().get("/doctors", HTTP_X_API_KEY=f"hims_test_{number:048x}").status_code for number in range(3)]
    assert statuses == [401, 401, 429]


def test_making_rotating_and_revoking_are_announced_and_on_record(staff: dict[str, User]) -> None:
    made = create_api_key(staff["nurse"], "patients:read")
    services.rotate_key(by=staff["nurse"], key_id=made.key.pk)
    services.revoke_key(by=staff["nurse"], key_id=made.key.pk)
    for name in ("api_key.made", "api_key.rotated", "api_key.revoked"):
        fact = OutboxEvent.objects.get(name=name)
        assert fact.payload["user_id"] == str(staff["nurse"].pk)
        assert AuditEvent.objects.get(action=name).object_id == made.key.pk


def test_a_person_has_only_so_many_keys(staff: dict[str, User], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.api_keys, "MAX_KEYS", 2)
    first = create_api_key(staff["nurse"])
    create_api_key(staff["nurse"])
    with pytest.raises(services.TooManyKeys):
        create_api_key(staff["nurse"])
    services.revoke_key(by=staff["nurse"], key_id=first.key.pk)
    create_api_key(staff["nurse"])


@pytest.mark.django_db(transaction=True)
def test_of_ten_rotations_at_once_each_leaves_one_current_text() -> None:
    nurse = hire()
    made = create_api_key(nurse)
    texts = run_concurrently(10, lambda _: services.rotate_key(by=nurse, key_id=made.key.pk).text)
    assert len(set(texts)) == 10
    assert ApiKeySecret.objects.filter(api_key=made.key, ends_at=None).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"scopes": []},
        {"scopes": ["patients:burn"]},
        {"prefix": "sk_live_abcdef"},
        pytest.param({"expires_at": timezone.now() - timedelta(days=1)}, id="expired"),
    ],
    ids=str,
)
def test_the_database_itself_refuses_a_key_that_cannot_be(staff: dict[str, User], wrong: dict[str, Any]) -> None:
    made = create_api_key(staff["nurse"])
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=made.key.pk).update(**wrong)


def test_the_database_itself_keeps_one_current_text_a_key(staff: dict[str, User]) -> None:
    made = create_api_key(staff["nurse"])
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKeySecret.objects.create(secret_hash=b"x" * 32, api_key=made.key, issued_at=timezone.now())


def test_a_key_is_not_made_for_a_user_who_left() -> None:
    gone = hire()
    services.deactivate(by=SYSTEM, user_id=gone.pk)
    with pytest.raises(services.api_keys.NotFound):
        create_api_key(gone)
