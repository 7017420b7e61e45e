"""Interactions of the new lines with active medicines and with each other: one alert for each pair, the most severe."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from apps.prescriptions.safety.facts import RANK, Alert, Chart, Medicine
from apps.prescriptions.safety.findings import alert
from apps.prescriptions.safety.knowledge import Interaction, Knowledge

LOCAL_ROUTES = frozenset(("topical", "ophthalmic", "otic"))  # little of it reaches the blood; by rectum or nose much does
STALE = timedelta(days=365)  # an entry without an end that is older may no longer be true


@dataclass(frozen=True)
class _Pair:
    row: Interaction
    line: Medicine
    other: Medicine
    ingredient: str
    other_ingredient: str


def check(lines: Sequence[Medicine], chart: Chart, knowledge: Knowledge) -> Iterator[Alert]:
    """Yields one alert for each pair of ingredients, and one for all pairs of a group."""
    most: dict[frozenset[str], _Pair] = {}
    for pair in _pairs(lines, chart, knowledge):
        key = frozenset((pair.ingredient, pair.other_ingredient))
        if key not in most or RANK[pair.row.severity] < RANK[most[key].row.severity]:
            most[key] = pair
    groups: dict[str, list[_Pair]] = {}
    for pair in most.values():
        if pair.row.group:
            groups.setdefault(pair.row.group, []).append(pair)
        else:
            yield _alert(pair, chart)
    for name, pairs in groups.items():
        yield _group_alert(name, pairs, chart)


def _pairs(lines: Sequence[Medicine], chart: Chart, knowledge: Knowledge) -> Iterator[_Pair]:
    for place, line in enumerate(lines):
        others = (*lines[place + 1 :], *chart.medicines)
        references = [(other, knowledge.all_references(other.ingredients)) for other in others]
        for ingredient in line.ingredients:
            for reference in knowledge.references(ingredient):
                for other_reference, row in knowledge.pairs(reference):
                    for other, known in references:
                        if other_reference in known and _acts(row, line) and _acts(row, other):
                            for other_ingredient in knowledge.matching(other.ingredients, other_reference):
                                if other_ingredient != ingredient:
                                    yield _Pair(row, line, other, ingredient, other_ingredient)


def _acts(row: Interaction, medicine: Medicine) -> bool:
    """Returns whether the medicine is given by a route that the row is about."""
    return medicine.route in row.routes if row.routes else medicine.route not in LOCAL_ROUTES


def _alert(pair: _Pair, chart: Chart) -> Alert:
    lines = [one for one in (pair.line, pair.other) if one not in chart.medicines]
    both = " and ".join(sorted((pair.ingredient, pair.other_ingredient)))
    because = f"{both[0].upper()}{both[1:]}: {pair.row.effect}{_stale([pair.other], chart)}."
    return alert(
        "interaction",
        pair.row.severity,
        because,
        pair.row.source,
        parts=(pair.ingredient, pair.other_ingredient),
        medicines=(pair.line, pair.other),
        lines=lines,
        management=pair.row.management,
    )


def _group_alert(name: str, pairs: Sequence[_Pair], chart: Chart) -> Alert:
    ingredients = sorted({one for pair in pairs for one in (pair.ingredient, pair.other_ingredient)})
    medicines = list(dict.fromkeys(one for pair in pairs for one in (pair.line, pair.other)))
    listed = f"{', '.join(ingredients[:-1])} and {ingredients[-1]}"
    row = min((pair.row for pair in pairs), key=lambda one: RANK[one.severity])
    return alert(
        "interaction",
        row.severity,
        f"{listed[0].upper()}{listed[1:]} together: {row.effect}{_stale(medicines, chart)}.",
        row.source,
        parts=(name, *ingredients),
        medicines=medicines,
        lines=[one for one in medicines if one not in chart.medicines],
        management=row.management,
    )


def _stale(medicines: Sequence[Medicine], chart: Chart) -> str:
    """Returns a remark on an active medicine that was last recorded long ago and has no end."""
    old = [
        one
        for one in medicines
        if one in chart.medicines and one.ends is None and one.since is not None and chart.today - one.since > STALE
    ]
    return "".join(
        f" ({one.name} last recorded {one.since.year}: still taken?)" for one in old if one.since and not one.is_hidden
    )
