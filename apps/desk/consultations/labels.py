"""The names of steps, fields and states on the pages."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy

from apps.common import clinic_times
from apps.consultations.rules import Status, Workflow
from apps.consultations.steps.definitions import Step
from apps.desk.appointments.labels import State
from apps.patients.chart import vitals
from apps.patients.chart.vitals import NOT_MEASURABLE
from apps.patients.chart.vitals.parsing import UNIT_SIGNS

_STEPS = {
    Step.PATIENT_OVERVIEW: gettext_lazy("Overview"),
    Step.VITALS: gettext_lazy("Vitals"),
    Step.SYMPTOMS: gettext_lazy("Symptoms"),
    Step.HISTORY_REVIEW: gettext_lazy("History"),
    Step.EXAMINATION: gettext_lazy("Examination"),
    Step.INVESTIGATIONS: gettext_lazy("Tests"),
    Step.ASSESSMENT: gettext_lazy("Assessment"),
    Step.TREATMENT_PLAN: gettext_lazy("Treatment plan"),
    Step.PRESCRIPTIONS: gettext_lazy("Prescriptions"),
    Step.FOLLOW_UP: gettext_lazy("Follow-up"),
    Step.REVIEW_SIGN: gettext_lazy("Review and sign"),
}
KINDS = {
    Workflow.ADAPTIVE: gettext_lazy("Guided visit"),
    Workflow.STANDARD: gettext_lazy("Standard visit"),
    Workflow.QUICK: gettext_lazy("Quick visit"),
}
# How pages show the status of a visit.
STATES: Mapping[str, State] = {
    Status.IN_PROGRESS: State(gettext_lazy("In progress"), "edit", "go"),
    Status.ON_HOLD: State(gettext_lazy("On hold"), "pause", "warn"),
    Status.COMPLETED: State(gettext_lazy("Signed"), "done", "ok"),
    Status.AMENDED: State(gettext_lazy("Addendum"), "plus", "info"),
    Status.CANCELLED: State(gettext_lazy("Cancelled"), "cancel"),
}
_LABELS = {
    "bp": "Blood pressure",
    "temperature_c": "Temperature",
    "spo2": "Oxygen",
    "respiratory_rate": "Breathing",
    "weight_kg": "Weight",
    "height_cm": "Height",
    "bmi": "Body mass index",
    "confirmed_implausible": "I rechecked these readings; they are correct",
    "temperature_unit": "Temperature in",
    "weight_unit": "Weight in",
    "height_unit": "Height in",
    "entered": "Entered as",
    "identity_confirmed": "I asked for name and date of birth, and they match this patient",
    "code": "ICD-10-CM code",
    "drug_id": "Drug id",
    "follow_up": "Next appointment (note)",
}
_UNITS = {"bp": "mmHg", "pain": "0 to 10"}


STATUSES = {
    "in_progress": gettext_lazy("in progress"),
    "on_hold": gettext_lazy("on hold"),
    "completed": gettext_lazy("signed"),
    "amended": gettext_lazy("signed, with an addendum"),
    "cancelled": gettext_lazy("cancelled"),
}


def status(word: str) -> str:
    """Returns the status of a visit in words."""
    return str(STATUSES[word])


def plain(word: str) -> str:
    """Returns a word of the API as plain text."""
    return word.replace("_", " ")


def step(number: Step) -> str:
    """Returns a step's name like "Review and sign"."""
    return str(_STEPS[number])


def label(name: str) -> str:
    """Returns the label of a step's field."""
    return _LABELS.get(name, plain(name).capitalize())


def unit(name: str) -> str:
    """Returns the unit of a vital sign."""
    return _UNITS.get(name) or (vitals.RANGES[name].unit if name in vitals.RANGES else "")


def value(stored: Any) -> str:
    """Returns a value of a step's data as text."""
    if stored in (None, "", [], {}):
        return "(empty)"
    if stored == NOT_MEASURABLE:
        return "not measurable"
    if isinstance(stored, bool):
        return "yes" if stored else "no"
    if isinstance(stored, Mapping):
        others = [name for name in stored if name not in ENTRY_PARTS and not name.endswith("_id")]
        return ", ".join(part for name in (*ENTRY_PARTS, *others) if (part := _part(name, stored.get(name))))
    if isinstance(stored, list | tuple):
        return "; ".join(value(one) for one in stored)
    return str(stored)


def _day(stored: Any) -> str:
    try:
        return clinic_times.day(date.fromisoformat(str(stored)))
    except ValueError:  # an earlier import or release may have stored other text
        return str(stored)


# The parts of a symptom, finding, test, medicine or next appointment, in the order in which they are read.
ENTRY_PARTS = (
    *("name", "test_type", "test_code", "code", "primary", "system", "description", "normal", "severity"),
    *("dosage", "frequency", "duration", "instructions", "quantity", "refills"),
    *("priority", "specimen_type", "collection_instructions"),
    *("in_days", "date", "appointment_type", "reason", "referral"),
)
_PARTS: Mapping[str, Callable[[Any], str]] = {
    "primary": lambda is_primary: "primary" if is_primary else "",
    "normal": lambda is_normal: "normal" if is_normal else "not normal",
    "quantity": lambda count: f"quantity {count}",
    "refills": lambda count: "1 refill" if count == 1 else f"{count} refills",
    "in_days": lambda count: "in 1 day" if count == 1 else f"in {count} days",
    "date": _day,
    "appointment_type": plain,
    "referral": lambda to: f"referral to {to}",
}


def _part(name: str, stored: Any) -> str:
    """Returns a part of an entry as text, with its name if pages have no words for it; empty if it says nothing."""
    if stored in (None, "", [], {}):
        return ""
    if name in _PARTS:
        return _PARTS[name](stored)
    return value(stored) if name in ENTRY_PARTS else f"{plain(name)}: {value(stored)}"


def lines(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns a step's data as lines of label and text."""
    return [(label(name), _measured(name, stored, data)) for name, stored in data.items() if name != "entered"]


def _measured(name: str, stored: Any, data: Mapping[str, Any]) -> str:
    """Returns a value with its unit, and as it was entered if that was in another unit."""
    text = value(stored)
    if name in vitals.RANGES and isinstance(stored, int | float):
        text = f"{text} {unit(name)}"
    typed = data.get("entered", {}).get(name)
    return f"{text} (entered as {typed['value']:g} {UNIT_SIGNS.get(typed['unit'], typed['unit'])})" if typed else text
