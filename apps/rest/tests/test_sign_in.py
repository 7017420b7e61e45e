"""Sign-in attempts: one count for one address and one name, on pages and in the API."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import RequestFactory

from apps.common import context, redis_client
from apps.common.context import RequestContext
from apps.rest import limits, sign_in
from apps.rest.limits import RateClass
from apps.rest.models import SignInTry

DEAD = "unix:///nowhere/redis.sock"


@pytest.fixture(autouse=True)
def at_a_desk() -> Iterator[None]:
    context.enter(RequestContext(request_id="req_12345678", ip="10.0.0.1"))
    yield
    context.enter(None)


def attempt(name: str = "dr.smith") -> int:
    return sign_in.seconds_to_wait(RequestFactory().post("/admin/login/"), name)


@pytest.mark.parametrize("other", ["dr.smith", "DR.SMITH", " dr.smith\n", "Dr.Smith", "dr.ſmith", "dr.smıth"])
def test_names_that_find_one_account_are_one_name(other: str) -> None:
    assert sign_in.who(other) == sign_in.who("dr.smith")


@pytest.mark.parametrize("other", ["dr.smit", "dr smith", "dr.smith2", "dr.smíth", "", None, 7])
def test_another_name_has_a_count_of_its_own(other: Any) -> None:
    assert sign_in.who(other) != sign_in.who("dr.smith")


def test_another_address_has_a_count_of_its_own() -> None:
    here = sign_in.who("dr.smith")
    context.enter(RequestContext(ip="10.0.0.2"))
    assert sign_in.who("dr.smith") != here


@pytest.mark.parametrize("name", ["dr.smith", "\ud800", "é" * 10_000])
def test_the_key_has_the_address_and_never_the_name(name: str) -> None:
    key = sign_in.who(name)
    assert key.startswith("10.0.0.1:")
    assert name not in key
    assert len(key) == len("10.0.0.1:") + 20


def test_the_sixth_attempt_in_a_minute_waits() -> None:
    waits = [attempt() for _ in range(7)]
    assert waits[:5] == [0] * 5
    assert all(0 < wait <= 60 for wait in waits[5:])
    assert attempt("dr.patel") == 0


def test_attempts_in_the_api_count_on_the_pages_too() -> None:
    for _ in range(5):
        limits.hit(RateClass.AUTH, sign_in.who("DR.SMITH"))
    assert attempt("dr.smith") > 0


def test_both_counters_count_an_attempt_on_a_page() -> None:
    for _ in range(4):
        attempt()
    assert limits.hit(RateClass.AUTH, sign_in.who("dr.smith")).remaining == 0
    redis_client.run(lambda client: client.delete(limits._key(RateClass.AUTH, sign_in.who("dr.smith"))))
    assert attempt() == 0  # the fifth of the fixed minute
    assert attempt() > 0


def test_the_scale_of_the_limits_applies_to_both(settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 0.2
    assert attempt() == 0
    assert attempt() > 0


@pytest.mark.django_db
def test_without_redis_attempts_are_counted_in_postgres(settings: Any) -> None:
    settings.REDIS_URL = DEAD
    waits = [attempt() for _ in range(6)]
    assert waits[:5] == [0] * 5
    assert 0 < waits[5] <= 60
    assert SignInTry.objects.count() == 5
