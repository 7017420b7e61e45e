"""The keys that sign tokens. Each token names its key (`kid`, RFC 7515, 4.1.4), so that a new key can replace another while
tokens of the previous one are still valid: HIMS_JWT_KEY lists the signing key first, then those that only verify."""

import hashlib
import hmac
from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token


class RotatingBackend(TokenBackend):
    """simplejwt's backend with a `kid` in the header. Refuses a token without a key, or of a key that is no longer set."""

    def __init__(self) -> None:
        config: dict[str, Any] = settings.SIMPLE_JWT
        super().__init__(config["ALGORITHM"], audience=config["AUDIENCE"], issuer=config["ISSUER"], leeway=config["LEEWAY"])

    def encode(self, payload: dict[str, Any]) -> str:
        """Returns a signed token whose header names the key."""
        key = settings.HIMS_JWT_KEYS[0]
        claims = {**payload, "aud": self.audience, "iss": self.issuer}
        return jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": key_id(key)})

    def get_verifying_key(self, token: Token) -> Any:
        """Returns the key that the header names. Raises jwt.InvalidTokenError, which the caller turns into a refusal."""
        kid = jwt.get_unverified_header(token).get("kid")  # type: ignore[arg-type]  # simplejwt's word for the text
        for key in settings.HIMS_JWT_KEYS:
            if kid == key_id(key):
                return key
        raise jwt.InvalidSignatureError("no key with this name")


def key_id(key: str) -> str:
    """Returns the public name of a key, which reveals nothing about it."""
    return hmac.new(key.encode(), b"kid", hashlib.sha256).hexdigest()[:16]


_backend = RotatingBackend()


class Access(AccessToken):
    """An access token."""

    _token_backend = _backend


class Refresh(RefreshToken):
    """A refresh token."""

    _token_backend = _backend
