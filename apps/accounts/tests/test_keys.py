"""The text of an API key, where it may be used from, and when it is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.api_keys import rules
from apps.accounts.api_keys.rules import KeyState

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LIVE = KeyState(secret_ends_at=None, revoked_at=None, expires_at=None, owner_is_active=True)


def test_a_key_has_192_random_bits_and_says_what_it_is_for() -> None:
    texts = {rules.generate("test") for _ in range(200)}
    assert len(texts) == 200
    assert all(rules.kind_of(text) == "test" and len(text) == len("hims_test_") + 48 for text in texts)


def test_only_production_takes_live_keys() -> None:
    assert rules.kind_for("production") == "live"
    assert {rules.kind_for(name) for name in ("sandbox", "development", "staging", "test")} == {"test"}


@pytest.mark.parametrize(
    "text", ["", "hims_", "hims_test_", "hims_prod_" + "a" * 48, "hims_test_" + "A" * 48, "x", "hims_test_é"]
)
def test_what_is_no_key_has_no_kind(text: str) -> None:
    assert rules.kind_of(text) is None


def test_only_a_few_characters_are_ever_shown_again() -> None:
    text = rules.generate("live")
    prefix, last4 = rules.visible_parts(text)
    assert (prefix, last4) == (text[:16], text[-4:])
    assert len(text) - len(prefix) - len(last4) >= 32  # hexadecimal digits: 128 bits stay unknown


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (LIVE, ""),
        (KeyState(NOW + timedelta(seconds=1), None, NOW + timedelta(seconds=1), owner_is_active=True), ""),
        (KeyState(NOW, None, None, owner_is_active=True), "rotated"),
        (KeyState(None, NOW, None, owner_is_active=True), "revoked"),
        (KeyState(None, None, NOW, owner_is_active=True), "expired"),
        (KeyState(None, None, None, owner_is_active=False), "closed"),
    ],
    ids=str,
)
def test_a_dead_key_is_refused_with_the_reason(state: KeyState, word: str) -> None:
    reason = rules.refusal_reason(state, NOW)
    assert bool(reason) == bool(word)
    assert word in reason


@pytest.mark.parametrize(
    ("networks", "ip", "allowed"),
    [
        ([], "8.8.8.8", True),
        ([], None, True),
        (["203.0.113.0/24"], "203.0.113.9", True),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", True),
        (["203.0.113.0/24"], "203.0.114.9", False),
        (["203.0.113.0/24"], None, False),
        (["10.0.0.1/32", "2001:db8::/32"], "2001:db8::7", True),
        (["2001:db8::/32"], "10.0.0.1", False),
    ],
)
def test_a_list_of_networks_lets_in_what_lies_within(networks: list[str], ip: str | None, allowed: bool) -> None:
    assert rules.is_address_allowed(networks, ip) is allowed


def test_a_network_is_kept_in_one_form_and_a_slip_is_refused() -> None:
    assert rules.normalized_network(" 10.0.0.5 ") == "10.0.0.5/32"
    for wrong in ("10.0.0.5/24", "10.0.0", "everywhere", "10.0.0.0/33", ""):
        with pytest.raises(ValueError, match=r"."):
            rules.normalized_network(wrong)
