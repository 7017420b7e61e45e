"""The two tokens of a session, signed by simplejwt with a pinned algorithm, issuer, audience and type.

A token names its session (`sid`) and no permissions: those are read from the database.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import cast
from uuid import UUID

from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import Token

from apps.accounts.authentication.signing_keys import Access, Refresh
from apps.common import clock
from apps.common.errors import Unauthenticated


class InvalidToken(Unauthenticated):
    message = "The token is invalid or has expired. Sign in again."


@dataclass(frozen=True)
class TokenPair:
    """An access token, its refresh token and the access token's lifetime in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The session a token belongs to, the person it was issued to, and its expiry in epoch seconds."""

    session_id: UUID
    user_id: UUID
    expires_epoch: int


def issue(*, user_id: UUID, session_id: UUID, until: datetime) -> TokenPair:
    """Returns a new pair; neither outlives the session's absolute end."""
    access, refresh = Access(), Refresh()
    for token in (access, refresh):
        token["sub"] = str(user_id)
        token["sid"] = str(session_id)
    refresh.set_exp(from_time=until, lifetime=until - until)
    return TokenPair(str(access), str(refresh), int(settings.ACCESS_TOKEN_LIFETIME.total_seconds()))


def read_access(raw: str) -> Claims:
    """Returns the claims of an access token. Raises InvalidToken for any other string, and for an expired one."""
    claims = _read_access_cached(raw, tuple(settings.HIMS_JWT_KEYS))
    if clock.now().timestamp() >= claims.expires_epoch + settings.TOKEN_LEEWAY:
        raise InvalidToken
    return claims


def read_refresh(raw: str) -> Claims:
    """Returns the claims of a refresh token. Raises InvalidToken for any other string."""
    return _read(raw, Refresh)


def fingerprint(raw: str) -> bytes:
    """Returns the stored form of a refresh token: its SHA-256."""
    return hashlib.sha256(raw.encode()).digest()


@lru_cache(maxsize=10_000)
def _read_access_cached(raw: str, keys: tuple[str, ...]) -> Claims:  # noqa: ARG001  # part of what is remembered
    """As `_read`, with a cache: a valid signature stays valid while the keys are the same, so a process checks it once.

    Only valid tokens are cached.
    """
    return _read(raw, Access)


def _read(raw: str, kind: type[Token]) -> Claims:
    """Returns the claims of a valid token. Raises InvalidToken."""
    try:
        token = kind(cast("Token", raw))
        return Claims(session_id=UUID(token["sid"]), user_id=UUID(token["sub"]), expires_epoch=int(token["exp"]))
    except (TokenError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InvalidToken from error
