"""Text as it may be stored and shown: names on one line, without characters that hide, reorder or imitate. Pure.

Sources: Unicode Standard Annex #9 (bidirectional algorithm), #15 (normalisation), #31 section 2.3 (where joiners are part of a
word) and #44 (general categories). `\\uXXXX` escapes are used throughout, because the characters themselves cannot be seen.
"""

import re
import unicodedata

from apps.common.errors import Invalid

# Letters by their category that are drawn as nothing (DerivedCoreProperties: Default_Ignorable_Code_Point) or as a blank.
_BLANK_LETTERS = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_JOINERS = "\u200c\u200d"
_SPACES = re.compile(r"\s+")
_RIGHT_TO_LEFT = ("R", "AL")
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_VIRAMA = 9  # canonical combining class

# The same for PostgreSQL, without the joiners: what no stored name may contain. A test compares it with `clean_line`.
HIDDEN = (
    r"[\u0001-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u2064\u2066-\u2069\uFEFF"
    r"\u115F\u1160\u2800\u3164\uFFA0]"
)


LOOKS_BLANK = "Contains only invisible characters. Enter visible text, or leave it out."


class LooksBlank(ValueError):
    """The text has characters, but a reader would see nothing."""


def clean_line(text: str) -> str:
    """Returns the text as one line: in normal form C, with single spaces, without control characters, direction marks and other
    characters that are not drawn.

    Line breaks and tabs become spaces. Joiners stay where a script needs them (Persian, Hindi). Raises LooksBlank for a text that
    is not empty and shows nothing.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    spaced = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    kept = "".join(letter for place, letter in enumerate(spaced) if not _is_hidden(spaced, place))
    line = " ".join(kept.split())
    if not any(unicodedata.category(letter)[0] in "LNPS" for letter in line):
        if text.strip():
            raise LooksBlank
        return ""
    return line


def checked_line(text: str, *, field: str) -> str:
    """Returns `clean_line(text)`. Raises Invalid naming the field where the text only looks blank."""
    try:
        return clean_line(text)
    except LooksBlank as problem:
        raise Invalid(field=field, issue=LOOKS_BLANK) from problem


def clean_lines(text: str) -> str:
    """Returns a note of several lines without control characters; line breaks and tabs stay."""
    return "".join(letter for letter in text if letter in "\n\t" or unicodedata.category(letter) != "Cc")


def isolated(text: str) -> str:
    """Returns the text so that its direction does not reorder the text around it in plain text (a title, a mail).

    Text without right-to-left letters is returned as it is. Pages use the element `<bdi>` instead.
    """
    if any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in text):
        return f"{_ISOLATE}{text}{_END_ISOLATE}"
    return text


def full_name(first: str, last: str) -> str:
    """Returns the name as it is spoken; one of the two may be empty."""
    return f"{first} {last}".strip()


def filed_name(last: str, first: str, middle: str = "") -> str:
    """Returns the name as lists are ordered by it: `DOE, John Q`; `SUKARNO` for a person with one name."""
    return ", ".join(part for part in (last.upper(), f"{first} {middle}".strip()) if part)


def _is_hidden(text: str, place: int) -> bool:
    letter = text[place]
    if letter in _JOINERS:
        return not _joins(text, place)
    return letter in _BLANK_LETTERS or unicodedata.category(letter) in ("Cc", "Cf")


def _joins(text: str, place: int) -> bool:
    """Whether a joiner changes how its neighbours are drawn: between Arabic letters, or after a virama (UAX #31, 2.3)."""
    before, after = text[:place].rstrip(_JOINERS), text[place + 1 : place + 2]
    if not before or not after:
        return False
    if unicodedata.combining(before[-1]) == _VIRAMA:
        return True
    letters = [letter for letter in before if not unicodedata.combining(letter)]
    return bool(letters) and unicodedata.bidirectional(letters[-1]) == "AL" == unicodedata.bidirectional(after)
