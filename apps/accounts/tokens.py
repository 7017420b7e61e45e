"""The two tokens of a session, signed by simplejwt with a pinned algorithm, issuer, audience and type.

A token says which session it belongs to (`sid`) and nothing about rights: those are read from the database.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import cast
from uuid import UUID

from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from apps.common import clock
from apps.common.errors import Unauthenticated


class BadToken(Unauthenticated):
    message = "The token is invalid or has expired. Sign in again."


@dataclass(frozen=True)
class Pair:
    """An access token, its refresh token and the access token's lifetime in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


def issue(*, user_id: UUID, session_id: UUID, until: datetime) -> Pair:
    """A fresh pair; neither outlives the session's absolute end."""
    access, refresh = AccessToken(), RefreshToken()
    for token in (access, refresh):
        token["sub"] = str(user_id)
        token["sid"] = str(session_id)
    refresh.set_exp(from_time=until, lifetime=until - until)
    return Pair(str(access), str(refresh), int(settings.ACCESS_TOKEN_LIFETIME.total_seconds()))


def session_of_access(raw: str) -> UUID:
    """The session an access token belongs to. Raises BadToken for any other string."""
    session_id, good_until = _access(raw)
    if clock.now().timestamp() >= good_until + settings.TOKEN_LEEWAY:
        raise BadToken
    return session_id


def session_of_refresh(raw: str) -> UUID:
    """The session a refresh token belongs to. Raises BadToken for any other string."""
    return _read(raw, RefreshToken)[0]


def fingerprint(raw: str) -> bytes:
    """What is stored of a refresh token: its SHA-256."""
    return hashlib.sha256(raw.encode()).digest()


@lru_cache(maxsize=10_000)
def _access(raw: str) -> tuple[UUID, int]:
    """As `_read`. A signature once found good stays good, so a process checks it once; only good tokens are remembered."""
    return _read(raw, AccessToken)


def _read(raw: str, kind: type[Token]) -> tuple[UUID, int]:
    """The session and the expiry (epoch seconds) of a token that is what it should be. Raises BadToken."""
    try:
        token = kind(cast("Token", raw))
        return UUID(token["sid"]), int(token["exp"])
    except (TokenError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadToken from error
