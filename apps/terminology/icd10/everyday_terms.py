"""The everyday words of clinics for diagnoses: abbreviations, lay terms, and the codes that they mean first. Pure.

`icd10/data/everyday_terms.csv` lists for each term its usual codes of ICD-10-CM, the first choice first: the default code of the
term, or of the condition it means, in the Alphabetic Index of ICD-10-CM (CDC/NCHS, public domain). A test checks that every code
exists and is billable. No clinician has reviewed the table.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from apps.terminology import rules

FILE = Path(__file__).with_name("data") / "everyday_terms.csv"
_MIN_PREFIX_LENGTH = 3  # letters: a shorter text means a term only when it is the whole term, like "mi"
_MAX_TERMS = 8


@dataclass(frozen=True, slots=True)
class EverydayTerm:
    """An everyday term: its words as a search reads them, and its codes, the usual one first."""

    words: frozenset[str]
    codes: tuple[str, ...]


@cache
def terms() -> tuple[EverydayTerm, ...]:
    """Returns all terms in the order of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(EverydayTerm(frozenset(rules.words(row["term"])), tuple(row["codes"].split())) for row in rows)


@cache
def usual_codes() -> frozenset[str]:
    """Returns every code that some term means: the diagnoses that a clinic codes most."""
    return frozenset(code for term in terms() for code in term.codes)


@cache
def vocabulary() -> frozenset[str]:
    """Returns the words of all terms, so that a misspelt lay word is recognised too."""
    return frozenset(word for term in terms() for word in term.words)


def codes(search_words: list[str]) -> list[str]:
    """Returns the codes that the words of a search mean, the likeliest first; the last word may be unfinished.

    A term whose words are exactly those sought goes before one that they only begin.
    """
    query = frozenset(search_words)
    if not query:
        return []
    exact = [term for term in terms() if term.words == query]
    begun = [term for term in terms() if term.words != query and _begins(term, query)]
    begun.sort(key=lambda term: len(term.words))
    chosen = [*exact, *begun][:_MAX_TERMS]
    return list(dict.fromkeys(code for term in chosen for code in term.codes))


def _begins(term: EverydayTerm, query: frozenset[str]) -> bool:
    if max(map(len, query)) < _MIN_PREFIX_LENGTH:
        return False
    return all(any(word.startswith(part) for word in term.words) for part in query)
