"""Reads the drugs of RxNorm's Current Prescribable Content: RXNCONSO.RRF, RXNREL.RRF (relations), RXNSAT.RRF (attributes).

A file has one row a line, its fields separated by bars and closed by one (RxNorm Technical Documentation, NLM). A clinical drug
(SCD) reaches its ingredients (IN) through its components (SCDC); a branded one (SBD) through the clinical drug that it is a
trade name of. No real file could be had: the names of the attributes with the schedule are from memory of that documentation.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from apps.common.errors import Invalid
from apps.prescriptions.catalogue.services.keeping import NewDrug

_FIELDS = {"RXNCONSO.RRF": 18, "RXNREL.RRF": 16, "RXNSAT.RRF": 13}
_DRUGS = ("SCD", "SBD")
_OURS = frozenset((*_DRUGS, "SCDC", "IN", "BN"))
_RELATIONS = frozenset(("consists_of", "has_ingredient", "tradename_of"))
_SCHEDULES = ("DCSA", "SCHEDULE")
_SCHEDULE = re.compile(r"C?(II|III|IV|V)")
_SUPPRESSED = ("O", "Y")


@dataclass
class _Content:
    """What the three files say: names and types by RxCUI, and the relations of each."""

    names: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    suppressed: set[str] = field(default_factory=set)
    related: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    schedules: dict[str, str] = field(default_factory=dict)


def read(folder: Path) -> list[NewDrug]:
    """Returns the drugs of the files in a folder, each RxCUI once. Raises Invalid naming the file and the line."""
    content = _Content()
    _read_names(content, folder)
    _read_relations(content, folder)
    _read_schedules(content, folder)
    return [_drug(rxcui, content) for rxcui, kind in content.kinds.items() if kind in _DRUGS]


def _rows(folder: Path, name: str) -> Iterator[list[str]]:
    """Yields the fields of each line, as the file is read. A line with another number of them was cut off."""
    count = _FIELDS[name]
    try:
        with (folder / name).open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                fields = line.rstrip("\n").split("|")
                if len(fields) != count + 1 or fields[-1] or not line.endswith("\n"):
                    raise _cut_off(name, number, count)
                yield fields[:-1]
    except (OSError, UnicodeDecodeError) as problem:
        raise Invalid(field=name, issue=f"Cannot be read: {problem}.") from problem


def _cut_off(name: str, number: int, count: int) -> Invalid:
    return Invalid(field=f"{name}, line {number}", issue=f"Must have {count} fields and a closing bar. Was the file cut off?")


def _read_names(content: _Content, folder: Path) -> None:
    """One name of each concept: RxNorm's own. Its synonyms (SY, PSN) are other words for the same drug."""
    for fields in _rows(folder, "RXNCONSO.RRF"):
        rxcui, source, kind, name, suppress = fields[0], fields[11], fields[12], fields[14], fields[16]
        if source == "RXNORM" and kind in _OURS:
            content.names[rxcui], content.kinds[rxcui] = name.replace("\u200b", ""), kind
            if suppress in _SUPPRESSED:
                content.suppressed.add(rxcui)


def _read_relations(content: _Content, folder: Path) -> None:
    """The second concept of a row has the relation to the first."""
    for fields in _rows(folder, "RXNREL.RRF"):
        to, of, relation = fields[0], fields[4], fields[7]
        if relation in _RELATIONS and of in content.kinds and to in content.kinds:
            content.related[of, relation].add(to)


def _read_schedules(content: _Content, folder: Path) -> None:
    for fields in _rows(folder, "RXNSAT.RRF"):
        match = _SCHEDULE.fullmatch(fields[10]) if fields[8] in _SCHEDULES else None
        if match and fields[0] in content.kinds:
            content.schedules[fields[0]] = match[1]


def _drug(rxcui: str, content: _Content) -> NewDrug:
    generic = (
        rxcui
        if content.kinds[rxcui] == "SCD"
        else next(iter(_of_kind("SCD", content.related[rxcui, "tradename_of"], content)), rxcui)
    )
    components = _of_kind("SCDC", content.related[generic, "consists_of"], content)
    ingredients = {one for part in components for one in _of_kind("IN", content.related[part, "has_ingredient"], content)}
    brands = _of_kind("BN", content.related[rxcui, "has_ingredient"], content)
    return NewDrug(
        name=content.names[rxcui],
        rxcui=rxcui,
        ingredients=tuple(sorted(content.names[one].lower() for one in ingredients)),
        brand_names=tuple(content.names[one] for one in brands),
        schedule=content.schedules.get(rxcui) or content.schedules.get(generic, ""),
        source="RxNorm Current Prescribable Content",
        is_complete=True,
        is_withdrawn=rxcui in content.suppressed,
    )


def _of_kind(kind: str, concepts: Iterable[str], content: _Content) -> list[str]:
    return sorted(one for one in concepts if content.kinds[one] == kind)
