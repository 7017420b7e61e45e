"""The content of a seal: the canonical form of a row, and the HMAC that joins it to the previous seal.

The form is a JSON list in ASCII of the columns in the order of COLUMNS. Ids are lower-case text, the time is whole microseconds
since 1970 (no zone), the address has its mask (`10.0.0.7/32`), the detail is PostgreSQL's own text of jsonb: keys sorted by
length and bytes, numbers as decimals. None of it depends on a session's time zone, locale or float digits.

HMAC-SHA256, not a plain hash: an attacker who can write to the database could recompute a plain chain from a changed row. The key
is random, created with the chain, and stored in it encrypted with the key ring, which is not in the database.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from apps.audit.models import Chain
from apps.common import keyring

COLUMNS = (
    "a.id::text, (extract(epoch FROM a.at) * 1000000)::bigint, a.user_id::text, a.role, a.action, a.outcome, "
    "a.patient_id::text, a.object_id::text, a.ip::text, a.request_id, a.purpose, a.detail::text"
)
NO_SEAL = bytes(32)  # precedes the first seal
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Returns the exact number of microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def canonical(row: Sequence[Any]) -> bytes:
    """Returns the row, read as COLUMNS, as bytes.

    orjson writes the same bytes as Python's json in an eighth of the time, unless a text contains characters that json escapes
    and orjson does not: letters outside ASCII, and DEL.
    """
    compact = orjson.dumps(tuple(row))
    if compact.isascii() and b"\x7f" not in compact:
        return compact
    return json.dumps(list(row), separators=(",", ":")).encode()


class Sealer:
    """Creates seals with one key: HMAC-SHA256, whose two keyed states are computed once and copied (RFC 2104, section 4)."""

    def __init__(self, key: bytes) -> None:
        block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def seal(self, before: bytes, sequence: int, row: Sequence[Any]) -> bytes:
        """Returns the seal of a row: 32 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(before + sequence.to_bytes(8, "big") + canonical(row))
        outer.update(inner.digest())
        return outer.digest()


def seal(key: bytes, before: bytes, sequence: int, row: Sequence[Any]) -> bytes:
    """Returns the seal of one row: 32 bytes. For many rows create one Sealer."""
    return hmac.digest(key, before + sequence.to_bytes(8, "big") + canonical(row), "sha256")


def id_of(key: bytes) -> str:
    """Returns the chain's name outside the database: distinguishes chains and reveals nothing of the key."""
    return hmac.digest(key, b"chain", "sha256")[:8].hex()


def new_key() -> bytes:
    """Returns a new sealing key, encrypted."""
    return keyring.encrypt(secrets.token_bytes(32))


def key_of(chain: Chain) -> bytes:
    """Returns the sealing key. Raises keyring.Unreadable."""
    return keyring.decrypt(bytes(chain.secret))


def mac_of(chain: Chain, key: bytes) -> bytes:
    """Returns the correct value of `mac`."""
    times = [None if time is None else microseconds(time) for time in (chain.reach, chain.swept)]
    covered = [chain.sequence, bytes(chain.hash).hex(), *times, chain.anchored_on and chain.anchored_on.isoformat()]
    return hmac.digest(key, b"head" + json.dumps(covered, separators=(",", ":")).encode(), "sha256")
