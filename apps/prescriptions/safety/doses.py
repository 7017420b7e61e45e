"""Doses: the most in a day and in a dose, usual ranges, intervals, and the weight that a child's dose needs."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from apps.prescriptions.dosing import conversions
from apps.prescriptions.dosing.amounts import write
from apps.prescriptions.dosing.values import Amount
from apps.prescriptions.safety.facts import Alert, Chart, Medicine, NotChecked, Person, Severity
from apps.prescriptions.safety.findings import alert
from apps.prescriptions.safety.interactions import LOCAL_ROUTES
from apps.prescriptions.safety.knowledge import DoseLimit, Knowledge

_ADULT, _INFANT = 6_574, 730  # days: 18 and 2 years
_WEIGHT_LASTS, _INFANT_WEIGHT_LASTS = 180, 30  # days
_ONCE = Decimal("1.001")  # in the interval, and rounding


def check(lines: Sequence[Medicine], chart: Chart, knowledge: Knowledge) -> Iterator[Alert]:
    """Yields the alerts of each line's own dose, then those of the sums over all medicines."""
    for line in lines:
        yield from _slips_of_the_unit(line)
        for row in _rows_of(line, chart.person, knowledge):
            yield from _of_one_line(row, line, chart)
    yield from _sums(lines, chart, knowledge)


def not_checked(line: Medicine, chart: Chart, knowledge: Knowledge) -> Iterator[NotChecked]:
    """Yields why the dose of a line was not checked, by ingredient."""
    if line.regimen.as_directed:
        yield NotChecked(line.key, line.name, "the dose is left to other directions")
        return
    rows = _rows_of(line, chart.person, knowledge)
    for ingredient in sorted(line.ingredients):
        if not any(row.ingredient == ingredient and row.kind != "interval" for row in rows):
            yield NotChecked(line.key, line.name, f"there is no dose limit of {ingredient} for this patient's age")
        elif ingredient not in line.per_day:
            yield NotChecked(line.key, line.name, f"the daily amount of {ingredient} is not known")
    yield from _not_added(line, chart)


def _not_added(line: Medicine, chart: Chart) -> Iterator[NotChecked]:
    """Yields the active medicines that the sums leave out. Of one that the caller may not see it says so whatever the line
    contains, so that no one learns what is in it."""
    for one in (medicine for medicine in chart.medicines if medicine.route not in LOCAL_ROUTES):
        unknown = one.ingredients - one.per_day.keys()
        if one.is_hidden and unknown:
            what = "a medicine in the closed part of the chart"
            yield NotChecked(line.key, line.name, f"the daily amount of {what} is not known and not added")
        for ingredient in () if one.is_hidden else sorted(unknown & line.ingredients):
            what = f"{ingredient} in “{one.name}”"
            yield NotChecked(line.key, line.name, f"the daily amount of {what} is not known and not added")


def is_checked(line: Medicine, chart: Chart, knowledge: Knowledge) -> bool:
    """Returns whether the dose of each ingredient was compared with a row."""
    return bool(line.ingredients) and not any(not_checked(line, chart, knowledge))


def _rows_of(line: Medicine, person: Person, knowledge: Knowledge) -> list[DoseLimit]:
    return [row for row in knowledge.limits if row.ingredient in line.ingredients and row.is_for(person.age_days, line.route)]


def _slips_of_the_unit(line: Medicine) -> Iterator[Alert]:
    if line.regimen.dose is None or line.product is None:
        return
    meant = conversions.likely_dose(line.regimen.dose.high, line.product)
    if meant:
        because = f"{write(line.regimen.dose.high)} is very little of {line.name}. Did you mean {meant}?"
        yield _dose_alert("dose_unit", because, line, write(line.regimen.dose.high))


def _of_one_line(row: DoseLimit, line: Medicine, chart: Chart) -> Iterator[Alert]:
    dose, daily = line.per_dose.get(row.ingredient), line.per_day.get(row.ingredient)
    if row.kind == "interval":
        yield from _too_often(row, line)
    most = _for_person(row, chart)
    if row.kind == "dose" and most and dose and _exceeds(dose, most):
        because = f"{write(dose)} of {row.ingredient} in one dose; the most is {write(_rounded(most))}{_by_weight(row, chart)}."
        yield _dose_alert("dose_limit", because, line, f"dose {row.ingredient}", row)
    if row.per_kg and (problem := weight_problem(chart.person, chart.today)):
        because = f"The dose of {row.ingredient} depends on the weight: {problem}."
        yield _dose_alert("weight_missing", because, line, row.ingredient)
    is_first = not any(row.ingredient in one.ingredients for one in chart.medicines)
    if row.kind.startswith("usual") and daily and is_first:
        yield from _unusual(row, line, daily)


def _too_often(row: DoseLimit, line: Medicine) -> Iterator[Alert]:
    often, dose = line.regimen.frequency.per_day if line.regimen.frequency else None, line.per_dose.get(row.ingredient)
    is_low = row.low is not None and (dose is None or _exceeds(row.low, dose))
    if often is None or is_low or often * row.every_days <= _ONCE:
        return
    because = f"{row.ingredient.capitalize()} is given once in {row.every_days} days at most. {row.text}".strip()
    yield _dose_alert("interval", because, line, row.ingredient, row)


def weight_problem(person: Person, today: date) -> str:
    """Returns why the weight cannot be used; empty if it can. A child's weight is valid for 180 days, below 2 years for 30."""
    if person.weight is None:
        return "no weight is recorded"
    lasts = _INFANT_WEIGHT_LASTS if person.age_days < _INFANT else _WEIGHT_LASTS
    measured = person.weight[1]
    is_old = person.age_days < _ADULT and (today - measured).days > lasts
    return f"the weight is from {measured.day} {measured:%b %Y}" if is_old else ""


def _unusual(row: DoseLimit, line: Medicine, daily: Amount) -> Iterator[Alert]:
    if row.low is None or row.most is None or not (_exceeds(daily, row.most) or _exceeds(row.low, daily)):
        return
    because = f"{write(daily)} of {row.ingredient} a day; usual is {write(row.low)} to {write(row.most)}."
    if meant := _tenfold(daily, row):
        because += f" Did you mean {write(meant)}?"
    yield _dose_alert("usual_dose", because, line, f"usual {row.ingredient}", row)


def _tenfold(given: Amount, row: DoseLimit) -> Amount | None:
    """Returns the amount without a tenfold error, if that one is usual."""
    low, most = row.low or given, row.most or given
    for factor in (Decimal("0.1"), Decimal(10)):
        meant = Amount(given.value * factor, given.unit)
        if not _exceeds(meant, most) and not _exceeds(low, meant):
            return meant
    return None


def _sums(lines: Sequence[Medicine], chart: Chart, knowledge: Knowledge) -> Iterator[Alert]:
    """Yields where the daily amounts of an ingredient, of all lines and active medicines, are above its limit."""
    for ingredient in sorted({name for line in lines for name in line.ingredients}):
        concerned = [line for line in lines if ingredient in line.per_day and line.route not in LOCAL_ROUTES]
        rows = dict.fromkeys(row for line in concerned for row in _rows_of(line, chart.person, knowledge))
        for row in (one for one in rows if one.kind == "day" and one.ingredient == ingredient and one.most):
            yield from _sum(row, ingredient, concerned, chart)


def _sum(row: DoseLimit, ingredient: str, concerned: Sequence[Medicine], chart: Chart) -> Iterator[Alert]:
    limit = _for_person(row, chart)
    if limit is None:
        return
    active = [one for one in chart.medicines if ingredient in one.per_day and one.route not in LOCAL_ROUTES]
    medicines = [*concerned, *active]
    amounts = [conversions.converted(one.per_day[ingredient], limit.unit) for one in medicines]
    total = Amount(sum((one.value for one in amounts if one), Decimal(0)), limit.unit)
    if total.value <= limit.value:
        return
    because = f"{write(_rounded(total))} of {ingredient} a day; the limit is {write(_rounded(limit))}{_by_weight(row, chart)}"
    yield alert(
        "daily_limit",
        row.severity,
        f"{because}.",
        row.source,
        parts=(ingredient,),
        medicines=medicines,
        lines=concerned,
    )


def _for_person(row: DoseLimit, chart: Chart) -> Amount | None:
    """Returns the limit for this person: of a row by kilogram with the weight, None without one that can be used."""
    if row.most is None or not row.per_kg:
        return row.most
    if chart.person.weight is None or weight_problem(chart.person, chart.today):
        return None
    return Amount(row.most.value * chart.person.weight[0], row.most.unit)


def _by_weight(row: DoseLimit, chart: Chart) -> str:
    if row.most is None or not row.per_kg or chart.person.weight is None:
        return ""
    return f" ({write(row.most)}/kg at {chart.person.weight[0].normalize():f} kg)"


def _exceeds(amount: Amount, limit: Amount) -> bool:
    converted = conversions.converted(amount, limit.unit)
    return converted is not None and converted.value > limit.value


def _rounded(amount: Amount) -> Amount:
    return Amount(amount.value.quantize(Decimal("0.01")), amount.unit)


def _dose_alert(kind: str, because: str, line: Medicine, part: str, row: DoseLimit | None = None) -> Alert:
    """Returns the alert of a row, or of the product's own strength."""
    severity, source = (row.severity, row.source) if row else (Severity.MAJOR, "the strength of the product")
    return alert(kind, severity, because, source, parts=(part, *line.ingredients), medicines=(line,), lines=(line,))
