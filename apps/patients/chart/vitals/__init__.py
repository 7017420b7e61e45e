"""Vital signs: parsed as people write them (`parsing`), checked against sourced limits (`limits`, `plausibility`). Pure.

`BOUNDS` contains the absolute limits, which apply even to confirmed values (a saturation of 120 %, a negative weight).
"""

from collections.abc import Mapping
from typing import Any

from apps.patients.chart.vitals.limits import BOUNDS, LOINC, NOT_REVIEWED, RANGES
from apps.patients.chart.vitals.parsing import NOT_MEASURABLE, UNIT_FIELDS, Problem, metric, pressure
from apps.patients.chart.vitals.plausibility import (
    LastMeasurement,
    MeasuredPerson,
    OtherUnit,
    expected,
    impossible,
    in_other_unit,
    problems,
)

__all__ = [
    "BOUNDS",
    "LOINC",
    "NOT_MEASURABLE",
    "NOT_REVIEWED",
    "RANGES",
    "UNIT_FIELDS",
    "LastMeasurement",
    "MeasuredPerson",
    "OtherUnit",
    "Problem",
    "expected",
    "impossible",
    "in_other_unit",
    "measured",
    "metric",
    "not_measurable",
    "pressure",
    "problems",
]


def measured(data: Mapping[str, Any]) -> dict[str, float]:
    """Returns every number of the step's data by name: the pressure split, and the body mass index with weight and height."""
    numbers = {name: data[name] for name in LOINC if isinstance(data.get(name), int | float)}
    pair = pressure(data["bp"]) if data.get("bp") else None
    if pair:
        numbers["systolic"] = pair[0]
        if pair[1] is not None:
            numbers["diastolic"] = pair[1]
    if numbers.get("weight_kg") and numbers.get("height_cm"):
        numbers["bmi"] = round(numbers["weight_kg"] / (numbers["height_cm"] / 100) ** 2, 1)
    return {name: numbers[name] for name in LOINC if name in numbers}


def not_measurable(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the fields of the step's data that could not be measured, in the order of the form."""
    return tuple(name for name in ("bp", *LOINC) if data.get(name) == NOT_MEASURABLE)
