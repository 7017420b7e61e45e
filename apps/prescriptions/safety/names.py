"""Which ingredients and classes a text of a chart means: a generic name, a brand, a class, an abbreviation, a misspelling.

A text that is a known name is never read as another one, so penicillamine does not become penicillin.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from apps.prescriptions.catalogue.rxnorm_names import base
from apps.prescriptions.safety.knowledge import Knowledge

_NOISE = re.compile(r"\b(allergy|allergic|allergies|intolerance|to|drug|drugs|class|medication|medicine|causing substance)\b")
_AMOUNT = re.compile(
    r"\b\d[\d.,]*\s*(mg|mcg|g|ml|units?|%)?(/\s*\d*\s*ml)?\b|\b(oral|tablets?|capsules?|injection|suspension|cream|gel)\b"
)
_SEVERAL = re.compile(r"\s*(?:/|,|;|\+|&|\band\b|\bor\b)\s*")
_MIN_FUZZY = 5  # letters
_NEAR = 0.88  # difflib's ratio: "penicilin" and "penicillin" have 0.95, "hydroxizine" and "hydroxyzine" 0.91


@dataclass(frozen=True)
class Meaning:
    """The ingredients and classes that a text means, and what of the text could not be matched."""

    means: frozenset[str]
    rest: str = ""


def meaning(text: str, knowledge: Knowledge) -> Meaning:
    """Returns what the text means. Of several substances, those that are known count, and the others are the rest.

    A known name that is no medicine, such as peanut, means nothing and is no rest.
    """
    words = _plain(text)
    whole = _match(words, knowledge)
    if whole is not None:
        return Meaning(whole)
    parts = {part: _match(part, knowledge) for part in _SEVERAL.split(words) if part}
    means = frozenset(one for known in parts.values() for one in known or ())
    unknown = [part for part, known in parts.items() if known is None]
    return Meaning(means, ", ".join(unknown) if len(unknown) < len(parts) else text)


def _match(words: str, knowledge: Knowledge) -> frozenset[str] | None:
    known = _known(words, knowledge)
    return _near(words, knowledge) if known is None else known


def _plain(text: str) -> str:
    words = text.lower().replace("\u200b", "")
    words = _AMOUNT.sub(" ", _NOISE.sub(" ", words))
    return " ".join(re.sub(r"[\[\]().:]", " ", words).split()).strip(" -/")


def _known(words: str, knowledge: Knowledge) -> frozenset[str] | None:
    """Returns what a known name means: a name of the table before an ingredient, without its salt if needed. None: not known."""
    for name in dict.fromkeys((words, base(words), words.removesuffix("s"))):
        if name in knowledge.names:
            return knowledge.names[name]
        if name and knowledge.is_known(name):
            return frozenset((name,))
    return None


def _near(words: str, knowledge: Knowledge) -> frozenset[str] | None:
    """Returns what the only near name means. Two near names that mean different things mean nothing."""
    if len(words) < _MIN_FUZZY:
        return None
    near = get_close_matches(words, _vocabulary(words[0], knowledge), n=3, cutoff=_NEAR)
    meanings = {_known(name, knowledge) for name in near}
    return meanings.pop() if len(meanings) == 1 else None


def _vocabulary(letter: str, knowledge: Knowledge) -> Collection[str]:
    known = {*knowledge.names, *knowledge.ingredients}
    return sorted(name for name in known if name.startswith(letter))
