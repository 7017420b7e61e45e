"""How steps, fields and states are called on the pages."""

from collections.abc import Mapping
from typing import Any

from apps.consultations.fields import NOT_MEASURABLE
from apps.consultations.rules import State
from apps.consultations.steps import Step
from apps.patients import vitals
from apps.patients.vitals.reading import UNIT_SIGNS

STATES = {State.COMPLETED: "done", State.IN_PROGRESS: "now", State.PENDING: "to do", State.SKIPPED: "skipped"}
SIGNS = {State.COMPLETED: "✓", State.IN_PROGRESS: "▶", State.PENDING: "○", State.SKIPPED: "–"}
STATUS_SIGNS = {"in_progress": "▶", "on_hold": "⏸", "completed": "✓", "amended": "✎", "cancelled": "✕"}
_LABELS = {
    "bp": "Blood pressure",
    "temperature_c": "Temperature",
    "spo2": "Oxygen saturation",
    "weight_kg": "Weight",
    "height_cm": "Height",
    "bmi": "Body mass index",
    "confirmed_implausible": "What looks implausible was measured again and is right",
    "temperature_unit": "Temperature in",
    "weight_unit": "Weight in",
    "height_unit": "Height in",
    "entered": "Entered as",
    "identity_confirmed": "I asked for name and date of birth, and they are this patient’s",
    "code": "ICD-10-CM code",
    "drug_id": "Drug id",
    "follow_up": "Next appointment, in words",
}
_UNITS = {"bp": "mmHg", "pain": "0 to 10"}


def plain(word: str) -> str:
    """A word of the API in plain text."""
    return word.replace("_", " ")


def step(number: Step) -> str:
    """Like "Review and sign"."""
    return "Review and sign" if number is Step.REVIEW_SIGN else plain(number.word).capitalize()


def label(name: str) -> str:
    """Of a field of a step."""
    return _LABELS.get(name, plain(name).capitalize())


def unit(name: str) -> str:
    """Of a vital sign."""
    return _UNITS.get(name) or (vitals.RANGES[name].unit if name in vitals.RANGES else "")


def value(told: Any) -> str:
    """A value of a step's data, in words."""
    if told in (None, "", [], {}):
        return "(empty)"
    if told == NOT_MEASURABLE:
        return "not measurable"
    if isinstance(told, bool):
        return "yes" if told else "no"
    if isinstance(told, Mapping):
        return ", ".join(f"{plain(name)}: {value(one)}" for name, one in told.items())
    if isinstance(told, list | tuple):
        return "; ".join(value(one) for one in told)
    return str(told)


def lines(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A step's data, field by field."""
    return [(label(name), _measured(name, told, data)) for name, told in data.items() if name != "entered"]


def _measured(name: str, told: Any, data: Mapping[str, Any]) -> str:
    """A value with its unit, and as it was typed where that was in another unit."""
    shown = value(told)
    if name in vitals.RANGES and isinstance(told, int | float):
        shown = f"{shown} {unit(name)}"
    typed = data.get("entered", {}).get(name)
    return f"{shown} (entered as {typed['value']:g} {UNIT_SIGNS.get(typed['unit'], typed['unit'])})" if typed else shown
