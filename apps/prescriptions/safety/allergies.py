"""Allergies: the ingredient itself, another member of its class, and substances that cross-react."""

from collections.abc import Iterator
from dataclasses import dataclass

from apps.prescriptions.safety.facts import RANK, Alert, Allergy, Chart, Medicine, NotChecked, Severity
from apps.prescriptions.safety.findings import alert
from apps.prescriptions.safety.knowledge import CLASS, Knowledge

_CHART = "the patient's chart"
_LOWER = {
    Severity.CONTRAINDICATED: Severity.MODERATE,
    Severity.MAJOR: Severity.MODERATE,
    Severity.MODERATE: Severity.INFO,
    Severity.INFO: Severity.INFO,
}


@dataclass(frozen=True)
class _Match:
    severity: Severity
    text: str
    source: str


def check(line: Medicine, chart: Chart, knowledge: Knowledge) -> Iterator[Alert]:
    """Yields an alert for each allergy and ingredient of the line that match."""
    for allergy in chart.allergies:
        for ingredient in sorted(line.ingredients):
            match = _match(ingredient, allergy, knowledge)
            if match is not None:
                yield _alert(line, ingredient, allergy, match)


def not_checked(line: Medicine, chart: Chart) -> Iterator[NotChecked]:
    """Yields why the allergies of a line were not checked in full."""
    if not chart.allergies_asked:
        yield NotChecked(line.key, line.name, "the patient was never asked about allergies")
    for allergy in chart.allergies:
        if allergy.rest:
            what = "an allergy in the closed part of the chart" if allergy.is_hidden else f"allergy “{allergy.rest}”"
            yield NotChecked(line.key, line.name, f"{what} is not coded")


def _match(ingredient: str, allergy: Allergy, knowledge: Knowledge) -> _Match | None:
    """Returns the most severe way in which the ingredient matches the allergy."""
    references = knowledge.references(ingredient)
    if ingredient in allergy.means:
        return _Match(Severity.CONTRAINDICATED, "", _CHART)
    matches = [*_named(references, allergy, knowledge), *_crossed(references, allergy, knowledge)]
    return min(matches, key=lambda one: RANK[one.severity], default=None)


def _named(references: frozenset[str], allergy: Allergy, knowledge: Knowledge) -> Iterator[_Match]:
    """Yields the classes of the drug that the allergy names."""
    for reference in sorted(references & allergy.means):
        if reference.startswith(CLASS):
            yield _Match(Severity.CONTRAINDICATED, f"It belongs to the {knowledge.class_name(reference)}.", _CHART)


def _crossed(references: frozenset[str], allergy: Allergy, knowledge: Knowledge) -> Iterator[_Match]:
    allergens = allergy.means | knowledge.all_references(one for one in allergy.means if not one.startswith(CLASS))
    for row in knowledge.cross_allergies:
        if row.drug in references and row.allergen in allergens:
            yield _Match(row.severity, row.text, row.source)


def _alert(line: Medicine, ingredient: str, allergy: Allergy, match: _Match) -> Alert:
    kind = "intolerance" if allergy.is_intolerance else "allergy"
    name = f"{kind} to {allergy.text}" if not allergy.is_hidden else f"an {kind} in the closed part of the chart"
    details = [text for text in (allergy.reaction, "not confirmed" if allergy.is_unconfirmed else "") if text]
    recorded = f"{name} ({', '.join(details)})" if details and not allergy.is_hidden else name
    because = f"{recorded} is in the chart, and this contains {ingredient}. {match.text}".strip()
    return alert(
        "allergy",
        _severity(match.severity, allergy),
        f"{because[0].upper()}{because[1:]}",
        match.source,
        parts=(f"allergy {allergy.key}", ingredient),
        medicines=(line,),
        lines=(line,),
        is_hidden=allergy.is_hidden,
    )


def _severity(severity: Severity, allergy: Allergy) -> Severity:
    """An intolerance counts less, a reaction that was mild or is not confirmed is not contraindicated, one of high criticality
    is."""
    if allergy.is_intolerance:
        return _LOWER[severity]
    if severity is not Severity.CONTRAINDICATED or allergy.criticality == "high":
        return severity
    return Severity.MAJOR if allergy.is_mild or allergy.is_unconfirmed else severity
