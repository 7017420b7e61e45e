"""Pregnancy, kidney function and age, only where a row has a source."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from apps.prescriptions.safety.facts import Alert, Chart, Medicine, NotChecked, Person, Pregnant
from apps.prescriptions.safety.findings import alert
from apps.prescriptions.safety.knowledge import Condition, Knowledge

_YEAR = timedelta(days=365)
_MONTH = Decimal("30.4375")  # days
_FERTILE = (12 * 365, 56 * 365)  # days of age


def check(line: Medicine, chart: Chart, knowledge: Knowledge) -> Iterator[Alert]:
    """Yields an alert for each condition of the patient that a row of the line's ingredients names."""
    for row, ingredient in _rows(line, chart, knowledge):
        if row.kind == "pregnancy" and chart.person.pregnant is Pregnant.YES:
            yield _alert(row, ingredient, line, f"Pregnant, and this contains {ingredient}. {row.text}")
        if row.kind == "age" and row.below is not None and chart.person.age_days < row.below * _MONTH:
            yield _alert(row, ingredient, line, f"Too young for {ingredient}. {row.text}")
        if row.kind == "kidney" and chart.person.egfr and not _missing(row, chart):
            value, day = chart.person.egfr
            if row.below is not None and value < row.below:
                measured = f"eGFR {value.normalize():f} on {day.day} {day:%b %Y}"
                yield _alert(row, ingredient, line, f"{measured}, and this contains {ingredient}. {row.text}")


def not_checked(line: Medicine, chart: Chart, knowledge: Knowledge) -> Iterator[NotChecked]:
    """Yields what is not known of the patient and a row asks for."""
    for row, ingredient in _rows(line, chart, knowledge):
        missing = _missing(row, chart)
        if missing:
            yield NotChecked(line.key, line.name, f"{missing}, which counts for {ingredient}")


def _rows(line: Medicine, chart: Chart, knowledge: Knowledge) -> Iterator[tuple[Condition, str]]:
    for row in knowledge.conditions:
        if row.kind == "pregnancy" and not _may_be_pregnant(chart.person):
            continue
        for ingredient in knowledge.matching(line.ingredients, row.drug):
            yield row, ingredient


def _missing(row: Condition, chart: Chart) -> str:
    if row.kind == "pregnancy":
        return "pregnancy was not asked" if chart.person.pregnant is Pregnant.NOT_ASKED else ""
    measured = chart.person.egfr
    if row.kind != "kidney":
        return ""
    if measured is None:
        return "no eGFR is recorded"
    return "the last eGFR is older than 12 months" if chart.today - measured[1] > _YEAR else ""


def _may_be_pregnant(person: Person) -> bool:
    first, last = _FERTILE
    return person.sex != "male" and first <= person.age_days <= last


def _alert(row: Condition, ingredient: str, line: Medicine, because: str) -> Alert:
    return alert(row.kind, row.severity, because, row.source, parts=(row.kind, ingredient), medicines=(line,), lines=(line,))
