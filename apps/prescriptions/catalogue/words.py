"""By which words a drug is found. Pure; what is stored and what is sought go through here."""

import re
from collections.abc import Iterable

from anyascii import anyascii

QUERY_MAX = 100
_WORD = re.compile(r"[0-9]+(?:\.[0-9]+)?|[a-z]+")


def words(text: str) -> list[str]:
    """Returns the words and numbers of a text, each once: small letters without accents. `500mg` is `500` and `mg`."""
    return sorted(set(_WORD.findall(anyascii(text).lower().replace(",", ""))))


def vector(texts: Iterable[str]) -> str:
    """Returns the search vector of a drug's names, as PostgreSQL reads it."""
    return " ".join(f"'{word}':1" for word in words(" ".join(texts)))
