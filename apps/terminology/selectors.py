"""Which code is valid on a day, which may be billed, and which codes a search may mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import product

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import Case, Func, IntegerField, Q, Value, When
from django.db.models.functions import Length

from apps.common.spelling import MAX_LENGTH_DIFFERENCE, begins, corrected, is_correctable
from apps.terminology import rules
from apps.terminology.icd10 import everyday_terms
from apps.terminology.models import IcdCode, IcdCodeQuerySet, IcdRelease, IcdWord

_SHORT = 5  # letters: up to here one letter off is much
_MOST_CHOICES = 6  # near words of one
_MOST_READINGS = 100


@dataclass(frozen=True, slots=True)
class CodeValidity:
    """What is known of a code on a date of service. `code` as the table has it (as it was sent, in capitals, where unknown);
    `is_billable` False for a header such as E11, which no claim takes.
    """

    code: str
    is_known: bool
    is_billable: bool
    display: str


def is_loaded(release: str) -> bool:
    """Returns whether the release of that name is in the table, with its search words."""
    return IcdRelease.objects.filter(name=release).exists() and IcdWord.objects.exists()


def any_loaded() -> bool:
    """Returns whether any codes are loaded. One indexed read, because the readiness check runs it often."""
    return IcdRelease.objects.exists()


def code(text: str, *, on: date) -> IcdCode | None:
    """Returns the code on a date of service, or None. Ignores case; the dot may be missing."""
    return IcdCode.objects.valid_on(on).filter(code=rules.dotted(text)).first()


def check_codes(codes: Iterable[str], *, on: date) -> dict[str, CodeValidity]:
    """Returns what is known of each code on a date of service, by the code as it was sent. One query."""
    normalized = {text: rules.dotted(text) for text in codes}
    rows = {row.code: row for row in IcdCode.objects.valid_on(on).filter(code__in={*normalized.values()}).defer("words")}
    return {text: _validity(known, rows.get(known)) for text, known in normalized.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """The codes of a search in order. `fuzzy`: no code matched as spelt, and codes of similar spellings are shown."""

    rows: IcdCodeQuerySet
    fuzzy: bool = False


def search(text: str, *, on: date, billable: bool | None = None) -> IcdCodeQuerySet:
    """Returns the rows of `find`."""
    return find(text, on=on, billable=billable).rows


def find(text: str, *, on: date, billable: bool | None = None) -> Found:
    """Returns the codes of a day that a user may mean by the text, the likeliest first.

    A code is found when every word of the text begins a word of its display, of a term that the Tabular List includes under it,
    or the code; or when the text is an everyday term for it (`everyday`). A word that begins no known word is read as the most
    similar one; where nothing is found, words that begin another word are read as near ones too. First come everyday meanings,
    then the very code, codes that begin with the text, matches of the display, usual codes, billable ones, and short displays.
    Without text, all in the order of their codes.
    """
    rows = IcdCode.objects.valid_on(on).defer("words")
    if billable is not None:
        rows = rows.filter(billable=billable)
    if not text.strip():
        return Found(rows.order_by("code", "id"))
    typed = rules.search_words(text)
    if not typed:
        return Found(rows.none())
    wanted, meant = _read(typed, on)
    usual = Case(When(code__in=everyday_terms.usual_codes(), then=0), default=1, output_field=IntegerField())
    in_display = Case(When(words=begins(wanted, weight="A"), then=0), default=1, output_field=IntegerField())
    matches = rows.filter(Q(words=begins(wanted)) | Q(code__in=meant))
    ordered = matches.order_by(
        _rank(meant), _prefix_rank(rules.code_prefix(text)), in_display, usual, "-billable", Length("display"), "code", "id"
    )
    was_corrected = {*wanted} != {(word,) for word in typed}
    return Found(ordered, fuzzy=was_corrected and matches.exists())


def _read(typed: list[str], on: date) -> tuple[list[tuple[str, ...]], list[str]]:
    """The words to look for, each with its alternatives, and the codes that they mean as an everyday term."""
    spelled = corrected(IcdWord, typed)
    meant = everyday_terms.codes(spelled)
    wanted: list[tuple[str, ...]] = [(word,) for word in spelled]
    matches = IcdCode.objects.valid_on(on).filter(words=begins(wanted))
    if meant or (spelled == typed and (len(typed) == 1 or matches.exists())):  # one that is spelt well begins a known word
        return wanted, meant
    choices = [_choices(word) for word in typed]
    readings = sorted(product(*choices), key=lambda words: len({*words} - {*typed}))[:_MOST_READINGS]
    for words in readings:
        if meant := everyday_terms.codes(list(words)):
            return [(word,) for word in words], meant
    return (choices if IcdCode.objects.valid_on(on).filter(words=begins(choices)).exists() else wanted), []


def _rank(codes: list[str]) -> Case | Value:
    """The place of a code in a list; behind the list for all others."""
    if not codes:
        return Value(0, IntegerField())
    steps = (When(code=code, then=place) for place, code in enumerate(codes))
    return Case(*steps, default=len(codes), output_field=IntegerField())


def _choices(word: str) -> tuple[str, ...]:
    """The word, and where it is not a whole known word, the known words with the fewest edits."""
    if not is_correctable(word):
        return (word,)
    most = 1 if len(word) <= _SHORT else MAX_LENGTH_DIFFERENCE
    edits = Func("word", Value(word), Value(most), function="levenshtein_less_equal", output_field=IntegerField())
    near = IcdWord.objects.annotate(size=Length("word"), edits=edits, alike=TrigramSimilarity("word", word)).filter(
        size__gte=len(word) - most, size__lte=len(word) + most, edits__lte=most
    )
    spellings = list(near.order_by("edits", "-alike", "word").values_list("word", "edits")[:_MOST_CHOICES])
    if spellings and spellings[0][1] == 0:
        return (word,)
    return (word, *(other for other, edits in spellings if edits == spellings[0][1]))


def _prefix_rank(beginning: str) -> Case | Value:
    """0 for the very code, 1 for one that begins so, 2 for the rest."""
    if not beginning:
        return Value(0, IntegerField())
    steps = (When(code=beginning, then=0), When(code__startswith=beginning, then=1))
    return Case(*steps, default=2, output_field=IntegerField())


def _validity(code: str, row: IcdCode | None) -> CodeValidity:
    if row is None:
        return CodeValidity(code, is_known=False, is_billable=False, display="")
    return CodeValidity(row.code, is_known=True, is_billable=row.billable, display=row.display)
