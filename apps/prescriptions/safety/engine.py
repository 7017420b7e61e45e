"""All checks of new lines against a chart: one pure function."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from apps.prescriptions.safety import allergies, conditions, doses, duplicates, findings, interactions
from apps.prescriptions.safety.facts import Alert, Chart, Medicine, NotChecked, Verdict
from apps.prescriptions.safety.knowledge import Knowledge


def check(lines: Sequence[Medicine], chart: Chart, knowledge: Knowledge) -> Verdict:
    """Returns what the checks find for these lines, the most severe first, and what they could not check.

    An active medicine whose days have run out is not active.
    """
    chart = replace(chart, medicines=tuple(one for one in chart.medicines if one.ends is None or one.ends >= chart.today))
    return Verdict(
        alerts=tuple(findings.sealed(one, chart.secret) for one in findings.most_severe(_alerts(lines, chart, knowledge))),
        not_checked=tuple(dict.fromkeys(one for line in lines for one in _not_checked(line, chart, knowledge))),
        checked={line.key: _checked(line, chart, knowledge) for line in lines},
        version=knowledge.version,
    )


def _alerts(lines: Sequence[Medicine], chart: Chart, knowledge: Knowledge) -> Iterator[Alert]:
    for line in lines:
        yield from allergies.check(line, chart, knowledge)
        yield from conditions.check(line, chart, knowledge)
    yield from interactions.check(lines, chart, knowledge)
    yield from duplicates.check(lines, chart, knowledge)
    yield from doses.check(lines, chart, knowledge)


def _not_checked(line: Medicine, chart: Chart, knowledge: Knowledge) -> Iterator[NotChecked]:
    if not line.ingredients:
        yield NotChecked(line.key, line.name, "its ingredients are not known")
    for ingredient in sorted(line.ingredients):
        if not knowledge.is_known(ingredient):
            yield NotChecked(line.key, line.name, f"there is no knowledge of {ingredient}")
    yield from allergies.not_checked(line, chart)
    for one in chart.medicines:
        if not one.ingredients:
            what = "a medicine in the closed part of the chart" if one.is_hidden else f"medicine “{one.name}”"
            yield NotChecked(line.key, line.name, f"{what} is not coded")
    yield from doses.not_checked(line, chart, knowledge)
    yield from conditions.not_checked(line, chart, knowledge)


def _checked(line: Medicine, chart: Chart, knowledge: Knowledge) -> tuple[str, ...]:
    """Returns the checks that ran in full for a line. There is no word for all of them."""
    if not line.ingredients:
        return ()
    names = ["duplicates"]
    if chart.allergies_asked and not any(one.rest for one in chart.allergies):
        names.append("allergies")
    if all(knowledge.is_known(one) for one in line.ingredients) and all(one.ingredients for one in chart.medicines):
        names.append("interactions")
    if doses.is_checked(line, chart, knowledge):
        names.append("dose")
    return tuple(sorted(names))
