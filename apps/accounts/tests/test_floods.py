"""Endpoints without sign-in, and actions that send mail, accept only so many requests."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts import services
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.accounts.tests.test_throttle import elsewhere
from apps.events.models import OutboxEvent

pytestmark = pytest.mark.django_db
NAMES = {"first_name": "New", "last_name": "Nurse", "role": "nurse"}
FORGOT, RESET = "/admin/password-forgot/", "/admin/password-reset/"


def forgot(name: str, address: str = "127.0.0.1") -> Any:
    return api_client().post("/auth/password/forgot", {"username": name}, REMOTE_ADDR=address)


def forgot_at_page(name: str, address: str = "127.0.0.1") -> Any:
    return Client().post(FORGOT, {"identifier": name}, REMOTE_ADDR=address)


def reset(number: int) -> Any:
    return api_client().post("/auth/password/reset", {"token": f"{number:043x}", "new_password": "three blue herons in the rain"})


def refused(reply: Any) -> bool:
    """Too many: the status with the headers that say when to try again."""
    if reply.status_code != 429:
        return False
    assert 1 <= int(reply.headers["Retry-After"]) <= 60
    return True


def test_three_hundred_names_from_one_address_are_thirty() -> None:
    replies = [forgot(f"user.{number}") for number in range(300)]
    assert [reply.status_code for reply in replies] == [200] * 30 + [429] * 270
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"} <= set(replies[-1].headers)
    assert OutboxEvent.objects.filter(name="password.help_asked").count() == 30
    assert refused(forgot_at_page("user.301"))
    assert forgot("user.302", address="10.9.9.9").status_code == 200


def test_the_page_and_the_api_count_together_and_an_ipv6_subscriber_is_one_address() -> None:
    for number in range(30):
        (forgot if number % 2 else forgot_at_page)(f"user.{number}", address=f"2001:db8::{number + 1:x}")
    assert refused(forgot("user.40", address="2001:db8::ffff"))
    assert refused(forgot_at_page("user.41", address="2001:db8::fffe"))
    assert forgot("user.42", address="2001:db8:0:1::1").status_code == 200


@pytest.mark.parametrize("name", ["nurse.ward", "nobody.at.all"])
def test_one_name_asked_for_from_everywhere_is_refused_whether_or_not_it_has_an_account(
    staff: dict[str, User], name: str
) -> None:
    replies = [forgot(name, address=elsewhere(number)) for number in range(11)]
    assert [reply.status_code for reply in replies] == [200] * 10 + [429]
    assert {reply.content for reply in replies[:10]} == {replies[0].content}
    assert refused(forgot_at_page(name.upper(), address=elsewhere(12)))
    assert forgot("doctor.ward", address=elsewhere(13)).status_code == 200


def test_a_burst_of_calls_for_help_mails_an_account_twice(staff: dict[str, User]) -> None:
    for number in range(10):
        forgot("nurse.ward", address=elsewhere(number))
    for row in OutboxEvent.objects.filter(name="password.help_asked"):
        services.process_reset_request(sealed=row.payload["sealed"])
    assert OutboxEvent.objects.filter(name="password.reset_asked").count() == 2


def test_tokens_of_links_are_tried_thirty_times_a_minute_from_one_address(staff: dict[str, User]) -> None:
    token = services.create_password_link(user_id=staff["nurse"].pk).partition("token=")[2]
    assert [reset(number).status_code for number in range(31)] == [400] * 30 + [429]
    password = {"password": "three blue herons in the rain", "again": "three blue herons in the rain"}
    assert refused(Client().post(RESET, {"token": token, **password}))
    assert [Client().get(RESET, {"token": str(number)}).status_code for number in range(31)] == [200] * 30 + [429]


def test_one_administrator_invites_thirty_people_a_minute(staff: dict[str, User]) -> None:
    boss = api_client(staff["admin"])
    replies = [boss.post("/users", {"username": f"n{number}", "email": f"n{number}@x.test", **NAMES}) for number in range(31)]
    assert [reply.status_code for reply in replies] == [201] * 30 + [429]
    assert refused(replies[-1])
    assert not User.objects.filter(username="n30").exists()


def test_one_account_changes_its_address_five_times_a_minute(staff: dict[str, User]) -> None:
    me = api_client(staff["nurse"])
    replies = [me.call("PATCH", "/auth/me", {"email": f"n{number}@x.test"}) for number in range(6)]
    assert [reply.status_code for reply in replies] == [200] * 5 + [429]
    assert refused(replies[-1])
    assert User.objects.get(pk=staff["nurse"].pk).email == "n4@x.test"
