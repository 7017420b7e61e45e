"""The seed of the second factor belongs to the session that showed it: on the pages of the sign-in."""

import pytest

from apps.accounts.models import User
from apps.accounts.selectors import has_second_factor
from apps.accounts.tests.authenticator import code
from apps.accounts.tests.factories import PASSWORD, api_client, browser, hire
from apps.accounts.tests.test_seed_fixation import begun, confirm, user
from apps.desk.accounts.tests.test_sign_in_pages import ENROL, OWN, first_step, is_in, shown_seed

__all__ = ["user"]  # fixtures
pytestmark = pytest.mark.django_db


def test_every_sign_in_at_the_page_is_shown_a_seed_of_its_own(user: User) -> None:
    thief, _ = first_step(user)
    seen_by_thief = shown_seed(thief.get(ENROL))
    owner, _ = first_step(user)
    seen_by_owner = shown_seed(owner.get(ENROL))
    assert seen_by_owner != seen_by_thief
    refused = owner.post(ENROL, {"code": code(seen_by_thief)})
    assert refused.status_code == 200
    assert not has_second_factor(user.pk)
    assert "Your recovery codes" in owner.post(ENROL, {"code": code(seen_by_owner)}).content.decode()
    assert is_in(owner)
    assert not is_in(thief)


def test_the_pending_seed_of_an_earlier_sign_in_is_never_confirmed(user: User) -> None:
    thief, _ = first_step(user)
    seed = shown_seed(thief.get(ENROL))
    owner, _ = first_step(user)
    owner.get(ENROL)
    thief.post(ENROL, {"code": code(seed)})
    assert not has_second_factor(user.pk)
    assert not is_in(thief)


def test_a_seed_shown_over_the_api_is_not_confirmed_at_a_page_nor_the_other_way_round(user: User) -> None:
    thief, (owner, _) = api_client(user), first_step(user)
    over_the_api = begun(thief)
    at_the_page = shown_seed(owner.get(ENROL))
    assert at_the_page != over_the_api
    assert confirm(thief, over_the_api).status_code == 409
    assert confirm(thief, at_the_page).status_code == 409
    assert not has_second_factor(user.pk)


def test_on_ones_own_page_a_seed_from_another_browser_is_not_confirmed() -> None:
    user = hire()
    thief, owner = browser(user), browser(user)
    seed = shown_seed(thief.post(OWN, {"act": "begin", "password": PASSWORD}))
    assert "Your recovery codes" not in owner.post(OWN, {"act": "confirm", "code": code(seed)}).content.decode()
    mine = shown_seed(owner.post(OWN, {"act": "begin", "password": PASSWORD}))
    assert "Your recovery codes" not in thief.post(OWN, {"act": "confirm", "code": code(seed)}).content.decode()
    assert not has_second_factor(user.pk)
    assert "Your recovery codes" in owner.post(OWN, {"act": "confirm", "code": code(mine)}).content.decode()
