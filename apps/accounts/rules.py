"""Decides which passwords are too easy, and how long unknown callers must wait. Pure decisions on plain values."""

import re
from collections.abc import Callable, Iterable

LENGTH = 15  # characters of a password without a second factor (NIST SP 800-63B-4, 3.1.1.2)
LENGTH_WITH_MFA = 8
MAX_LENGTH = 128
_MIN_REMAINING = 8  # characters that must be left after removing names and words of the trade
_MIN_DISTINCT = 5
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")

# What an attacker of a clinic tries first.
_TRADE = (
    "arocord hims clinic klinik hospital health healthcare medical medicine doctor nurse patient pharmacy pharmacist laboratory "
    "reception receptionist billing admin administrator manager sandbox portal staff password passwort passphrase welcome "
    "letmein login secret changeme qwerty"
)
TRADE_WORDS = frozenset(re.findall(r"\w+", _TRADE))

ALLOWED_FAILURES = 10  # within a quarter of an hour, before callers unknown to the account have to wait
MAX_PAUSE = 60  # seconds
FAILURES_UNTIL_RESET = 100  # in a row (NIST SP 800-63B-4, 3.2.2)


def weakness(password: str, *, with_mfa: bool, own: Iterable[str], is_common: Callable[[str], bool]) -> str | None:
    """Returns why this password is refused; None if it is accepted. `own` are the user's names; `is_common` knows common
    passwords.

    No rule about kinds of characters, and none about age: both make passwords worse (NIST SP 800-63B-4).
    """
    minimum = LENGTH_WITH_MFA if with_mfa else LENGTH
    if len(password) < minimum:
        return f"This password is too short: at least {minimum} characters. Three or four words that are not a name work well."
    if len(password) > MAX_LENGTH:
        return f"This password is too long: at most {MAX_LENGTH} characters."
    plain = password.casefold()
    if any(
        is_common(part)
        for part in (plain, _without_affixes(plain), _repeated_unit(plain), _repeated_unit(_without_affixes(plain)))
    ):
        return "This password is too common: it is on the list of passwords that attackers try first."
    if len(set(plain)) < _MIN_DISTINCT or _is_run(plain):
        return "This password is too easy to guess: it repeats itself or follows the keyboard or the alphabet."
    remaining = _without(plain, {*TRADE_WORDS, *_words(own)})
    if len(remaining) < _MIN_REMAINING and remaining != _without(plain, set()):
        return "This password is too easy to guess: 8 characters must be left without your names and the clinic's."
    return None


def pause_after(failures: int, *, allowed: int = ALLOWED_FAILURES) -> int:
    """Returns the seconds after the last of so many failures until an unknown caller may try again: 0, then 2, 4, 8 … 60."""
    over = failures - allowed
    return 0 if over <= 0 else min(MAX_PAUSE, 2 ** min(over, 10))


def _without_affixes(text: str) -> str:
    """Returns the text without leading and trailing digits and signs."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)


def _repeated_unit(text: str) -> str:
    """Returns the unit that the text repeats, if it consists of repetitions alone."""
    return text[: (text + text).find(text, 1)] if text else text


def _is_run(text: str) -> bool:
    """Returns whether the text is one run of the alphabet, the digits or the keyboard, forwards or backwards."""
    return any(text in run * 3 or text in (run * 3)[::-1] for run in _RUNS)


def _words(own: Iterable[str]) -> set[str]:
    """Returns the words of names, usernames and addresses that are long enough to matter."""
    return {word for text in own for word in re.split(r"[\W_]+", text.casefold()) if len(word) > 2}


def _without(text: str, words: set[str]) -> str:
    """Returns the letters and digits that remain after removing the words, the longest first."""
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, " ")
    return re.sub(r"[\W_]+", "", text)
