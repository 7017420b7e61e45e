"""Questions implausible values: against the sourced limits, the age, the other value and the last one. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from math import isfinite
from typing import Any

from apps.patients.chart import dates
from apps.patients.chart.vitals import limits, parsing
from apps.patients.chart.vitals.limits import ADULT_DAYS, RANGES, band_of
from apps.patients.chart.vitals.parsing import NOT_MEASURABLE, Problem, celsius, centimetres, kilograms, pressure

_MONTH = 30.4375
_BODY = ("weight_kg", "height_cm")
_WORDS = {"weight_kg": ("weight", "kg"), "height_cm": ("height", "cm")}
_CORRECT = "Correct it, or send confirmed_implausible: true after rechecking."


@dataclass(frozen=True)
class LastMeasurement:
    """The newest value in the chart, in the metric unit, and its day."""

    value: float
    on: date


@dataclass(frozen=True)
class MeasuredPerson:
    """The measured person: the age on the day of the consultation, in days and as text (as the banner shows it), and the last
    weight_kg and height_cm before it."""

    age_days: int
    age: str
    today: date
    last: Mapping[str, LastMeasurement] = field(default_factory=dict)
    unit_field: str = ""  # the field with the unit, if it is not that of the consultation step


def problems(
    data: Mapping[str, Any], fresh: Iterable[str], *, confirmed: bool, person: MeasuredPerson | None = None
) -> list[Problem]:
    """Returns what is wrong with the fresh values: impossible, or implausible and not confirmed.

    Without a person (an import) weight and height are compared with the ranges of any age.
    """
    result: list[Problem] = []
    for name in fresh:
        value = data.get(name)
        if value is None or value == NOT_MEASURABLE:
            continue
        if name == "bp":
            result += _of_pressure(value, confirmed=confirmed)
        elif not confirmed and not (person and name in _BODY):
            result += of_value(name, name, value, person.unit_field if person else "")
    return result if confirmed or person is None else result + _of_body(data, list(fresh), person)


def _of_pressure(text: str, *, confirmed: bool) -> list[Problem]:
    pair = pressure(text)
    if pair is None:
        return [
            Problem(
                "bp", "Write the blood pressure as systolic/diastolic, like 120/80; by palpation like 90/P; or not_measurable."
            )
        ]
    systolic, diastolic = pair
    if diastolic is not None and systolic <= diastolic:
        return [Problem("bp", f"The systolic pressure comes first and is the higher: {text} is not possible.")]
    for name, value in (("systolic", systolic), ("diastolic", diastolic)):
        if value is not None and (issue := impossible(name, value)):
            return [Problem("bp", f"The {name} pressure {issue.lower()}")]
    if confirmed:
        return []
    return of_value("bp", "systolic", systolic) + ([] if diastolic is None else of_value("bp", "diastolic", diastolic))


def of_value(name: str, kind: str, value: Any, unit_field: str = "") -> list[Problem]:
    """Returns the question about a value outside the range of its kind, at any age; `name` is the field of the message."""
    believed = RANGES.get(kind)
    if believed is None or not isinstance(value, int | float) or believed.least <= value <= believed.most:
        return []
    words = kind.removesuffix("_c").removesuffix("_kg").removesuffix("_cm").replace("_", " ")
    expected = f"expected {believed.least:g} to {believed.most:g}"
    hint = fahrenheit_hint(value, unit_field) if kind == "temperature_c" else ""
    return [Problem(name, f"A {words} of {value:g} {believed.unit} is hardly possible ({expected}). {hint}{_CORRECT}")]


def impossible(name: str, value: Any, unit_field: str = "") -> str:
    """Returns why this is not a possible value of the name, with the likely slip; empty for a value within the bounds.

    The slips: °F typed as °C, metres as centimetres, grams as kilograms, a missing decimal point.
    """
    least, most = limits.BOUNDS[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or least <= value <= most:
        return ""
    issue = f"Must be between {least:g} and {most:g}."
    believed = RANGES["temperature_c"]
    if name == "temperature_c" and (hint := fahrenheit_hint(value, unit_field)):
        return f"A temperature of {value:g} °C is not possible. {hint.strip()}"
    if name == "temperature_c" and believed.least <= value / 10 <= believed.most:
        return f"{issue} {value / 10:g} °C (decimal point)?"
    if name == "weight_kg" and most < value <= most * 10:
        return f"{issue} {value:g} g = {value / 1000:g} kg, or {value / 10:g} kg (decimal point)?"
    if name == "height_cm" and 0.25 <= value <= 2.5:
        return f"{issue} {value:g} m = {value * 100:g} cm?"
    return issue


def fahrenheit_hint(value: float, unit_field: str = "") -> str:
    """Returns "98.6 °F = 37.0 °C? …" for a number that is a body temperature in °F; empty for any other."""
    believed = RANGES["temperature_c"]
    if not believed.least <= celsius(value) <= believed.most:
        return ""
    return f'{value:g} °F = {celsius(value):.1f} °C? Then send {unit_field or "temperature_unit"}: "F". '


def of_bmi(value: float, person: MeasuredPerson) -> list[Problem]:
    """Returns the question about a body mass index (kg/m2) that is implausible at the person's age."""
    least, most = band_of(person.age_days).bmi
    if least <= value <= most:
        return []
    reason = f"a body mass index of {value:g} kg/m2 at the age of {person.age} (expected {least:g} to {most:g})"
    return [Problem("bmi", f"This is hardly possible: {reason}. {_CORRECT}")]


def _of_body(data: Mapping[str, Any], fresh: list[str], person: MeasuredPerson) -> list[Problem]:
    """Checks weight and height against the age, the last value and each other."""
    here = {name: float(data[name]) for name in _BODY if isinstance(data.get(name), int | float)}
    result = [
        Problem(name, _issue(name, here, "; ".join(reasons), person, data))
        for name in _BODY
        if name in fresh and name in here and (reasons := list(_reasons(name, here[name], person)))
    ]
    if result or not {"weight_kg", "height_cm"} & set(fresh) & set(here):
        return result
    return _of_both(data, fresh, here, person)


def _reasons(name: str, value: float, person: MeasuredPerson) -> Iterator[str]:
    words, unit = _WORDS[name]
    least, most = band_of(person.age_days).of(name)
    if not least <= value <= most:
        yield f"a {words} of {value:g} {unit} at the age of {person.age} (expected {least:g} to {most:g})"
    last = person.last.get(name)
    if last and not _follows(name, value, person):
        yield f"{value:g} {unit}, {_ago(person, last)} after {last.value:g} {unit} on {dates.day_text(last.on)}"


def _follows(name: str, value: float, person: MeasuredPerson) -> bool:
    """Returns whether the value is plausible after the last one."""
    last = person.last.get(name)
    if last is None:
        return True
    limit = _change_limit(name, last, person)
    return -limit.loss <= value - last.value <= limit.gain


def _change_limit(name: str, last: LastMeasurement, person: MeasuredPerson) -> limits.ChangeLimit:
    months = max((person.today - last.on).days, 0) / _MONTH
    if name == "weight_kg":
        return limits.weight_change(last.value, months, person.age_days)
    return limits.height_change(months, person.age_days)


def _ago(person: MeasuredPerson, last: LastMeasurement) -> str:
    days = max((person.today - last.on).days, 0)
    return "on the same day" if days == 0 else "one day" if days == 1 else f"{days} days"


def _of_both(data: Mapping[str, Any], fresh: list[str], here: Mapping[str, float], person: MeasuredPerson) -> list[Problem]:
    """Checks the body mass index; an adult's height may be the last one, as it no longer changes."""
    weight, height = here.get("weight_kg"), here.get("height_cm")
    if height is None and person.age_days >= ADULT_DAYS and "height_cm" in person.last and "height_cm" not in data:
        height = person.last["height_cm"].value
    if not weight or not height:
        return []
    index = weight / (height / 100) ** 2
    least, most = band_of(person.age_days).bmi
    if least <= index <= most:
        return []
    name = "weight_kg" if "weight_kg" in fresh else "height_cm"
    reason = (
        f"a weight of {weight:g} kg with a height of {height:g} cm (body mass index {index:.1f}, expected {least:g} to {most:g})"
    )
    return [Problem(name, _issue(name, here, reason, person, data))]


def _issue(name: str, here: Mapping[str, float], reason: str, person: MeasuredPerson, data: Mapping[str, Any]) -> str:
    mistakes = list(_mistakes(name, here, person, data))
    question = f"Did you mean {', or '.join(mistakes)}? " if mistakes else ""
    return f"This is hardly possible: {reason}. {question}{_CORRECT}"


def _mistakes(name: str, here: Mapping[str, float], person: MeasuredPerson, data: Mapping[str, Any]) -> Iterator[str]:
    """Returns the slips that would explain the value."""
    value, (_, unit) = here[name], _WORDS[name]
    swapped = {"weight_kg": here.get("height_cm"), "height_cm": here.get("weight_kg")}
    if all(other is not None and _is_believed(of, other, person) for of, other in swapped.items()):
        yield "the two fields the other way round (swapped)"
    entered = (data.get("entered") or {}).get(name)
    if entered and _is_believed(name, float(entered["value"]), person):
        yield f"{entered['value']:g} {unit}, not {entered['value']:g} {entered['unit']}"
    other, word = (kilograms(value), "lb") if name == "weight_kg" else (centimetres(value), "in")
    if not entered and _is_believed(name, other, person):
        yield f'{value:g} {word} = {other:.1f} {unit} (send {person.unit_field or parsing.unit_field(name)}: "{word}")'
    for shifted in (value * 10, value / 10):
        if _is_believed(name, shifted, person):
            yield f"{shifted:g} {unit} (decimal point)"


@dataclass(frozen=True)
class OtherUnit:
    """The unit in which a number would be expected, and the metric value that it then is."""

    word: str
    value: float


def expected(name: str, person: MeasuredPerson) -> tuple[float, float] | None:
    """Returns the values that need no confirmation for this person, both included; None for a value without a range.

    For weight and height: those of the age that also follow the last value.
    """
    if name not in _BODY:
        return (RANGES[name].least, RANGES[name].most) if name in RANGES else None
    least, most = band_of(person.age_days).of(name)
    if last := person.last.get(name):
        change = _change_limit(name, last, person)
        least, most = max(least, last.value - change.loss), min(most, last.value + change.gain)
    return least, most


def in_other_unit(name: str, value: float, person: MeasuredPerson) -> OtherUnit | None:
    """Returns the unit that was probably meant (°F, pounds, inches); None if the value is expected as it is, or in no unit."""
    limits_of, unit = expected(name, person), next((one for one in parsing.UNITS.get(name, ()) if one.to_metric), None)
    if limits_of is None or unit is None or unit.to_metric is None or limits_of[0] <= value <= limits_of[1]:
        return None
    metric = unit.to_metric(value)
    return OtherUnit(unit.word, metric) if limits_of[0] <= metric <= limits_of[1] else None


def _is_believed(name: str, value: float, person: MeasuredPerson) -> bool:
    least, most = band_of(person.age_days).of(name)
    return least <= value <= most and _follows(name, value, person)
