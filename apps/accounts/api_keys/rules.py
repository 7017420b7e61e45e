"""The text of API keys, and when one is refused. Pure decisions; the rows are in `models`, the services in `services.api_keys`.

A key is `hims_live_` (production) or `hims_test_` (everywhere else) and 48 hexadecimal digits: 192 random bits.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

PREFIX = "hims_"
_PATTERN = re.compile(r"hims_(live|test)_[0-9a-f]{48}")
_VISIBLE_CHARACTERS = 16  # characters of the beginning that are stored, so that users recognize the key


@dataclass(frozen=True)
class KeyState:
    """The values that decide whether a known key is still valid."""

    secret_ends_at: datetime | None
    revoked_at: datetime | None
    expires_at: datetime | None
    owner_is_active: bool


def kind_for(environment: str) -> str:
    """Returns which keys an installation (HIMS_ENV) creates and accepts: `live` or `test`."""
    return "live" if environment == "production" else "test"


def kind_of(text: str) -> str | None:
    """Returns `live` or `test`; None if the text is not a key."""
    match = _PATTERN.fullmatch(text)
    return match[1] if match else None


def generate(kind: str) -> str:
    """Returns a new random key."""
    return f"{PREFIX}{kind}_{secrets.token_hex(24)}"


def visible_parts(text: str) -> tuple[str, str]:
    """Returns the beginning and the last four characters: the part that may be shown again."""
    return text[:_VISIBLE_CHARACTERS], text[-4:]


def refusal_reason(state: KeyState, now: datetime) -> str:
    """Returns why a known key is refused, as a message for its user; empty if it is valid."""
    if not state.owner_is_active:
        return "The account this API key belongs to is closed."
    if state.revoked_at is not None:
        return "This API key was revoked."
    if state.expires_at is not None and state.expires_at <= now:
        return "This API key has expired. Make a new one."
    if state.secret_ends_at is not None and state.secret_ends_at <= now:
        return "This API key was rotated and its overlap has ended. Use the new one."
    return ""


def normalized_network(text: str) -> str:
    """Returns an address or a block in CIDR notation, as it is stored. Raises ValueError with the reason."""
    return str(ip_network(text.strip()))


def is_address_allowed(networks: Sequence[str], ip: str | None) -> bool:
    """Returns whether a key with this list may be used from the address. An empty list allows every address."""
    if not networks:
        return True
    if ip is None:
        return False
    address: IPv4Address | IPv6Address = ip_address(ip)
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(block) for block in networks)
