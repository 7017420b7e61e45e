"""Other forms of a name under which the search finds a person. Pure: text in, text out; `rules` folds what this returns.

- The Arabic article: الزهراء is zahra and al-zahra (in Latin letters al-, el-, ul- and the assimilated ash-, ad-, as- …).
- Chinese, Japanese and Korean write a full name without a space, family name first.
- Nicknames: the data set `nicknames` (github.com/carltonnorthern/nicknames, Apache 2.0) of English given names.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import permutations

from nicknames import NickNamer

# Han with its repetition marks, Hiragana, Katakana and Hangul syllables: scripts that put no space into a name.
_UNSPACED = re.compile(
    "[\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003134f]+"
)
_MOST_RUNS = 12  # characters of a name that may begin a part of it
_ARABIC_ARTICLE = re.compile(r"(?:ال|ٱل)(?=\w{2})")
_HYPHEN = "[-'’‘`\u2010\u2011]"
_LATIN_ARTICLE = re.compile(
    rf"(?:[aeiu]l|[aeu](?P<sun>[snrtdzl])(?={_HYPHEN}(?P=sun))|[aeu](?P<two>sh|th|dh)(?={_HYPHEN}(?P=two))){_HYPHEN}(?=\w\w)",
    re.I,
)
_ARTICLES = frozenset({"al", "el"})
# Separators of two names besides a blank: HL7's caret, commas of every script, slashes, the Katakana middle dot.
_BETWEEN = re.compile(r"[,;:^/|&\\\u060c\u3001\uff0c\u30fb\u00b7]+")
_DOT_BETWEEN = re.compile(r"(?<=[^\W\d_]{2})\.(?=[^\W\d_]{2})")


def parted(text: str) -> str:
    """Returns the text with a blank wherever a separator occurs between two names: `Doe,John`, `DOE^JOHN`, `Doe/John`,
    `john.doe`."""
    return _DOT_BETWEEN.sub(" ", _BETWEEN.sub(" ", text))


def without_article(word: str) -> str:
    """Returns the word without its Arabic article; empty if it has none."""
    for article in (_ARABIC_ARTICLE, _LATIN_ARTICLE):
        if match := article.match(word):
            return word[match.end() :]
    return ""


def is_article(word: str) -> bool:
    """Returns whether the word is a separate article, as in `Al Zahra`."""
    return word.lower() in _ARTICLES


def is_unspaced(text: str) -> bool:
    """Returns whether the text is in a script that puts no space into a name."""
    return _UNSPACED.fullmatch(text) is not None


def unspaced_runs(names: Iterable[str]) -> Iterator[str]:
    """Returns the search words of an unspaced name besides its fields: each ending of a field, and the full name, either part
    first."""
    parts = [name for name in ("".join(name.split()) for name in names) if name and is_unspaced(name)]
    for part in parts:
        yield from (part[place:] for place in range(1, min(len(part), _MOST_RUNS)))
    yield from joined_runs(parts)


def joined_runs(parts: list[str]) -> list[str]:
    """Returns the parts of a name as one run, in every order; none for fewer than two, or more than three."""
    return ["".join(order) for order in permutations(parts)] if 2 <= len(parts) <= 3 else []


def also_called(name: str) -> frozenset[str]:
    """Returns the nicknames of a folded given name, and the names that it is a nickname of: roberta and bobbie, in both
    directions."""
    names = _nicknames()
    return frozenset(word for word in names.nicknames_of(name) | names.canonicals_of(name) if word.isalpha() and word != name)


@cache
def _nicknames() -> NickNamer:
    return NickNamer()
