"""Reads a search text as the person to register: names, birth date and telephone number. Pure."""

import re
from dataclasses import dataclass
from datetime import date

from apps.patients import rules

_PHONE = re.compile(r"\+?\(?\d[\d\s().-]{5,}\d")
_SHORTEST_PHONE = 7  # digits
_LAST_NAME_FIRST = re.compile(r"[,^]")  # "Doe, John", and DOE^JOHN as HL7 writes it


@dataclass(frozen=True)
class TypedPerson:
    """What a search text says of a person. Each part may be empty."""

    first_name: str = ""
    last_name: str = ""
    born: date | None = None
    phone: str = ""


def typed_person(text: str, today: date, *, month_first: bool) -> TypedPerson:
    """Returns the person that the text describes. A single name is the last name; of several the first word is the first name,
    unless a comma follows the last name. Words with digits that are no date and no number are left out."""
    born, rest = rules.take_birth(text.strip(), today, month_first=month_first)
    phone = next((match[0] for match in _PHONE.finditer(rest) if len(rules.digits(match[0])) >= _SHORTEST_PHONE), "")
    first, last = _names(rest.replace(phone, " ", 1) if phone else rest)
    return TypedPerson(_capitalized(first), _capitalized(last), born, phone.strip())


def _names(text: str) -> tuple[str, str]:
    last, comma, first = _split(text)
    words = [word for word in first.split() if not any(map(str.isdigit, word))]
    if comma:
        return " ".join(words), " ".join(last.split())
    return (words[0], " ".join(words[1:])) if len(words) > 1 else ("", " ".join(words))


def _split(text: str) -> tuple[str, bool, str]:
    if mark := _LAST_NAME_FIRST.search(text):
        return text[: mark.start()], bool(text[: mark.start()].strip()), text[mark.end() :].replace("^", " ")
    return "", False, text


def _capitalized(name: str) -> str:
    """Returns the words with a capital first letter, those that are all small or all capitals."""
    return " ".join(word.title() if word.islower() or (word.isupper() and len(word) > 1) else word for word in name.split())
