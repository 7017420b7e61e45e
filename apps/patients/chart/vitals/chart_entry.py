"""Checks a single vital sign of the chart (a code or text, a number, a unit) as a consultation step checks its fields. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from apps.patients.chart.vitals import parsing, plausibility
from apps.patients.chart.vitals.limits import LOINC
from apps.patients.chart.vitals.parsing import Problem
from apps.patients.chart.vitals.plausibility import MeasuredPerson

# Further LOINC codes of the same signs: by place, method or posture. Names as LOINC has them (loinc.org).
_MORE_CODES: Mapping[str, str] = {
    "8893-0": "pulse",  # Heart rate Peripheral artery by Palpation
    "8331-1": "temperature_c",  # Oral temperature
    "8332-9": "temperature_c",  # Rectal temperature
    "8328-7": "temperature_c",  # Axillary temperature
    "2708-6": "spo2",  # Oxygen saturation in Arterial blood
    "3141-9": "weight_kg",  # Body weight Measured
    "3137-7": "height_cm",  # Body height Measured
    "8306-3": "height_cm",  # Body height --lying
}
_NAME_OF_CODE: Mapping[str, str] = {**{code: name for name, (code, _, _) in LOINC.items()}, **_MORE_CODES}
_WORDS: Mapping[str, str] = {display.casefold(): name for name, (_, display, _) in LOINC.items()} | {
    "systolic": "systolic",
    "systolic pressure": "systolic",
    "diastolic": "diastolic",
    "diastolic pressure": "diastolic",
    "pulse": "pulse",
    "pulse rate": "pulse",
    "temperature": "temperature_c",
    "oxygen saturation": "spo2",
    "spo2": "spo2",
    "weight": "weight_kg",
    "height": "height_cm",
    "body length": "height_cm",
    "bmi": "bmi",
    "pain": "pain",
}
# By name: the texts of its units, in small letters, with the factor to the metric one. °F is no factor (see `in_metric`).
_FACTORS: Mapping[str, Mapping[str, float]] = {
    "systolic": {"mmhg": 1, "mm[hg]": 1, "mm hg": 1, "kpa": 7.50062},  # 1 kPa = 7.50062 mmHg
    "diastolic": {"mmhg": 1, "mm[hg]": 1, "mm hg": 1, "kpa": 7.50062},
    "pulse": {"{beats}/min": 1, "1/min": 1, "min-1": 1},
    "respiratory_rate": {"{breaths}/min": 1, "1/min": 1, "min-1": 1},
    "weight_kg": {"g": 0.001, "[oz_av]": parsing.KG_OF_LB / 16, "oz": parsing.KG_OF_LB / 16},
    "height_cm": {"m": 100, "mm": 0.1},
    "bmi": {"kg/m2": 1, "kg/m²": 1},
    "pain": {"{score}": 1},
}


def name_of(code_system: str, code: str, display: str) -> str:
    """Returns which vital sign it is: by its LOINC code, or by its text if it has no code; empty for any other."""
    if code:
        return _NAME_OF_CODE.get(code, "") if code_system == "LOINC" else ""
    return _WORDS.get(display.casefold(), "")


def codes_of(names: Iterable[str]) -> list[str]:
    """Returns the LOINC codes of these vital signs."""
    wanted = set(names)
    return [code for code, name in _NAME_OF_CODE.items() if name in wanted]


def in_metric(name: str, value: float, unit: str) -> float | None:
    """Returns the value in the metric unit of the name; None for a text that is not a unit of it. Without a text it is metric."""
    text = unit.strip().casefold()
    known = next((one for one in parsing.UNITS.get(name, ()) if text in one.texts or text == one.word.casefold()), None)
    if not text or (known and known.to_metric is None):
        return value
    if known and known.to_metric:
        return known.to_metric(value)
    factor = _FACTORS.get(name, {}).get(text)
    return None if factor is None else round(value * factor, 3)


def problem(name: str, value: float, unit: str, *, confirmed: bool, person: MeasuredPerson) -> Problem | None:
    """Returns what is wrong with the value, under the entry's own fields `value` and `unit`; None if it can be stored.

    Impossible values are always refused, implausible ones unless they are confirmed.
    """
    metric = in_metric(name, value, unit)
    if metric is None:
        return Problem("unit", f"{unit} is not a unit of this value. Send one of {', '.join(_units(name))}.")
    if issue := plausibility.impossible(name, metric, "unit"):
        return Problem("value", issue)
    if name in ("systolic", "diastolic"):
        result = plausibility.of_value("value", name, metric) if not confirmed else []
    elif name == "bmi":
        result = plausibility.of_bmi(metric, person) if not confirmed else []
    else:
        result = plausibility.problems({name: metric}, [name], confirmed=confirmed, person=replace(person, unit_field="unit"))
    return Problem("value", result[0].issue) if result else None


def _units(name: str) -> list[str]:
    known = [parsing.UNIT_SIGNS.get(unit.word, unit.word) for unit in parsing.UNITS.get(name, ()) if unit.word]
    return known + [text for text in _FACTORS.get(name, {}) if not text.startswith(("{", "mm["))]
