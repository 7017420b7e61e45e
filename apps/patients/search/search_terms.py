"""The search rows of a patient, and the index ranges of a query's rows. Pure.

In addition to each word (`rules.search_words`) there is a row for every two name words of the patient, with their letters
alternating after `=` and the alphabetically first one first: John Doe is `=djooeh n`. So the patients with the beginnings of two
names are in one short range, however common each of the names is alone. A blank ends each name, so that `doe` comes before
`doerr`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations, pairwise, zip_longest

END = "~"  # sorts after every character of a word
_NUMBERS = "+-"
_PAIR = "="
_CUT = 48  # letters of a name in a pair: two of them, their ends and the mark fit into a row


def rows(words: Iterable[str]) -> list[tuple[str, int]]:
    """Returns each word of a patient, including pairs, with the number of letters it shares with the previous word.

    A patient counts only at words that share fewer letters with the previous one than were typed, and so counts once. Digits that
    begin longer ones of the same kind add nothing and are left out.
    """
    terms = sorted({*words})
    terms = [word for word, following in pairwise([*terms, ""]) if word[0] not in _NUMBERS or not following.startswith(word)]
    terms = sorted({*terms, *(_pair(one, other) for one, other in combinations(terms, 2) if (one[0] + other[0]).isalnum())})
    return [(word, _shared(before, word)) for before, word in pairwise(["", *terms])]


def _shared(one: str, other: str) -> int:
    """Returns how many letters both begin with."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))


def _pair(one: str, other: str) -> str:
    """Returns the two in order as one word."""
    return _PAIR + "".join(map("".join, zip_longest(one[:_CUT] + " ", other[:_CUT] + " ", fillvalue=" ")))


@dataclass(frozen=True)
class TermRange:
    """The words from `low` up to before `high` that match the LIKE pattern `like`; `whole` if that is one word."""

    low: str
    high: str
    like: str = "%"
    whole: bool = False


def prefix_range(text: str) -> TermRange:
    """Returns all words with this beginning; if the text ends in a blank, the one word before it."""
    word = text.rstrip()
    return TermRange(word, word + "!", whole=True) if text != word else TermRange(text, text + END)


def pair_range(one: str, other: str) -> TermRange | None:
    """Returns the range of patients with a word that begins with the one, and another (or the same) that begins with the other
    text.

    None if that is not a name, or so long that only part of it is in the pair.
    """
    one, other = sorted((one, other))
    if other.startswith(one):
        return prefix_range(other)
    if not (one.rstrip() + other.rstrip()).isalnum() or max(len(one.rstrip()), len(other.rstrip())) > _CUT:
        return None
    both = min(len(one), len(other))
    low = _PAIR + "".join(map("".join, zip(one[:both], other[:both], strict=True)))
    rest = "".join(f"{letter}_" for letter in one[both:]) + "".join(f"_{letter}" for letter in other[both:])
    return TermRange(low, low + END, like=f"{low}{rest}%" if rest else "%")


def needed(groups: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Returns the relevant groups of prefixes: a patient who matches `johns` matches `jo` anyway. The longest first."""
    kept: list[tuple[str, ...]] = []
    for group in sorted(groups, key=lambda group: -max(map(len, group))):
        if not any(all(any(longer.startswith(prefix) for prefix in group) for longer in other) for other in kept):
            kept.append(group)
    return kept
