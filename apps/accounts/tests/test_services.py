"""Hiring, signing in, refreshing and signing out, at the services."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.access.actor import SYSTEM
from apps.accounts import selectors, services
from apps.accounts.authentication import tokens
from apps.accounts.models import Doctor, RefreshToken, Session, User
from apps.accounts.services import NewStaff, sessions
from apps.accounts.tests.factories import PASSWORD, hire
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict, Invalid
from apps.events.models import OutboxEvent

pytestmark = pytest.mark.django_db


def sign_in(user: User, password: str = PASSWORD) -> tokens.TokenPair:
    return services.sign_in(username=user.username, password=password, ip="127.0.0.1", user_agent="test").tokens


def works(pair: tokens.TokenPair) -> bool:
    claims = tokens.read_access(pair.access_token)
    return selectors.principal(claims.session_id, claims.user_id) is not None


def test_a_hired_person_signs_in_whatever_the_case_of_the_name() -> None:
    user = hire("Dr.Smith", "doctor", specialty="Family medicine")
    assert services.authenticate(" dr.smith ", PASSWORD) == user
    assert Doctor.objects.get(user=user).specialty == "Family medicine"


@pytest.mark.parametrize(
    "change",
    [
        lambda user: services.set_password(by=SYSTEM, user_id=user.pk, password="three blue herons in the rain"),
        lambda user: services.sign_out(by=user, session_id=user.pk, all_sessions=True),
        lambda user: services.deactivate(by=SYSTEM, user_id=user.pk),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    ],
)
def test_a_sign_in_under_way_does_not_survive_the_end_of_all_sessions(change: Any, monkeypatch: Any) -> None:
    user = hire()
    monkeypatch.setattr(sessions, "check_code", lambda *args, **more: change(user))  # between the password and the session
    with pytest.raises(services.WrongCredentials):
        sign_in(user)
    assert not Session.objects.exists()


def test_hiring_announces_the_fact_and_is_on_record_without_the_password() -> None:
    user = hire()
    assert OutboxEvent.objects.get(name="staff.hired").payload == {"user_id": str(user.pk), "role": "nurse"}
    assert AuditEvent.objects.get(action="staff.hired").object_id == user.pk
    assert PASSWORD not in str(list(OutboxEvent.objects.values())) + str(list(AuditEvent.objects.values()))


def test_a_password_is_kept_as_argon2id() -> None:
    assert hire().password.startswith("argon2$argon2id$")


@pytest.mark.parametrize(
    ("details", "field"),
    [({"role": "patient"}, "role"), ({"role": "wizard"}, "role"), ({"role": "doctor", "npi": "1234567890"}, "npi")],
)
def test_hiring_refuses_what_cannot_be(details: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        hire("colleague", **details)
    assert refusal.value.details["field"] == field
    assert not User.objects.exists()


def test_a_weak_password_is_refused_for_users_who_are_not_seeded() -> None:
    staff = NewStaff(username="n", email="n@hims.test", first_name="N", last_name="N", role="nurse", password="password")
    with pytest.raises(Invalid) as refusal:
        services.hire(by=SYSTEM, staff=staff)
    assert {row["field"] for row in refusal.value.details["errors"]} == {"password"}


def test_the_name_of_another_user_does_not_sign_in() -> None:
    hire("nurse.jones")
    with pytest.raises(Conflict):
        hire("NURSE.JONES", email="other@hims.test")


def test_the_database_itself_keeps_usernames_apart() -> None:
    hire("nurse.jones")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="Nurse.Jones", email="x@hims.test", first_name="X", last_name="Y", role="nurse")


def test_an_unknown_role_does_not_enter_the_database() -> None:
    user = hire()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(role="wizard")


def test_a_wrong_password_an_unknown_name_and_a_closed_account_are_refused_alike() -> None:
    user = hire("nurse.jones")
    closed = hire("nurse.old")
    services.deactivate(by=SYSTEM, user_id=closed.pk)
    refusals = set()
    for name, password in ((user.username, "wrong"), ("nobody", PASSWORD), (closed.username, PASSWORD)):
        with pytest.raises(services.WrongCredentials) as refusal:
            services.authenticate(name, password)
        refusals.add((refusal.value.message, str(refusal.value.details), refusal.value.status))
    assert len(refusals) == 1
    assert AuditEvent.objects.filter(action="session.refused", outcome="denied").count() == 3


def test_a_patient_does_not_get_in_at_the_staff_door() -> None:
    user = hire()
    User.objects.filter(pk=user.pk).update(role="patient")
    with pytest.raises(services.WrongCredentials):
        services.authenticate(user.username, PASSWORD)


def test_an_unknown_name_costs_as_many_hashes_as_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = []
    encode = services.credentials.make_password
    monkeypatch.setattr(services.credentials, "make_password", lambda raw: hashes.append(1) or encode(raw))
    with pytest.raises(services.WrongCredentials):
        services.authenticate("nobody", PASSWORD)
    assert hashes == [1]


def test_signing_out_ends_the_tokens_at_once() -> None:
    user = hire()
    pair, other = sign_in(user), sign_in(user)
    services.sign_out(by=user, session_id=tokens.read_access(pair.access_token).session_id)
    assert (works(pair), works(other)) == (False, True)
    with pytest.raises(tokens.InvalidToken):
        services.refresh(refresh_token=pair.refresh_token)


def test_signing_out_everywhere_ends_every_session() -> None:
    user = hire()
    pairs = [sign_in(user) for _ in range(3)]
    assert services.sign_out(by=user, session_id=tokens.read_access(pairs[0].access_token).session_id, all_sessions=True) == 3
    assert not any(works(pair) for pair in pairs)


@pytest.mark.parametrize("change", ["deactivate", "role", "password"])
def test_deactivation_a_new_role_and_a_new_password_end_every_session(change: str) -> None:
    user, boss = hire(), hire("boss", "admin")
    pair = sign_in(user)
    if change == "deactivate":
        services.deactivate(by=boss, user_id=user.pk)
    elif change == "role":
        services.change_staff(by=boss, user_id=user.pk, changes={"role": "billing"})
    else:
        services.set_password(by=boss, user_id=user.pk, password="quite another long pass phrase")
    assert not works(pair)
    assert Session.objects.get(user=user).end_reason


def test_a_changed_name_ends_no_session() -> None:
    user = hire()
    pair = sign_in(user)
    services.change_staff(by=user, user_id=user.pk, changes={"last_name": "Married"})
    assert works(pair)


def test_deactivating_twice_or_oneself_is_refused() -> None:
    user, boss = hire(), hire("boss", "admin")
    services.deactivate(by=boss, user_id=user.pk)
    with pytest.raises(services.AlreadyDeactivated):
        services.deactivate(by=boss, user_id=user.pk)
    with pytest.raises(Conflict):
        services.deactivate(by=boss, user_id=boss.pk)


def test_a_refresh_token_is_kept_as_a_hash_and_good_once() -> None:
    pair = sign_in(hire())
    assert bytes(RefreshToken.objects.get().token_hash) == tokens.fingerprint(pair.refresh_token)
    fresh = services.refresh(refresh_token=pair.refresh_token)
    assert works(fresh)
    assert fresh.refresh_token != pair.refresh_token


def test_a_refresh_token_that_comes_back_ends_the_whole_session() -> None:
    pair = sign_in(hire())
    fresh = services.refresh(refresh_token=pair.refresh_token)
    with pytest.raises(tokens.InvalidToken):
        services.refresh(refresh_token=pair.refresh_token)
    assert not works(fresh)
    assert Session.objects.get().end_reason == "refresh_reused"


@pytest.mark.django_db(transaction=True)
def test_of_ten_refreshes_at_once_one_wins() -> None:
    pair = sign_in(hire())

    def attempt(_: int) -> bool:
        try:
            services.refresh(refresh_token=pair.refresh_token)
        except tokens.InvalidToken:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(attempt, range(10))) == 1
    assert Session.objects.get().ended_at is not None


def test_an_access_token_does_not_refresh_and_a_refresh_token_does_not_open_doors() -> None:
    pair = sign_in(hire())
    with pytest.raises(tokens.InvalidToken):
        services.refresh(refresh_token=pair.access_token)
    with pytest.raises(tokens.InvalidToken):
        tokens.read_access(pair.refresh_token)


def test_an_idle_hour_and_a_long_day_end_a_session() -> None:
    pair = sign_in(hire())
    now = timezone.now()
    with time_machine.travel(now + timedelta(minutes=59), tick=False):
        assert works(pair)
    with time_machine.travel(now + timedelta(minutes=61), tick=False):
        assert selectors.principal(Session.objects.get().pk, Session.objects.get().user_id) is None
    Session.objects.update(last_seen_at=now + timedelta(hours=12))
    with time_machine.travel(now + timedelta(hours=12, seconds=1), tick=False):
        assert selectors.principal(Session.objects.get().pk, Session.objects.get().user_id) is None


@pytest.mark.parametrize("column", ["ended_at", "end_reason"])
def test_the_database_wants_a_reason_for_every_end(column: str) -> None:
    sign_in(hire())
    value = timezone.now() if column == "ended_at" else "signed_out"
    with pytest.raises(IntegrityError), transaction.atomic():
        Session.objects.update(**{column: value})
