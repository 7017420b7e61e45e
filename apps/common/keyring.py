"""Secrets at rest: encrypted with the newest key of HIMS_KEY_RING, readable with any of its keys (Fernet: AES-128-CBC and
HMAC-SHA256).

Secrets that are only compared (refresh tokens, recovery codes, API keys, mailed links) are stored as hashes instead. Remove a key
from the ring once no data is encrypted with it.
"""

import hashlib
from base64 import urlsafe_b64encode
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unreadable(Exception):
    """No key of the ring decrypts this: it was encrypted with a removed key, or it was changed."""


def encrypt(secret: bytes) -> bytes:
    """Returns the secret, encrypted with the newest key."""
    return _ring(tuple(settings.HIMS_KEY_RING)).encrypt(secret)


def decrypt(sealed: bytes) -> bytes:
    """Returns the decrypted secret. Raises Unreadable."""
    try:
        return _ring(tuple(settings.HIMS_KEY_RING)).decrypt(bytes(sealed))
    except InvalidToken as error:
        raise Unreadable from error


@cache
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    """Converts keys: a key is any long random text, but Fernet needs 32 bytes, so its SHA-256 is the key."""
    return MultiFernet([Fernet(urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys])
