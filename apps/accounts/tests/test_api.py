"""Sign-in, tokens, oneself and doctors over HTTP."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from apps.accounts.authentication.signing_keys import key_id
from apps.accounts.models import Session, User
from apps.accounts.tests.factories import PASSWORD, api_client, hire
from apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db

USER_KEYS = {"id", "username", "email", "role", "first_name", "last_name"}


def login(username: str, password: str = PASSWORD, **more: Any) -> Any:
    return api_client().post("/auth/login", {"username": username, "password": password, **more})


def test_a_doctor_signs_in_as_the_reference_prints_it() -> None:
    doctor = hire("dr.smith", "doctor", specialty="Family medicine")
    reply = login("dr.smith", mfa_code="123456")
    body = reply.json()
    assert reply.status_code == 200
    assert set(body) == {"success", "data"}
    assert set(body["data"]) == {"user", "tokens"}
    assert set(body["data"]["user"]) == USER_KEYS
    assert body["data"]["user"]["id"] == str(doctor.pk)
    assert body["data"]["user"]["role"] == "doctor"
    assert set(body["data"]["tokens"]) == {"access_token", "refresh_token", "expires_in"}
    assert body["data"]["tokens"]["expires_in"] == 3600


def test_a_token_carries_no_role_and_no_name() -> None:
    hire("dr.smith", "doctor")
    claims = jwt.decode(login("dr.smith").json()["data"]["tokens"]["access_token"], options={"verify_signature": False})
    assert set(claims) == {"typ", "exp", "iat", "jti", "sub", "sid", "iss", "aud"}


def test_wrong_credentials_are_refused_alike_to_the_byte() -> None:
    hire("nurse.jones")
    replies = [login("nurse.jones", "wrong"), login("nobody", "wrong")]
    bodies = [reply.json()["error"] for reply in replies]
    for body in bodies:
        body.pop("request_id"), body.pop("timestamp")
    assert [reply.status_code for reply in replies] == [401, 401]
    assert bodies[0] == bodies[1]
    assert replies[0].headers["WWW-Authenticate"] == "Bearer"


def test_the_sixth_try_within_a_minute_is_refused_even_with_the_right_password() -> None:
    hire("nurse.jones")
    assert [login("nurse.jones", "wrong").status_code for _ in range(5)] == [401] * 5
    sixth = login("NURSE.JONES")
    assert sixth.status_code == 429
    assert sixth.json()["error"]["code"] == "RATE_LIMITED"
    assert 1 <= int(sixth.headers["Retry-After"]) <= 60
    assert sixth.headers["X-RateLimit-Retry-After"] == sixth.headers["Retry-After"]
    assert sixth.headers["X-RateLimit-Limit"] == "5"
    assert sixth.headers["X-RateLimit-Remaining"] == "0"


def test_one_persons_tries_do_not_lock_out_another_at_the_same_address() -> None:
    hire("nurse.jones")
    for _ in range(6):
        login("nobody", "wrong")
    assert login("nurse.jones").status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "username"),
        ({"username": "x"}, "password"),
        ({"username": "x", "password": "y", "role": "admin"}, "role"),
        ({"username": 5, "password": ["x"]}, "password"),
    ],
)
def test_a_malformed_sign_in_names_the_field(body: dict[str, Any], field: str) -> None:
    reply = api_client().post("/auth/login", body)
    assert reply.status_code == 400
    assert field in {row["field"] for row in reply.json()["error"]["details"]["errors"]}


def test_refresh_gives_a_new_pair_and_the_old_token_kills_the_session() -> None:
    hire("nurse.jones")
    old = login("nurse.jones").json()["data"]["tokens"]
    fresh = api_client().post("/auth/refresh", {"refresh_token": old["refresh_token"]})
    assert fresh.status_code == 200
    assert set(fresh.json()["data"]["tokens"]) == {"access_token", "refresh_token", "expires_in"}
    again = api_client().post("/auth/refresh", {"refresh_token": old["refresh_token"]})
    me = api_client()
    me.token = fresh.json()["data"]["tokens"]["access_token"]
    assert (again.status_code, me.get("/auth/me").status_code) == (401, 401)


def test_logging_out_ends_the_token_at_once() -> None:
    me = api_client(hire("nurse.jones"))
    assert me.get("/auth/me").json()["data"]["user"]["username"] == "nurse.jones"
    assert me.post("/auth/logout").json() == {"success": True, "data": {"logged_out": True}}
    assert me.get("/auth/me").status_code == 401


def test_a_person_corrects_the_own_name_but_not_the_own_role() -> None:
    me = api_client(hire("nurse.jones"))
    assert me.put("/auth/me", {"last_name": "Jones-Smith"}).json()["data"]["user"]["last_name"] == "Jones-Smith"
    assert me.put("/auth/me", {"role": "admin"}).status_code == 400
    assert User.objects.get().role == "nurse"


def test_a_change_of_role_counts_from_the_next_request() -> None:
    nurse = hire("nurse.jones")
    me = api_client(nurse)
    assert me.get("/rooms").status_code == 200
    User.objects.filter(pk=nurse.pk).update(role="pharmacist")
    assert me.get("/rooms").status_code == 403


def forged(**changes: Any) -> str:
    """A token that is right but for the changes."""
    user = User.objects.get()
    session = Session.objects.get()
    now = timezone.now()
    claims = {
        "typ": "access",
        "exp": now + timedelta(minutes=5),
        "iat": now,
        "jti": "x",
        "sub": str(user.pk),
        "sid": str(session.pk),
        "iss": "hims",
        "aud": "staff",
    }
    key = changes.pop("key", settings.HIMS_JWT_KEYS[0])
    algorithm = changes.pop("algorithm", "HS256")
    kid = changes.pop("kid", key_id(settings.HIMS_JWT_KEYS[0]))
    kept = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(kept, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def test_the_forgery_of_the_next_test_is_good_when_nothing_is_forged() -> None:
    me = api_client(hire())
    me.token = forged()
    assert me.get("/auth/me").status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "x" * 40},
        {"key": "x" * 40, "kid": key_id("x" * 40)},
        {"kid": None},
        {"kid": "../../dev/null"},
        {"sub": None},
        {"sub": "not-a-uuid"},
        {"sub": "00000000-0000-7000-8000-000000000000"},
        {"algorithm": "HS512"},
        {"iss": "colleague"},
        {"aud": "portal"},
        {"aud": None},
        {"typ": "refresh"},
        {"typ": None},
        {"sid": None},
        {"sid": "not-a-uuid"},
        {"sid": "00000000-0000-7000-8000-000000000000"},
        pytest.param({"exp": timezone.now() - timedelta(minutes=5)}, id="expired"),
        {"exp": None},
    ],
    ids=str,
)
def test_a_forged_expired_or_foreign_token_opens_nothing(changes: dict[str, Any]) -> None:
    me = api_client(hire())
    me.token = forged(**changes)
    reply = me.get("/auth/me")
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "AUTHENTICATION_ERROR"


def test_a_token_without_a_signature_opens_nothing() -> None:
    me = api_client(hire())
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    me.token = f"{head}.{forged().split('.')[1]}."
    assert me.get("/auth/me").status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer x y", "Basic abc", "Bearer \x80", "bearer null"])
def test_an_odd_authorization_header_is_refused_in_the_envelope(header: str) -> None:
    reply = api_client().get("/auth/me", HTTP_AUTHORIZATION=header)
    assert reply.status_code == 401
    assert reply.json()["success"] is False


def test_use_keeps_a_session_alive_and_an_idle_hour_ends_it() -> None:
    me = api_client(hire())
    start = timezone.now()
    for minutes in (40, 80, 120):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            status = me.get("/auth/me").status_code
            assert status == (200 if minutes < 60 else 401), minutes  # the access token itself lives an hour


def test_doctors_are_found_by_name_specialty_and_language(staff: dict[str, User]) -> None:
    patel = hire(
        "dr.patel", "doctor", first_name="Asha", last_name="Patel", specialty="Cardiology", npi="1993999998", languages=["hi"]
    )
    me = api_client(staff["receptionist"])
    everybody = me.get("/doctors").json()["data"]
    assert [row["specialty"] for row in everybody["doctors"]] == ["Cardiology", "Family medicine"]
    assert everybody["pagination"] == {"page": 1, "limit": 20, "total": 2, "pages": 1}
    for query in ("search=patel card", "specialty=cardiology", "language=hi"):
        assert [row["id"] for row in me.get(f"/doctors?{query}").json()["data"]["doctors"]] == [str(patel.pk)]
    one = me.get(f"/doctors/{patel.pk}").json()["data"]["doctor"]
    assert set(one) == {"id", "first_name", "last_name", "specialty", "npi", "languages"}


def test_a_doctor_who_left_is_no_longer_offered(staff: dict[str, User]) -> None:
    User.objects.filter(pk=staff["doctor"].pk).update(is_active=False)
    me = api_client(staff["nurse"])
    assert me.get("/doctors").json()["data"]["doctors"] == []
    assert me.get(f"/doctors/{staff['doctor'].pk}").status_code == 404
    assert me.get("/doctors/not-a-uuid").status_code == 404


def test_signing_in_and_out_is_on_record_with_address_and_request() -> None:
    user = hire("nurse.jones")
    reply = login("nurse.jones")
    row = AuditEvent.objects.get(action="session.started")
    assert (row.user_id, row.ip, row.request_id) == (user.pk, "127.0.0.1", reply.headers["X-Request-ID"])
