"""Finds active chart entries with the same meaning, and which of them stays active when two charts are merged. Pure."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from apps.patients import rules
from apps.patients.chart.entry_types import EntryType
from apps.patients.models import ChartEntry

LISTED_ONCE = (EntryType.ALLERGY, EntryType.DIAGNOSIS)
_GRAVITY: dict[str, tuple[str, ...]] = {  # the most severe last
    "severity": ("", "mild", "moderate", "severe"),
    "criticality": ("", "unable_to_assess", "low", "high"),
    "certainty": ("", "unconfirmed", "confirmed"),
}
_ANAPHYLAXIS = "anaphyla"


def is_same_entry(one: ChartEntry, other: ChartEntry) -> bool:
    """Returns whether two entries of one kind name the same thing: by their codes of one system, otherwise by their text."""
    if one.type != other.type:
        return False
    if one.code and other.code and one.code_system == other.code_system:
        return one.code == other.code
    return one.display == other.display or (rules.words(one.display) == rules.words(other.display) != [])


def repeats_to_end(rows: Iterable[ChartEntry], among: Collection[UUID]) -> list[ChartEntry]:
    """Returns the entries that repeat another one of the rows, if some of the equal ones are `among` and some not.

    The most severe stays active (anaphylaxis, severity, criticality, certainty), then the one with more details, with a code,
    with the earlier onset.
    """
    groups: list[list[ChartEntry]] = []
    for row in sorted(rows, key=_rank):
        group = next((group for group in groups if is_same_entry(group[0], row)), None)
        if group is None:
            groups.append([row])
        else:
            group.append(row)
    return [row for group in groups if {row.pk in among for row in group} == {True, False} for row in group[1:]]


def entry_to_keep(rows: Iterable[ChartEntry]) -> ChartEntry | None:
    """Returns the entry that stays active among equal ones."""
    return min(rows, key=_rank, default=None)


def _rank(row: ChartEntry) -> tuple[Any, ...]:
    detail = row.detail
    grave = [-words.index(detail.get(name, "")) if detail.get(name, "") in words else 0 for name, words in _GRAVITY.items()]
    anaphylaxis = _ANAPHYLAXIS in str(detail.get("reaction", "")).casefold()
    return (not anaphylaxis, *grave, -len(detail), not row.code, row.occurred_at, row.pk)
