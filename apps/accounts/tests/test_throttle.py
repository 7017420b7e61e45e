"""Guessing, spraying and locking out (gap G12), over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.access.actor import SYSTEM
from apps.accounts import rules, services
from apps.accounts.models import FailureCount, KnownPlace, User
from apps.accounts.tests.factories import PASSWORD, api_client, hire
from apps.audit.retention import purging
from apps.common import redis_client
from apps.events.models import OutboxEvent

pytestmark = pytest.mark.django_db


def login(username: str, password: str = "wrong", address: str = "127.0.0.1") -> Any:
    return api_client().post("/auth/login", {"username": username, "password": password}, REMOTE_ADDR=address)


def at_page(username: str, password: str = "wrong", address: str = "127.0.0.1", client: Client | None = None) -> Any:
    body = {"username": username, "password": password}
    return (client or Client()).post("/admin/login/?next=/admin/", body, REMOTE_ADDR=address)


def elsewhere(number: int) -> str:
    return f"10.{number // 200}.{number % 200}.1"


def failing(user: User, times: int, **more: Any) -> None:
    """So many failures in a row at an account, the last just now."""
    now = timezone.now()
    FailureCount.objects.all().delete()
    FailureCount.objects.create(
        key=services.lockout._account_key(user, ""), user=user, in_a_row=times, **({"last_at": now} | more)
    )


def test_forty_users_tried_once_each_from_one_address() -> None:
    names = [f"user.{number}" for number in range(40)]
    statuses = [login(name).status_code for name in names]
    assert statuses == [401] * 30 + [429] * 10
    assert 1 <= int(login("user.41").headers["Retry-After"]) <= 60
    assert login("user.40", address="10.9.9.9").status_code == 401


def test_right_passwords_are_no_failures_of_the_address(staff: dict[str, User]) -> None:
    for number in range(29):
        assert login(f"user.{number}").status_code == 401
    for role in staff:
        assert login(f"{role}.ward", PASSWORD).status_code == 200
    assert [login("user.50").status_code, login("user.51").status_code] == [401, 429]


def test_failures_at_the_page_and_over_the_api_are_counted_together() -> None:
    for number in range(30):
        (login if number % 2 else at_page)(f"user.{number}")
    assert (login("user.41").status_code, at_page("user.42").status_code) == (429, 429)


def test_an_address_stays_limited_while_redis_is_down(settings: Any, tmp_path: Any) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock?db=0"
    redis_client.breaker.reset()
    hire()
    assert login("nurse.ward", PASSWORD).status_code == 200
    assert [login(f"user.{number}").status_code for number in range(31)] == [401] * 30 + [429]


def test_a_doctor_gets_in_from_a_known_address_while_strangers_fail_at_her_name_two_hundred_times(time_machine: Any) -> None:
    hire("dr.smith", "doctor")
    time_machine.move_to(timezone.now(), tick=False)
    assert login("dr.smith", PASSWORD).status_code == 200
    statuses = [login("dr.smith", address=elsewhere(number)).status_code for number in range(200)]
    assert statuses[:11] == [401] * 11
    assert set(statuses[11:]) == {429}
    assert login("dr.smith", PASSWORD, address="10.77.7.7").status_code == 429  # a stranger to the account, right or wrong
    assert login("dr.smith", PASSWORD).status_code == 200


def test_strangers_wait_longer_and_longer_and_a_minute_at_most(time_machine: Any) -> None:
    hire()
    time_machine.move_to(timezone.now(), tick=False)
    for number in range(10):
        assert login("nurse.ward", address=elsewhere(number)).status_code == 401
    waits = []
    for number in range(10, 18):
        assert login("nurse.ward", address=elsewhere(number)).status_code == 401
        refused = login("nurse.ward", PASSWORD, address=elsewhere(100 + number))
        assert refused.status_code == 429
        waits.append(int(refused.headers["Retry-After"]))
        time_machine.shift(timedelta(seconds=waits[-1]))
    assert waits == sorted(waits)
    assert (waits[0] <= 3, max(waits)) == (True, 60)
    assert login("nurse.ward", PASSWORD, address=elsewhere(150)).status_code == 200  # waited: never a hard lock


def test_the_pause_grows_from_nothing() -> None:
    assert [rules.pause_after(failures) for failures in (0, 10, 11, 12, 15, 16, 99)] == [0, 0, 2, 4, 32, 60, 60]


def test_after_a_hundred_failures_in_a_row_strangers_need_a_reset_and_the_owner_does_not() -> None:
    user = hire()
    assert login("nurse.ward", PASSWORD).status_code == 200
    failing(user, 100)
    refused = login("nurse.ward", PASSWORD, address="10.1.1.1")
    assert (refused.status_code, refused.json()["error"]["details"]["issue"]) == (401, "password_reset_required")
    assert "Reset the password" in at_page("nurse.ward", PASSWORD, address="10.1.1.2").content.decode()
    token = services.create_password_link(user_id=user.pk).partition("token=")[2]
    services.reset_password(token=token, password="a quite different phrase")
    assert login("nurse.ward", "a quite different phrase", address="10.1.1.1").status_code == 200


def test_the_owner_s_success_ends_the_row_of_failures() -> None:
    user = hire()
    login("nurse.ward", PASSWORD)
    failing(user, 100)
    assert login("nurse.ward", PASSWORD).status_code == 200
    assert FailureCount.objects.get().in_a_row == 0
    assert login("nurse.ward", PASSWORD, address="10.1.1.1").status_code == 200


def test_a_known_place_that_goes_on_failing_is_known_no_more() -> None:
    user = hire()
    login("nurse.ward", PASSWORD)
    failing(user, 100)
    KnownPlace.objects.update(failures=100)
    assert login("nurse.ward", PASSWORD).json()["error"]["details"]["issue"] == "password_reset_required"


def test_a_place_is_known_for_thirty_days(time_machine: Any) -> None:
    user = hire()
    time_machine.move_to(timezone.now(), tick=False)
    login("nurse.ward", PASSWORD)
    failing(user, 100)
    time_machine.shift(timedelta(days=30, minutes=1))
    assert login("nurse.ward", PASSWORD).status_code == 401


def test_an_unknown_name_waits_and_is_refused_like_an_account() -> None:
    user = hire()
    for name in ("nurse.ward", "nobody"):
        for number in range(11):
            assert login(name, address=elsewhere(number)).status_code == 401
        assert login(name, address="10.66.1.1").status_code == 429
    FailureCount.objects.update(in_a_row=100)
    bodies = [login(name, address="10.66.1.2").json()["error"] for name in ("nurse.ward", "nobody")]
    for body in bodies:
        body.pop("request_id"), body.pop("timestamp")
    assert bodies[0] == bodies[1]
    assert user.username not in str(list(FailureCount.objects.values_list("key")))


@pytest.mark.parametrize("spelling", ["NURSE.WARD", " nurse.ward ", "nurſe.ward"])
def test_another_spelling_of_a_name_is_no_fresh_budget(spelling: str) -> None:
    hire()
    for _ in range(5):
        login("nurse.ward")
    assert login(spelling, PASSWORD).status_code == 429


def test_a_browser_that_signed_in_before_is_known_wherever_it_is() -> None:
    user, client = hire(), Client()
    assert at_page("nurse.ward", PASSWORD, client=client).status_code == 302
    assert client.cookies["hims_device"]["httponly"]
    client.post("/admin/logout/")
    failing(user, 100)
    assert at_page("nurse.ward", PASSWORD, "10.5.5.5").status_code == 200
    forged = Client()
    forged.cookies["hims_device"] = client.cookies["hims_device"].value[:-2] + "xx"
    assert at_page("nurse.ward", PASSWORD, "10.5.5.6", forged).status_code == 200
    assert at_page("nurse.ward", PASSWORD, "10.5.5.7", client).status_code == 302


def test_a_claimed_address_is_believed_only_from_a_trusted_proxy(settings: Any) -> None:
    def claim(number: int) -> int:
        body = {"username": f"user.{number}", "password": "wrong"}
        return api_client().post("/auth/login", body, HTTP_X_FORWARDED_FOR=f"192.0.2.{number}").status_code

    assert [claim(number) for number in range(31)] == [401] * 30 + [429]
    settings.HIMS_TRUSTED_PROXIES = 1
    assert claim(40) == 401


def test_an_ipv6_subscriber_is_one_address() -> None:
    statuses = [login(f"user.{number}", address=f"2001:db8:1:2::{number:x}").status_code for number in range(31)]
    assert statuses == [401] * 30 + [429]
    assert login("user.99", address="2001:db8:1:3::1").status_code == 401


def test_the_scale_stretches_all_of_it(settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 2.0
    assert [login(f"user.{number}").status_code for number in range(61)] == [401] * 60 + [429]


@pytest.mark.parametrize("door", [login, at_page])
def test_a_sign_in_from_a_new_place_is_reported_and_the_first_one_ever_is_not(door: Any, time_machine: Any) -> None:
    user = hire()
    time_machine.move_to(timezone.now(), tick=False)
    events = OutboxEvent.objects.filter(name="session.new_place")
    for address in ("127.0.0.1", "127.0.0.1", "10.1.1.1", "127.0.0.1"):
        door("nurse.ward", PASSWORD, address)
    assert events.count() == 1
    assert events.get().payload["user_id"] == str(user.pk)
    assert (events.get().payload["session_id"] is None) == (door is at_page)
    time_machine.shift(timedelta(days=31))
    door("nurse.ward", PASSWORD)
    assert events.count() == 2


def purged() -> int:
    """Unknown names, expired links, places that were not used for long."""
    return sum(purging.purge(by=SYSTEM, only=rule)[0].rows for rule in ("failure_counts", "password_links", "known_places"))


def test_what_is_old_is_forgotten_and_an_account_s_failures_are_not(time_machine: Any) -> None:
    user = hire()
    time_machine.move_to(timezone.now(), tick=False)
    login("nobody"), login("nurse.ward"), services.create_password_link(user_id=user.pk)
    assert purged() == 0
    time_machine.shift(timedelta(days=31))
    assert purged() == 2
    assert FailureCount.objects.get().user == user
