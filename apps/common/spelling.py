"""Search words that are misspelt, and the known words that they are near. A model of known words has the column `word`, with an
index of its trigrams."""

from collections.abc import Sequence

from django.contrib.postgres.search import SearchQuery, TrigramSimilarity
from django.db.models import Exists, Model
from django.db.models.functions import Length

_MIN_LENGTH = 4  # letters: shorter words have too many neighbours
MAX_LENGTH_DIFFERENCE = 2
_MIN_SIMILARITY = 0.4  # share of trigrams (pg_trgm): "hypertention" and "hypertension" share 0.62, "diabets" and "diabetes" 0.55


def is_correctable(word: str) -> bool:
    """Returns whether another word may be meant: long enough, and letters alone."""
    return len(word) >= _MIN_LENGTH and word.isalpha()


def corrected(known_words: type[Model], words: Sequence[str]) -> list[str]:
    """Returns the words in order of the alphabet, each one that begins no known word replaced by the most similar known word, if
    any is near. One query, and one for each misspelt word."""
    candidates = [word for word in words if is_correctable(word)]
    if not candidates:
        return list(words)
    rows = known_words._default_manager
    prefixes = {f"begun_{place}": Exists(rows.filter(word__startswith=word)) for place, word in enumerate(candidates)}
    known = rows.annotate(**prefixes).values(*prefixes).first() or {}
    misspelt = [word for place, word in enumerate(candidates) if known and not known[f"begun_{place}"]]
    return sorted({_most_similar(known_words, word) if word in misspelt else word for word in words})


def begins(words: Sequence[Sequence[str]], *, weight: str = "") -> SearchQuery:
    """Returns the search for rows in which every word begins one of the row's words, each in one of its alternatives."""
    groups = [" | ".join(f"'{word}':*{weight}" for word in group) for group in words]
    return SearchQuery(" & ".join(f"({group})" for group in groups), config="simple", search_type="raw")


def _most_similar(known_words: type[Model], word: str) -> str:
    similar = known_words._default_manager.filter(word__trigram_similar=word).annotate(
        size=Length("word"), alike=TrigramSimilarity("word", word)
    )
    near = similar.filter(
        size__gte=len(word) - MAX_LENGTH_DIFFERENCE, size__lte=len(word) + MAX_LENGTH_DIFFERENCE, alike__gte=_MIN_SIMILARITY
    )
    return near.order_by("-alike", "word").values_list("word", flat=True).first() or word
