"""Secrets at rest: encrypted with the newest key of HIMS_KEY_RING, readable with any on it (Fernet: AES-128-CBC and HMAC-SHA256).

What is only ever compared (refresh tokens, recovery codes, API keys, mailed links) is not kept here but as a hash. A key is taken
off the ring once nothing is encrypted with it any more.
"""

import hashlib
from base64 import urlsafe_b64encode
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unreadable(Exception):
    """No key on the ring reads this: it was encrypted with a key that is gone, or it was changed."""


def encrypt(secret: bytes) -> bytes:
    """The secret, sealed with the newest key."""
    return _ring(tuple(settings.HIMS_KEY_RING)).encrypt(secret)


def decrypt(sealed: bytes) -> bytes:
    """What was sealed. Raises Unreadable."""
    try:
        return _ring(tuple(settings.HIMS_KEY_RING)).decrypt(bytes(sealed))
    except InvalidToken as error:
        raise Unreadable from error


@cache
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    """A key is any long random text; Fernet wants 32 bytes, so its SHA-256 is the key."""
    return MultiFernet([Fernet(urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys])
