"""Vital signs: read as people write them (`reading`), checked against sourced limits (`table`, `plausible`). Pure.

`BOUNDS` holds what nothing passes, confirmed or not (a saturation of 120 %, a negative weight).
"""

from collections.abc import Mapping
from typing import Any

from apps.patients.vitals.plausible import Last, Person, impossible, problems
from apps.patients.vitals.reading import NOT_MEASURABLE, UNIT_FIELDS, Problem, metric, pressure
from apps.patients.vitals.table import BOUNDS, LOINC, NOT_REVIEWED, RANGES

__all__ = [
    "BOUNDS",
    "LOINC",
    "NOT_MEASURABLE",
    "NOT_REVIEWED",
    "RANGES",
    "UNIT_FIELDS",
    "Last",
    "Person",
    "Problem",
    "impossible",
    "measured",
    "metric",
    "not_measurable",
    "pressure",
    "problems",
]


def measured(data: Mapping[str, Any]) -> dict[str, float]:
    """Every number of the step's data by name: the pressure taken apart, the body mass index beside weight and height."""
    found = {name: data[name] for name in LOINC if isinstance(data.get(name), int | float)}
    pair = pressure(data["bp"]) if data.get("bp") else None
    if pair:
        found["systolic"] = pair[0]
        if pair[1] is not None:
            found["diastolic"] = pair[1]
    if found.get("weight_kg") and found.get("height_cm"):
        found["bmi"] = round(found["weight_kg"] / (found["height_cm"] / 100) ** 2, 1)
    return {name: found[name] for name in LOINC if name in found}


def not_measurable(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the fields of the step's data that could not be measured, in the order of the form."""
    return tuple(name for name in ("bp", *LOINC) if data.get(name) == NOT_MEASURABLE)
