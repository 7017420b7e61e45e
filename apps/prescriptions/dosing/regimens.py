"""One regimen from what was sent: the reference's free text, the structure, or both. Each fills in the other; a contradiction
between them is a problem that names both fields."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from apps.prescriptions.dosing import amounts, conversions, timing
from apps.prescriptions.dosing.amounts import Unclear
from apps.prescriptions.dosing.values import Amount, Dose, Frequency, Product, Regimen


@dataclass(frozen=True)
class Problem:
    """A field of the line, and what to change."""

    field: str
    issue: str


@dataclass(frozen=True, kw_only=True)
class SentLine:
    """The dose of a line as it was sent. `doses` in `per_days` days; a dose up to `dose_amount_max` is a range."""

    dosage: str = ""
    frequency: str = ""
    duration: str = ""
    instructions: str = ""
    dose_amount: Decimal | None = None
    dose_amount_max: Decimal | None = None
    dose_unit: str = ""
    doses: Decimal | None = None
    per_days: Decimal | None = None
    as_needed: bool | None = None
    duration_days: int | None = None
    route: str = ""


@dataclass(frozen=True)
class ReadLine:
    regimen: Regimen
    problems: tuple[Problem, ...] = ()


_VERB = re.compile(r"\b(take|use|apply|inhale|inject|give|put|insert|place|swallow|chew)\b")
_LIMIT = re.compile(r"(exceed|more than|maximum|max|at most|up to)\W*$")
_DRINK = re.compile(r"^\W*(of )?(water|juice|milk|liquid|fluid)")
_CLAUSE = re.compile(r"[.;\n]+\s+|[;\n]")
_MOST_WORDS = 6  # of a dose or a frequency within instructions


def read(sent: SentLine, product: Product | None) -> ReadLine:
    """Returns the regimen, with what contradicts itself or may mean two things. A text that says no dose gives none."""
    problems: list[Problem] = []
    as_directed = any(timing.AS_DIRECTED.search(text.lower()) for text in (sent.dosage, sent.frequency, sent.instructions))
    written, often_in_dosage = _read_dosage(sent.dosage, problems)
    dose = _agreed_dose(_structured_dose(sent, problems), written, product, problems)
    frequency = _agreed_frequency(sent, often_in_dosage, problems)
    regimen = Regimen(
        dose=dose,
        frequency=frequency,
        days=_agreed_days(sent, problems),
        route=sent.route or (product.route if product else ""),
        as_directed=as_directed and dose is None,
    )
    problems += _contradictions(sent.instructions, regimen, product)
    return ReadLine(regimen, tuple(problems))


def _read_dosage(text: str, problems: list[Problem]) -> tuple[Dose | None, Frequency | None]:
    """Returns dose and frequency of the text "dosage", which may have both: `1 tablet twice a day`."""
    words, unclear = text.split(), ""
    for end in range(len(words), 0, -1):
        often = timing.read_frequency(" ".join(words[end:]))
        if often is None and end < len(words):
            continue
        try:
            return amounts.read_dose(" ".join(words[:end])), often
        except Unclear as problem:
            unclear = unclear or str(problem)
    if any(letter.isnumeric() for letter in text):
        problems.append(Problem("dosage", unclear))
    return None, None


def _structured_dose(sent: SentLine, problems: list[Problem]) -> Dose | None:
    if sent.dose_amount is None:
        return None
    if not sent.dose_unit:
        problems.append(Problem("dose_unit", "Send the unit of dose_amount, like mg or tablet."))
        return None
    highest = sent.dose_amount if sent.dose_amount_max is None else sent.dose_amount_max
    if highest < sent.dose_amount:
        problems.append(Problem("dose_amount_max", "Must not be less than dose_amount."))
        return None
    try:
        unit = amounts.unit_of(sent.dose_unit)
        low, high = (amounts.checked(one, f"{one:f}") for one in (sent.dose_amount, highest))
    except Unclear as unclear:
        problems.append(Problem("dose_unit" if "unit" in str(unclear) else "dose_amount", str(unclear)))
        return None
    return Dose(Amount(low, unit), Amount(high, unit))


def _agreed_dose(structured: Dose | None, written: Dose | None, product: Product | None, problems: list[Problem]) -> Dose | None:
    if structured and written and not _same_dose(structured, written, product):
        says = f"dosage says {amounts.write_dose(written)}, dose_amount says {amounts.write_dose(structured)}. Send one dose."
        problems.extend(Problem(field, says) for field in ("dosage", "dose_amount"))
    return structured or written


def _same_dose(one: Dose, other: Dose, product: Product | None) -> bool:
    return all(_same_amount(left, right, product) for left, right in ((one.low, other.low), (one.high, other.high)))


def _same_amount(one: Amount, other: Amount, product: Product | None) -> bool:
    """Returns whether two amounts are the same dose; two that cannot be compared are taken as the same."""
    direct = conversions.converted(one, other.unit)
    if direct is not None:
        return direct == other
    left, right = (conversions.in_product_units(amount, product) if product else None for amount in (one, other))
    return left is None or right is None or left == right


def _agreed_frequency(sent: SentLine, in_dosage: Frequency | None, problems: list[Problem]) -> Frequency | None:
    structured = _structured_frequency(sent, problems)
    written = timing.read_frequency(sent.frequency)
    given = [
        (name, one)
        for name, one in (("doses", structured), ("frequency", written), ("dosage", in_dosage))
        if one is not None and one.per_day is not None
    ]
    for (name, one), (other_name, other) in pairwise(given):
        if one.per_day != other.per_day:
            says = f"{name} says {timing.write_frequency(one)}, {other_name} says {timing.write_frequency(other)}. Send one."
            problems.extend(Problem(field, says) for field in (name, other_name))
    as_needed = any(one.as_needed for one in (structured, written, in_dosage) if one)
    best = written or in_dosage or structured
    if best is None or (best.per_day is None and structured is not None):
        best = structured
    return None if best is None else Frequency(best.doses, best.days, as_needed=as_needed, wording=best.wording)


def _structured_frequency(sent: SentLine, problems: list[Problem]) -> Frequency | None:
    if sent.doses is None:
        if sent.per_days is not None:
            problems.append(Problem("doses", "Send how many doses are taken in per_days."))
        return Frequency(None, None, as_needed=True) if sent.as_needed else None
    return Frequency(sent.doses, sent.per_days or Decimal(1), as_needed=bool(sent.as_needed))


def _agreed_days(sent: SentLine, problems: list[Problem]) -> int | None:
    written = timing.read_days(sent.duration)
    if written and sent.duration_days and written != sent.duration_days:
        says = f"duration says {written} days, duration_days says {sent.duration_days}. Send one."
        problems.extend(Problem(field, says) for field in ("duration", "duration_days"))
    return sent.duration_days or written


def _contradictions(instructions: str, regimen: Regimen, product: Product | None) -> Iterator[Problem]:
    """Yields where the instructions tell the patient another dose or frequency than the line."""
    for clause in _CLAUSE.split(instructions.lower()):
        if not _VERB.search(clause):
            continue
        dose, frequency = _dose_in(clause), _frequency_in(clause)
        if dose and regimen.dose and not _same_dose(dose, regimen.dose, product):
            yield from _both("dosage", amounts.write_dose(dose), amounts.write_dose(regimen.dose))
        often = regimen.frequency
        if frequency and often and often.per_day and frequency.per_day and frequency.per_day != often.per_day:
            yield from _both("frequency", timing.write_frequency(frequency), timing.write_frequency(often))


def _both(field: str, instructed: str, prescribed: str) -> Iterator[Problem]:
    says = f"instructions say {instructed}, {field} says {prescribed}. The patient must read one."
    yield Problem("instructions", says)
    yield Problem(field, says)


def _dose_in(clause: str) -> Dose | None:
    """Returns the dose that a clause names; not the largest one allowed, and not how much to drink with it."""
    words = clause.split()
    for start, end in _stretches(len(words)):
        try:
            dose = amounts.read_dose(" ".join(words[start:end]).strip(".,;:()!"))
        except Unclear:
            continue
        if not _LIMIT.search(" ".join(words[:start])) and not _DRINK.match(" ".join(words[end:])):
            return dose
    return None


def _frequency_in(clause: str) -> Frequency | None:
    words = clause.split()
    for start, end in _stretches(len(words)):
        frequency = timing.read_frequency(" ".join(words[start:end]).strip(".,;:()!"))
        if frequency and frequency.per_day and not _LIMIT.search(" ".join(words[:start])):
            return frequency
    return None


def _stretches(count: int) -> Iterator[tuple[int, int]]:
    """Yields the stretches of words, from the front, the longest first."""
    for start in range(count):
        for end in range(min(start + _MOST_WORDS, count), start, -1):
            yield start, end
