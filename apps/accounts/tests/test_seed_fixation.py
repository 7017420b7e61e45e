"""A seed that one person saw never becomes the second factor of another: each sign-in has a seed of its own."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts import services
from apps.accounts.models import TotpDevice, User
from apps.accounts.selectors import has_second_factor
from apps.accounts.tests.authenticator import code, enable_totp
from apps.accounts.tests.factories import ApiClient, api_client, hire

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def still_clock(time_machine: Any) -> None:
    """A code is made and used within one half minute."""
    time_machine.move_to(timezone.now(), tick=False)


@pytest.fixture
def user(settings: Any) -> User:
    """A user who must set up a second factor at the next sign-in."""
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"nurse"})
    return hire()


def begun(me: ApiClient) -> str:
    return me.post("/auth/mfa/totp").json()["data"]["totp"]["secret"]


def confirm(me: ApiClient, seed: str) -> Any:
    return me.post("/auth/mfa/totp/confirm", {"code": code(seed)})


def test_a_code_for_a_seed_that_the_thief_asks_for_last_confirms_nothing_in_the_owners_session(user: User) -> None:
    owner, thief = api_client(user), api_client(user)
    mine, theirs = begun(owner), begun(thief)
    assert mine != theirs
    for seed in (mine, theirs):
        refused = confirm(owner, seed)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
    assert not has_second_factor(user.pk)
    again = begun(owner)
    assert confirm(thief, theirs).status_code == 409
    assert confirm(owner, again).status_code == 200


def test_confirming_without_having_been_shown_a_seed_is_refused(user: User) -> None:
    assert confirm(api_client(user), "JBSWY3DPEHPK3PXP").status_code == 409
    assert Client().post(reverse("admin:login_enrol"), {"code": "000000"}).status_code == 302


@pytest.mark.parametrize("wrong", [{"offered_to": None}, {"confirmed_at": timezone.now()}], ids=["of nobody", "confirmed"])
def test_the_database_itself_keeps_a_waiting_seed_with_the_session_that_saw_it(wrong: dict[str, Any]) -> None:
    user = hire()
    services.begin_totp(by=user, offered_to=uuid4())
    with pytest.raises(IntegrityError), transaction.atomic():
        TotpDevice.objects.filter(user=user).update(**wrong)
    enable_totp(user)
    with pytest.raises(IntegrityError), transaction.atomic():
        TotpDevice.objects.filter(user=user).update(offered_to=uuid4())
