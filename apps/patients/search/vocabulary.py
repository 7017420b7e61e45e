"""What is known of all words together: the names with a similar spelling or sound, and which beginnings are common."""

from collections.abc import Iterable, Sequence

from django.db import transaction

from apps.common import locks
from apps.common.locks import LockName
from apps.common.sql import set_local
from apps.patients import rules
from apps.patients.models import NameWord
from apps.patients.search import sql

COMMON = sql.COUNTED_UP_TO
_NEAR_WORDS = 20
_LONGEST = sql.LONGEST


def near_words(words: Sequence[str]) -> list[dict[str, int]]:
    """Returns for each word the closest words of the vocabulary with their distance (see `rules.distance`), at most twenty."""
    near: list[dict[str, int]] = [{} for _ in words]
    if not words:
        return near
    values: dict[str, str] = {}
    for n, word in enumerate(word[:_LONGEST] for word in words):
        values |= {f"word{n}": word, f"swaps{n}": f" {' '.join(rules.swaps(word))} "}
    for n, word, cost in sql.near_words(len(words), values, most=_NEAR_WORDS):
        near[n][word] = cost
    return near


def known(words: Iterable[str]) -> set[str]:
    """Returns which of the words occur in a name."""
    wanted = sorted(set(words))
    if not wanted:
        return set()
    return set(NameWord.objects.filter(word__in=wanted).values_list("word", flat=True))


@transaction.atomic
def note_common() -> int:
    """Finds the beginnings that more than 10,000 patients have, and returns how many there are. No other process waits for it.

    Until then a new one is counted at each search; one that lost patients since is known to have.
    """
    locks.lock(LockName.COMMON_PREFIXES)
    set_local("statement_timeout", "0")
    return sql.note_common()
