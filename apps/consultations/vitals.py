"""Vital signs: read, checked for what cannot be, questioned where they are hardly to be believed. Pure.

`RANGES` are settings for clinicians to approve; they have not been reviewed by one. They are no reference ranges and flag no
illness: they are wide enough for the very ill of any age, and narrow enough to catch a slip (Fahrenheit for Celsius, inches for
centimetres, a digit too many). Source: general knowledge; the widths follow the extremes that early-warning charts still score
(Royal College of Physicians, NEWS2, 2017) and go well beyond them. Whoever measured such a value sends `confirmed_implausible`.

The bounds nothing passes, confirmed or not, stand in `steps` (a saturation of 120 %, a negative weight).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.consultations.fields import Problem

_PRESSURE = re.compile(r"(\d{1,3})\s*/\s*(\d{1,3})")


@dataclass(frozen=True)
class Range:
    """What is believed without a question, both ends included."""

    least: float
    most: float
    unit: str


RANGES: Mapping[str, Range] = {
    "systolic": Range(50, 260, "mmHg"),
    "diastolic": Range(20, 160, "mmHg"),
    "pulse": Range(25, 230, "/min"),
    "temperature_c": Range(32.0, 42.5, "°C"),
    "spo2": Range(50, 100, "%"),
    "respiratory_rate": Range(5, 80, "/min"),
    "weight_kg": Range(0.4, 350, "kg"),
    "height_cm": Range(25, 240, "cm"),
}

# LOINC codes and UCUM units, for the chart. Each code's check digit is right; the names are our own short ones.
LOINC: Mapping[str, tuple[str, str, str]] = {
    "systolic": ("8480-6", "Systolic blood pressure", "mm[Hg]"),
    "diastolic": ("8462-4", "Diastolic blood pressure", "mm[Hg]"),
    "pulse": ("8867-4", "Heart rate", "/min"),
    "temperature_c": ("8310-5", "Body temperature", "Cel"),
    "spo2": ("59408-5", "Oxygen saturation by pulse oximetry", "%"),
    "respiratory_rate": ("9279-1", "Respiratory rate", "/min"),
    "weight_kg": ("29463-7", "Body weight", "kg"),
    "height_cm": ("8302-2", "Body height", "cm"),
    "bmi": ("39156-5", "Body mass index", "kg/m2"),
    "pain": ("72514-3", "Pain severity, 0 to 10", "{score}"),
}


def pressure(text: str) -> tuple[int, int] | None:
    """Systolic and diastolic of "120/80"; None for what is no such pair."""
    found = _PRESSURE.fullmatch(text.strip())
    return (int(found[1]), int(found[2])) if found else None


def measured(data: Mapping[str, Any]) -> dict[str, float]:
    """Every number of the step's data by name: the pressure taken apart, the body mass index beside weight and height."""
    found = {name: data[name] for name in LOINC if isinstance(data.get(name), int | float)}
    pair = pressure(data["bp"]) if data.get("bp") else None
    if pair:
        found["systolic"], found["diastolic"] = pair
    if found.get("weight_kg") and found.get("height_cm"):
        found["bmi"] = round(found["weight_kg"] / (found["height_cm"] / 100) ** 2, 1)
    return {name: found[name] for name in LOINC if name in found}


def problems(data: Mapping[str, Any], fresh: Iterable[str], *, confirmed: bool) -> list[Problem]:
    """What is wrong with those of the values that are fresh: impossible, or implausible and not confirmed."""
    found: list[Problem] = []
    for name in fresh:
        value = data.get(name)
        if value is None:
            continue
        if name == "bp":
            found += _of_pressure(value, confirmed=confirmed)
        elif not confirmed:
            found += _of_value(name, name, value)
    return found


def _of_pressure(text: str, *, confirmed: bool) -> list[Problem]:
    pair = pressure(text)
    if pair is None:
        return [Problem("bp", "Write the blood pressure as systolic/diastolic, like 120/80.")]
    if pair[0] <= pair[1]:
        return [Problem("bp", f"The systolic pressure comes first and is the higher: {text} is not possible.")]
    return [] if confirmed else _of_value("bp", "systolic", pair[0]) + _of_value("bp", "diastolic", pair[1])


def _of_value(field: str, name: str, value: Any) -> list[Problem]:
    believed = RANGES.get(name)
    if believed is None or not isinstance(value, int | float) or believed.least <= value <= believed.most:
        return []
    words = name.removesuffix("_c").removesuffix("_kg").removesuffix("_cm").replace("_", " ")
    return [
        Problem(
            field,
            f"A {words} of {value:g} {believed.unit} is hardly possible (expected {believed.least:g} to {believed.most:g}). "
            "Correct it, or send confirmed_implausible: true.",
        )
    ]
