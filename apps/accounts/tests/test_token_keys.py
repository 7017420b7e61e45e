"""Tokens name the key that signed them, and belong to one person's session."""

from typing import Any

import jwt
import pytest
from django.conf import settings

from apps.accounts import services
from apps.accounts.authentication import tokens
from apps.accounts.authentication.signing_keys import key_id
from apps.accounts.models import Session
from apps.accounts.services import SignedIn
from apps.accounts.tests.factories import PASSWORD, ApiClient, api_client, hire

pytestmark = pytest.mark.django_db
OLD, NEW = "the key of last year, which is long enough", "the key of this year, which is long enough"


def signed_in(username: str) -> SignedIn:
    return services.sign_in(username=username, password=PASSWORD, ip=None, user_agent="")


def me(pair: tokens.TokenPair) -> int:
    return ApiClient(api_client().client, pair.access_token).get("/auth/me").status_code


def refreshed(pair: tokens.TokenPair) -> int:
    return api_client().post("/auth/refresh", {"refresh_token": pair.refresh_token}).status_code


def resigned(raw: str, **changes: Any) -> str:
    """The token with other claims, signed with the right key."""
    key = settings.HIMS_JWT_KEYS[0]
    claims = jwt.decode(raw, options={"verify_signature": False})
    return jwt.encode(claims | changes, key, headers={"kid": key_id(key)})


def test_both_tokens_name_the_key_and_tell_nothing_of_it(settings: Any) -> None:
    settings.HIMS_JWT_KEYS = [NEW]
    hire()
    pair = signed_in("nurse.ward").tokens
    heads = [jwt.get_unverified_header(raw) for raw in (pair.access_token, pair.refresh_token)]
    assert heads == [{"alg": "HS256", "typ": "JWT", "kid": key_id(NEW)}] * 2
    assert key_id(NEW) != key_id(OLD)
    assert key_id(NEW) not in NEW


def test_tokens_of_the_previous_key_work_on_until_it_is_taken_out(settings: Any) -> None:
    hire()
    settings.HIMS_JWT_KEYS = [OLD]
    old, other = signed_in("nurse.ward").tokens, signed_in("nurse.ward").tokens
    settings.HIMS_JWT_KEYS = [NEW, OLD]
    assert (me(old), refreshed(old)) == (200, 200)
    assert jwt.get_unverified_header(signed_in("nurse.ward").tokens.access_token)["kid"] == key_id(NEW)
    settings.HIMS_JWT_KEYS = [NEW]
    assert (me(old), me(other), refreshed(other)) == (401, 401, 401)


def test_a_token_opens_nothing_in_another_persons_session() -> None:
    hire()
    thief = hire("thief")
    victim = signed_in("nurse.ward").tokens
    forged = tokens.TokenPair(
        resigned(victim.access_token, sub=str(thief.pk)), resigned(victim.refresh_token, sub=str(thief.pk)), victim.expires_in
    )
    assert (me(forged), refreshed(forged)) == (401, 401)
    assert me(victim) == 200
    assert Session.objects.get().ended_at is None
