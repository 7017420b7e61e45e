"""The second factor over HTTP, attack by attack."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import services
from apps.accounts.models import RecoveryCode, Session, TotpDevice, User
from apps.accounts.tests.authenticator import SEED, code, enable_totp
from apps.accounts.tests.factories import PASSWORD, ApiClient, api_client, hire
from apps.audit.models import AuditEvent
from apps.common import keyring
from apps.common.tests.concurrency import run_concurrently
from apps.events.models import OutboxEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def still_clock(time_machine: Any) -> None:
    """A code is made and used within one half minute."""
    time_machine.move_to(timezone.now(), tick=False)


def login(user: User, **more: Any) -> Any:
    return api_client().post("/auth/login", {"username": user.username, "password": PASSWORD, **more})


def signed_in(user: User, **more: Any) -> ApiClient:
    reply = login(user, **more)
    assert reply.status_code == 200, reply.content
    me = api_client()
    me.token = reply.json()["data"]["tokens"]["access_token"]
    return me


def issue(reply: Any) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["details"].get("issue", "")


def enrol(me: ApiClient) -> tuple[str, list[str]]:
    """Sets up an authenticator over the API. Returns its seed and the recovery codes."""
    totp = me.post("/auth/mfa/totp").json()["data"]["totp"]
    done = me.post("/auth/mfa/totp/confirm", {"code": code(totp["secret"])})
    assert done.status_code == 200, done.content
    return totp["secret"], done.json()["data"]["recovery_codes"]


def test_setting_up_an_authenticator_and_signing_in_with_it() -> None:
    user = hire()
    me = signed_in(user)
    totp = me.post("/auth/mfa/totp").json()["data"]["totp"]
    assert totp["otpauth_uri"].startswith("otpauth://totp/HIMS%20")
    assert f"secret={totp['secret']}" in totp["otpauth_uri"]
    assert totp["qr_svg"].startswith("<svg")
    assert login(user).status_code == 200  # nothing is asked for until a code was confirmed
    assert issue(me.post("/auth/mfa/totp/confirm", {"code": code(steps=5)})) == (401, "mfa_invalid")
    done = me.post("/auth/mfa/totp/confirm", {"code": code(totp["secret"])}).json()["data"]
    assert done["mfa_enabled"] is True
    assert len(set(done["recovery_codes"])) == 10
    assert issue(login(user)) == (401, "mfa_required")
    assert login(user, mfa_code=code(totp["secret"], steps=1)).status_code == 200
    assert set(OutboxEvent.objects.filter(name__startswith="mfa.").values_list("name", flat=True)) == {"mfa.enabled"}


def test_asking_for_a_seed_is_on_record_and_the_seed_is_not() -> None:
    user = hire()
    secret = signed_in(user).post("/auth/mfa/totp").json()["data"]["totp"]["secret"]
    row = AuditEvent.objects.get(action="mfa.begun")
    assert (row.user_id, row.object_id, row.role) == (user.pk, user.pk, "nurse")
    assert secret not in str(list(AuditEvent.objects.values()))


def test_a_code_is_only_looked_at_after_the_right_password() -> None:
    user = enable_totp(hire())
    stranger = api_client().post("/auth/login", {"username": user.username, "password": "wrong", "mfa_code": code()})
    assert issue(stranger) == (401, "")
    assert login(user, mfa_code=code()).status_code == 200  # the stranger spent nothing


def test_a_wrong_and_a_used_code_are_refused_alike() -> None:
    user = enable_totp(hire())
    assert login(user, mfa_code=code()).status_code == 200
    assert issue(login(user, mfa_code=code())) == (401, "mfa_invalid")
    assert issue(login(user, mfa_code=code(steps=9))) == (401, "mfa_invalid")
    for odd in ("12345", "1234567", "abcdef", "１２３４５６", "-00001"):
        user = enable_totp(hire(f"odd.{len(odd)}.{odd[:1]!a}".replace("'", "")))
        assert issue(login(user, mfa_code=odd)) == (401, "mfa_invalid"), odd


@pytest.mark.parametrize("sent", [None, "", "  "])
def test_no_code_is_shown_as_required(sent: str | None) -> None:
    assert issue(login(enable_totp(hire()), mfa_code=sent)) == (401, "mfa_required")


def test_a_code_for_an_account_without_a_second_factor_is_ignored() -> None:
    assert login(hire(), mfa_code="nonsense").status_code == 200


def test_a_code_older_than_one_used_does_not_count_and_drift_is_remembered() -> None:
    user = enable_totp(hire())
    assert login(user, mfa_code=code(steps=1)).status_code == 200
    assert TotpDevice.objects.get().drift == 1
    assert issue(login(user, mfa_code=code())) == (401, "mfa_invalid")
    assert login(user, mfa_code=code(steps=2)).status_code == 200
    assert TotpDevice.objects.get().drift == 2


def test_codes_two_steps_off_do_not_count() -> None:
    user = enable_totp(hire())
    assert [issue(login(user, mfa_code=code(steps=steps)))[0] for steps in (-2, 2)] == [401, 401]
    assert login(user, mfa_code=code(steps=-1)).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_ten_who_send_one_code_at_once_one_gets_in(settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 100.0
    user, right = enable_totp(hire()), code()
    assert sorted(run_concurrently(10, lambda _: login(user, mfa_code=right).status_code)) == [200] + [401] * 9
    for round_number in range(5):  # and with nothing between them and the code
        other = enable_totp(hire(f"nurse.{round_number}"))
        assert sum(run_concurrently(10, lambda _, other=other: accepts(other, code()))) == 1


def accepts(user: User, sent: str) -> bool:
    try:
        services.check_code(user, sent)
    except services.MfaInvalid:
        return False
    return True


@pytest.mark.django_db(transaction=True)
def test_of_ten_who_send_one_recovery_code_at_once_one_gets_in(settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 10.0
    user = hire()
    _, codes = enrol(signed_in(user))
    statuses = run_concurrently(10, lambda _: login(user, mfa_code=codes[0]).status_code)
    assert sorted(statuses) == [200] + [401] * 9


def test_five_codes_a_minute_from_however_many_addresses() -> None:
    user = enable_totp(hire())

    def from_address(number: int, **more: str) -> int:
        body = {"username": user.username, "password": PASSWORD, **more}
        return api_client().post("/auth/login", body, REMOTE_ADDR=f"10.0.0.{number}").status_code

    assert [from_address(number, mfa_code="000000") for number in range(1, 8)] == [401] * 5 + [429] * 2
    assert from_address(20, mfa_code=code()) == 429


def test_neither_a_stranger_nor_a_remote_user_with_the_password_can_use_up_the_budget_of_codes() -> None:
    user = enable_totp(hire())
    assert login(user, mfa_code=code(steps=-1)).status_code == 200  # the owner's address is known
    for number in range(1, 9):
        body = {"username": user.username, "password": "wrong", "mfa_code": "000000"}
        api_client().post("/auth/login", body, REMOTE_ADDR=f"10.0.0.{number}")
        api_client().post("/auth/login", body | {"password": PASSWORD}, REMOTE_ADDR=f"10.0.1.{number}")
    assert login(user, mfa_code=code()).status_code == 200


def test_a_recovery_code_counts_once_however_it_is_typed() -> None:
    user = hire()
    _, codes = enrol(signed_in(user))
    assert login(user, mfa_code=codes[0].lower().replace("-", "")).status_code == 200
    assert issue(login(user, mfa_code=codes[0])) == (401, "mfa_invalid")
    assert OutboxEvent.objects.get(name="mfa.recovery_code_used").payload == {"user_id": str(user.pk), "left": 9}


def test_new_recovery_codes_void_the_old_ones() -> None:
    user = hire()
    me = signed_in(user)
    _, old = enrol(me)
    new = me.post("/auth/mfa/recovery-codes").json()["data"]["recovery_codes"]
    assert not set(old) & set(new)
    assert issue(login(user, mfa_code=old[0])) == (401, "mfa_invalid")
    assert login(user, mfa_code=new[0]).status_code == 200


def test_another_persons_recovery_code_opens_nothing() -> None:
    user, other = hire(), hire("other")
    _, codes = enrol(signed_in(other))
    enable_totp(user)
    assert issue(login(user, mfa_code=codes[0])) == (401, "mfa_invalid")


def test_the_second_factor_is_not_weakened_without_giving_the_password_again(time_machine: Any) -> None:
    user = hire()
    time_machine.move_to(timezone.now(), tick=False)
    me = signed_in(user)
    seed, _ = enrol(me)
    time_machine.shift(timedelta(minutes=6))
    doors = [("DELETE", "/auth/mfa/totp"), ("POST", "/auth/mfa/recovery-codes"), ("POST", "/auth/mfa/totp")]
    assert {issue(me.call(method, path)) for method, path in doors} == {(401, "reauthentication_required")}
    assert issue(me.post("/auth/reauthenticate", {"password": "wrong"})) == (401, "wrong_password")
    assert issue(me.post("/auth/reauthenticate", {"password": PASSWORD})) == (401, "mfa_required")
    again = me.post("/auth/reauthenticate", {"password": PASSWORD, "mfa_code": code(seed)})
    assert again.json()["data"] == {"reauthenticated": True, "expires_in": 300}
    assert me.call("DELETE", "/auth/mfa/totp").json()["data"] == {"mfa_enabled": False}
    assert login(user).status_code == 200
    assert AuditEvent.objects.filter(action="session.reauthenticated", user_id=user.pk).exists()


def test_ten_wrong_passwords_from_inside_end_the_session(settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 10.0
    me = signed_in(hire())
    tries = [me.post("/auth/reauthenticate", {"password": "wrong"}) for _ in range(11)]
    assert [issue(reply) for reply in tries[:10]] == [(401, "wrong_password")] * 10
    assert tries[10].json()["error"]["message"].startswith("The token is invalid")
    assert Session.objects.get().end_reason == "proof_failed"


def test_ten_wrong_codes_after_the_right_password_end_the_session(settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 10.0
    user = enable_totp(hire())
    me = signed_in(user, mfa_code=code())
    body = {"password": PASSWORD, "mfa_code": code(steps=9)}
    tries = [me.post("/auth/reauthenticate", body) for _ in range(11)]
    assert [issue(reply) for reply in tries[:10]] == [(401, "mfa_invalid")] * 10
    assert tries[10].json()["error"]["message"].startswith("The token is invalid")
    assert Session.objects.get().end_reason == "proof_failed"


def test_a_complete_proof_sets_the_count_of_failures_back(settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 10.0
    user = enable_totp(hire())
    me = signed_in(user, mfa_code=code(steps=-1))
    for steps in (0, 1):
        statuses = {me.post("/auth/reauthenticate", {"password": "wrong"}).status_code for _ in range(8)}
        assert statuses == {401}
        whole = {"password": PASSWORD, "mfa_code": code(steps=steps)}
        assert me.post("/auth/reauthenticate", whole).status_code == 200
        assert Session.objects.get().failed_proofs == 0


def test_giving_the_password_again_has_a_budget_of_its_own() -> None:
    user = hire()
    me = signed_in(user)
    statuses = [me.post("/auth/reauthenticate", {"password": "wrong"}).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert login(user).status_code == 200


def test_switching_on_ends_the_sessions_that_began_without(staff: dict[str, User]) -> None:
    me, other = signed_in(staff["nurse"]), signed_in(staff["nurse"])
    enrol(me)
    assert (me.get("/auth/me").status_code, other.get("/auth/me").status_code) == (200, 401)
    assert me.post("/auth/mfa/totp").status_code == 409
    assert api_client(staff["doctor"]).post("/auth/mfa/recovery-codes").status_code == 409


def test_a_role_that_needs_a_second_factor_gets_a_session_for_setting_it_up_and_nothing_else(settings: Any) -> None:
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"doctor"})
    user, nurse = hire("dr.smith", "doctor"), hire()
    assert "mfa_enrollment_required" not in login(nurse).json()["data"]
    reply = login(user)
    assert reply.json()["data"]["mfa_enrollment_required"] is True
    me = api_client()
    me.token = reply.json()["data"]["tokens"]["access_token"]
    for method, path in (("GET", "/auth/me"), ("GET", "/patients"), ("GET", "/auth/sessions"), ("POST", "/patients")):
        assert issue(me.call(method, path, {})) == (403, "mfa_enrollment_required"), path
    refreshed = api_client().post("/auth/refresh", {"refresh_token": reply.json()["data"]["tokens"]["refresh_token"]})
    me.token = refreshed.json()["data"]["tokens"]["access_token"]
    assert me.get("/patients").status_code == 403  # the session is restricted, not the token
    assert me.post("/auth/reauthenticate", {"password": PASSWORD}).status_code == 200
    enrol(me)
    assert me.get("/patients").status_code == 200


def test_taking_it_off_where_the_role_needs_one_holds_the_session_back_again(settings: Any) -> None:
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"nurse"})
    me = signed_in(hire())
    enrol(me)
    assert me.call("DELETE", "/auth/mfa/totp").status_code == 200
    assert issue(me.get("/patients")) == (403, "mfa_enrollment_required")


def test_a_held_back_session_may_log_out(settings: Any) -> None:
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"nurse"})
    assert signed_in(hire()).post("/auth/logout").status_code == 200


def test_an_administrator_resets_a_lost_second_factor_and_every_session_ends() -> None:
    user, boss = hire(), hire("boss", "admin")
    me = signed_in(user)
    enrol(me)
    services.reset_mfa(by=boss, user_id=user.pk)
    assert me.get("/auth/me").status_code == 401
    assert login(user).status_code == 200
    assert not RecoveryCode.objects.exists()
    assert OutboxEvent.objects.get(name="mfa.disabled").payload == {"user_id": str(user.pk), "reset": True}
    with pytest.raises(services.NotEnrolled):
        services.reset_mfa(by=boss, user_id=user.pk)


def test_seeds_are_sealed() -> None:
    enable_totp(hire())
    sealed = bytes(TotpDevice.objects.get().sealed_seed)
    assert keyring.decrypt(sealed) not in sealed
    assert SEED.encode() not in sealed


def test_the_database_bounds_the_drift() -> None:
    enable_totp(hire())
    with pytest.raises(IntegrityError), transaction.atomic():
        TotpDevice.objects.update(drift=11)
