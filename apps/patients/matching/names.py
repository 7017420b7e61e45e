"""How similar two names are, and which names are provisional. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from apps.patients import rules

MIDDLE_USED = 0.5
_MOST_EDITS, _MOST_EDITED = 2, 0.4  # of the longer word's letters
_SOUND, _PART = 0.65, 0.75
_SOUND_MOST_EDITED = 0.6  # Jane and John share their metaphone
_GENERATIONS = {"jr", "sr", "junior", "senior", "ii", "iii", "iv"}


class Resemblance(Enum):
    """How two names nearly agree."""

    MISSPELT = "misspelt"
    SOUND = "sound"
    PART = "part"


@dataclass(frozen=True)
class NameSimilarity:
    """`share` from 0 (clearly different) to 1 (the same); `resemblance` is how they agree if they are not the same."""

    share: float
    resemblance: Resemblance | None = None


THE_SAME, DIFFERENT = NameSimilarity(1.0), NameSimilarity(0.0)


def folded(name: str) -> tuple[str, ...]:
    """Returns the folded words; a name without letters represents itself."""
    return tuple(rules.words(name)) or tuple(name.casefold().split())


def family(name: str) -> tuple[str, ...]:
    """Returns the folded words of a last name, without Jr., Sr., II and the like."""
    words = folded(name)
    return tuple(word for word in words if word not in _GENERATIONS) or words


def alike(left: tuple[str, ...], right: tuple[str, ...], sounds: Mapping[str, str], *, initials: bool = False) -> NameSimilarity:
    """Compares two folded names. `sounds` maps a name, written as one word, to how it sounds."""
    one, other = "".join(left), "".join(right)
    if one == other or set(left) == set(right):
        return THE_SAME
    longer, sounds_alike = max(len(one), len(other)), _sounds_alike(one, other, sounds)
    compared = sounds_alike or abs(len(one) - len(other)) <= _MOST_EDITS
    edits = rules.distance(one, other) if compared else longer
    similarities = []
    if set(left) < set(right) or set(right) < set(left) or (initials and is_initial(one, other)):
        similarities.append(NameSimilarity(_PART, Resemblance.PART))
    if edits <= _MOST_EDITS and edits <= longer * _MOST_EDITED:
        similarities.append(NameSimilarity(1 - 1.25 * edits / longer, Resemblance.MISSPELT))
    if sounds_alike and edits <= longer * _SOUND_MOST_EDITED:
        similarities.append(NameSimilarity(_SOUND, Resemblance.SOUND))
    return max(similarities, default=DIFFERENT, key=lambda way: way.share)


def is_initial(one: str, other: str) -> bool:
    """Returns whether one is the other's first letter."""
    return min(len(one), len(other)) == 1 and one[:1] == other[:1]


def _sounds_alike(one: str, other: str, sounds: Mapping[str, str]) -> bool:
    return bool(sounds.get(one)) and sounds[one] == sounds.get(other)


# Newborns

_NEWBORN = re.compile(
    r"(?:baby|newborn|infant|bb|twin|triplet)(?P<sex>boy|girl|male|female)?(?:twin)?(?P<letter>[a-d1-4])?(?:of\w+)?"
)
_SEX = {"boy": "male", "male": "male", "girl": "female", "female": "female"}
_LETTER = dict(zip("1234", "abcd", strict=True))


@dataclass(frozen=True)
class Newborn:
    """A provisional first name: what it says about the child's sex, and which of several it is."""

    sex: str
    letter: str

    def is_not(self, other: "Newborn") -> bool:
        """Returns whether the names distinguish two children."""
        return any(mine and theirs and mine != theirs for mine, theirs in ((self.sex, other.sex), (self.letter, other.letter)))


def newborn(first: str, middle: str, gender: str) -> Newborn | None:
    """Returns what a first name like Baby, Baby Boy, BB or Twin A says; None for a given name. Takes folded names as one word."""
    match = _NEWBORN.fullmatch(first)
    if match is None:
        return None
    letter = match["letter"] or (middle if re.fullmatch("[a-d1-4]", middle) else "")
    sex = _SEX.get(match["sex"] or "") or (gender if gender in _SEX else "")
    return Newborn(sex=sex, letter=_LETTER.get(letter, letter))
