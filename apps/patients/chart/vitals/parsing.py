"""Parses vital signs as people write them: with a unit after the number, in pounds, °F or inches, or as not measurable. Pure.

    metric({"temperature_c": 98.6, "temperature_unit": "F"})
    -> {"temperature_c": 37.0, "entered": {"temperature_c": {"value": 98.6, "unit": "F"}}}

The field contains the metric value, which all other code reads. `entered` contains the value and the unit as they were typed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

NOT_MEASURABLE = "not_measurable"
KG_OF_LB = 0.45359237  # exact by definition (international pound)
CM_OF_IN = 2.54  # exact by definition (international inch)

_WITH_UNIT = re.compile(r"([+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([^0-9\s.,].*)")
_WITH_COMMA = re.compile(r"([+-]?[0-9]{1,9}),([0-9]{1,2})(?![0-9]).*")
_MMHG = re.compile(r"\s*mm\s*\[?hg\]?$", re.IGNORECASE)
_PRESSURE = re.compile(r"([0-9]{1,3})\s*/\s*([0-9]{1,3})")
_PALPATED = re.compile(r"([0-9]{1,3})\s*/\s*(?:p|palp\.?|palpation)", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """What is wrong with which field, by its path in the request data."""

    field: str
    issue: str


@dataclass(frozen=True)
class Unit:
    """A unit of a field: the texts that name it, and its conversion to metric (None: it is metric)."""

    word: str
    texts: frozenset[str]
    to_metric: Callable[[float], float] | None = None


def _unit(word: str, texts: str, to_metric: Callable[[float], float] | None = None) -> Unit:
    return Unit(word, frozenset(texts.split("|")), to_metric)


def celsius(fahrenheit: float) -> float:
    """Returns °C to one decimal."""
    return round((fahrenheit - 32) * 5 / 9, 1)


def kilograms(pounds: float) -> float:
    """Returns kg to three decimals."""
    return round(pounds * KG_OF_LB, 3)


def centimetres(inches: float) -> float:
    """Returns cm to one decimal."""
    return round(inches * CM_OF_IN, 1)


# By field: its units, the metric one first.
UNITS: Mapping[str, tuple[Unit, ...]] = {
    "pulse": (_unit("/min", "/min|bpm|beats/min|per minute"),),
    "temperature_c": (_unit("C", "c|°c|celsius|cel"), _unit("F", "f|°f|fahrenheit|[degf]", celsius)),
    "spo2": (_unit("%", "%|percent"),),
    "respiratory_rate": (_unit("/min", "/min|breaths/min|per minute"),),
    "weight_kg": (_unit("kg", "kg|kgs|kilograms"), _unit("lb", "lb|lbs|pounds|[lb_av]", kilograms)),
    "height_cm": (_unit("cm", "cm|centimetres|centimeters"), _unit("in", 'in|inch|inches|"|[in_i]', centimetres)),
    "pain": (_unit("", "/10"),),
}
UNIT_FIELDS: Mapping[str, str] = {"temperature_unit": "temperature_c", "weight_unit": "weight_kg", "height_unit": "height_cm"}
# By field: factor and zero of its other unit; metric = factor * number + zero.
SCALES: Mapping[str, tuple[float, float]] = {
    "temperature_c": (5 / 9, -160 / 9),
    "weight_kg": (KG_OF_LB, 0),
    "height_cm": (CM_OF_IN, 0),
}
UNIT_SIGNS = {"C": "°C", "F": "°F"}  # as people read them


def is_not_measurable(value: Any) -> bool:
    """Returns whether the text says that the value cannot be measured."""
    return isinstance(value, str) and value.strip().casefold().replace(" ", "_") == NOT_MEASURABLE


def pressure(text: str) -> tuple[int, int | None] | None:
    """Returns systolic and diastolic of "120/80" or "120/80 mmHg"; "90/P" (by palpation) has no diastolic. None for any other
    text."""
    bare = _MMHG.sub("", text.strip())
    if match := _PRESSURE.fullmatch(bare):
        return int(match[1]), int(match[2])
    palpated = _PALPATED.fullmatch(bare)
    return (int(palpated[1]), None) if palpated else None


def metric(sent: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Returns the data with every value in its metric unit and `entered` for those that were not. Adds a problem for unreadable
    values."""
    data = {name: value for name, value in sent.items() if name not in UNIT_FIELDS and name != "entered"}
    entered: dict[str, Any] = {}
    named = {field: sent.get(unit) for unit, field in UNIT_FIELDS.items()}
    for unit_field, field in UNIT_FIELDS.items():
        if sent.get(unit_field) is not None and sent.get(field) is None:
            problems.append(Problem(unit_field, f"Send {field} with its unit."))
    if is_not_measurable(data.get("bp")):
        data["bp"] = NOT_MEASURABLE
    for field in UNITS:
        if field in data:
            value = data[field]
            value = _whole(float(value)) if isinstance(value, Decimal) else value  # as the API's JSON is parsed
            data[field], entered[field] = _read(field, value, named.get(field), problems)
    return data | ({"entered": entered} if entered else {})


def _read(field: str, value: Any, named: Any, problems: list[Problem]) -> tuple[Any, dict[str, Any] | None]:
    """Returns the metric value, and the value with its unit as it was typed if that is another one."""
    if is_not_measurable(value):
        return NOT_MEASURABLE, None
    unit = next((unit for unit in UNITS[field] if unit.word == named), None)
    if named is not None and unit is None:
        words = ", ".join(unit.word for unit in UNITS[field])
        problems.append(Problem(unit_field(field), f"Must be one of {words}."))
        return value, None
    if isinstance(value, str):
        apart = _apart(field, value.strip(), unit, problems)
        if apart is None:
            return None, None
        value, unit = apart
    if unit is None or unit.to_metric is None or isinstance(value, bool) or not isinstance(value, int | float):
        return value, None
    return _whole(unit.to_metric(value)), {"value": value, "unit": unit.word}


def _apart(field: str, text: str, named: Unit | None, problems: list[Problem]) -> tuple[Any, Unit | None] | None:
    """Returns the number and the unit after it; the text itself without a number; None, with the problem added, for an invalid
    value."""
    if comma := _WITH_COMMA.fullmatch(text):
        problems.append(Problem(field, f"Write the number with a point, like {comma[1]}.{comma[2]}."))
        return None
    match = _WITH_UNIT.fullmatch(text)
    if match is None:
        return text, named
    behind = next((unit for unit in UNITS[field] if match[2].strip().casefold() in unit.texts), None)
    if behind is None:
        problems.append(Problem(field, f"{match[2].strip()} is not a unit of this value."))
        return None
    if named is not None and named is not behind:
        problems.append(Problem(unit_field(field), f"{text} has another unit than {named.word}."))
        return None
    return _number(match[1]), behind


def unit_field(field: str) -> str:
    """Returns the name of the field that contains the unit of this one."""
    return next((unit for unit, of in UNIT_FIELDS.items() if of == field), field)


def _number(text: str) -> float:
    return _whole(float(text))


def _whole(number: float) -> float:
    return int(number) if isfinite(number) and number == int(number) else number
