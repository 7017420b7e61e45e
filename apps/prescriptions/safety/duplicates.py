"""Duplicate therapy: an ingredient twice, or two members of a class; and renewals, which are no duplicates."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from apps.prescriptions.safety.facts import Alert, Chart, Medicine, Severity
from apps.prescriptions.safety.findings import alert
from apps.prescriptions.safety.interactions import LOCAL_ROUTES
from apps.prescriptions.safety.knowledge import CLASS, Knowledge

_LAST_PART = Decimal("0.2")  # of its days, in which a medicine is renewed
_SOURCE = "the patient's medicines"


def check(lines: Sequence[Medicine], chart: Chart, knowledge: Knowledge) -> Iterator[Alert]:
    """Yields an alert for each ingredient and each class that a line shares with another medicine."""
    for place, line in enumerate(lines):
        for other in (*lines[place + 1 :], *chart.medicines):
            is_active = other in chart.medicines
            shared = line.ingredients & other.ingredients
            if shared:
                yield _same_ingredient(line, other, sorted(shared), chart.today, is_active=is_active)
            yield from _same_class(line, other, knowledge, is_active=is_active)


def _same_ingredient(line: Medicine, other: Medicine, shared: Sequence[str], today: date, *, is_active: bool) -> Alert:
    named = " and ".join(shared)
    severity, because = Severity.MAJOR, f"{named} is on two lines of this prescription"
    if is_active and is_renewal(line, other, today):
        severity, because = Severity.INFO, f"Continues the {named}{_of_day(other.since)}"
    elif is_active:
        until = f" until {_day(other.ends)}" if other.ends else ""
        because = f"Already takes {named} ({other.name}{_of_day(other.since)}{until})"
    return alert(
        "duplicate",
        severity,
        f"{because[0].upper()}{because[1:]}.",
        _SOURCE,
        parts=shared,
        medicines=(line, other),
        lines=(line,) if is_active else (line, other),
    )


def is_renewal(line: Medicine, other: Medicine, today: date) -> bool:
    """Returns whether a line continues an active medicine: the same drug and dose in the last 20 % of its days.

    One without an end is continued when drug, dose and frequency are equal, because its last supply is used up or not known.
    """
    if line.ingredients != other.ingredients or line.per_dose != other.per_dose:
        return False
    if other.ends is None or other.days is None:
        return line.per_day == other.per_day
    return (other.ends - today).days <= other.days * _LAST_PART


def _same_class(line: Medicine, other: Medicine, knowledge: Knowledge, *, is_active: bool) -> Iterator[Alert]:
    """Yields the classes that have two different members among them. A medicine that acts on one place only does not count."""
    if {line.route, other.route} & LOCAL_ROUTES:
        return
    both = knowledge.all_references(line.ingredients) & knowledge.all_references(other.ingredients)
    for reference in sorted(one for one in both if one.startswith(CLASS)):
        row = knowledge.classes.get(reference.removeprefix(CLASS))
        members = {*knowledge.matching(line.ingredients, reference), *knowledge.matching(other.ingredients, reference)}
        if row is None or row.duplicate is None or members & line.ingredients & other.ingredients:
            continue
        yield alert(
            "duplicate",
            row.duplicate,
            f"Two {row.name}: {' and '.join(sorted(members))}.",
            _SOURCE,
            parts=(reference, *members),
            medicines=(line, other),
            lines=(line,) if is_active else (line, other),
        )


def _of_day(day: date | None) -> str:
    return f" of {_day(day)}" if day else ""


def _day(day: date | None) -> str:
    return f"{day.day} {day:%b %Y}" if day else ""
