"""Compares two spellings of a telephone number or a street."""

from apps.patients import rules

PHONE_TAIL = 7  # the subscriber's number, without any prefix
_ABBREVIATED = {
    "street": "st",
    "avenue": "ave",
    "road": "rd",
    "drive": "dr",
    "lane": "ln",
    "boulevard": "blvd",
    "court": "ct",
    "place": "pl",
    "apartment": "apt",
}


def phone_tail(phone: str) -> str:
    """Returns the last seven digits; empty if there are fewer."""
    digits = rules.digits(phone)
    return digits[-PHONE_TAIL:] if len(digits) >= PHONE_TAIL else ""


def street(text: str) -> str:
    """Returns the words of a street, the usual ones abbreviated."""
    return " ".join(_ABBREVIATED.get(word, word) for word in rules.words(text))
