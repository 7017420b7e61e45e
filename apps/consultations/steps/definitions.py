"""The eleven steps, counted from 0: their names, their fields, and what completes them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import IntEnum
from typing import Any

from apps.consultations.steps import fields
from apps.consultations.steps.fields import Choice, Day, Flag, Group, Id, Measure, Number, Rows, Schema, Text
from apps.patients.chart import dates, vitals
from apps.patients.chart.vitals import Problem


class Step(IntEnum):
    PATIENT_OVERVIEW = 0
    VITALS = 1
    SYMPTOMS = 2
    HISTORY_REVIEW = 3
    EXAMINATION = 4
    INVESTIGATIONS = 5
    ASSESSMENT = 6
    TREATMENT_PLAN = 7
    PRESCRIPTIONS = 8
    FOLLOW_UP = 9
    REVIEW_SIGN = 10

    @property
    def wire_name(self) -> str:
        """The step's name in the API."""
        return self.name.lower()


STEP_COUNT = len(Step)
STEPS_BY_NAME: Mapping[str, Step] = {step.wire_name: step for step in Step}
NURSE_STEPS = frozenset((Step.PATIENT_OVERVIEW, Step.VITALS, Step.SYMPTOMS, Step.HISTORY_REVIEW))  # nurses may save them
MAX_DRUGS = 30

_TEST: Schema = {
    "test_type": Text(200, description="Name of the test, like Complete Blood Count"),
    "test_code": Text(40, description="Like CBC"),
    "priority": Choice("routine", "urgent", "stat"),
    "specimen_type": Text(100),
    "collection_instructions": Text(1_000),
}
_DRUG: Schema = {
    "drug_id": Id(),
    "name": Text(200, required=True),
    "dosage": Text(200),
    "frequency": Text(200),
    "duration": Text(200),
    "instructions": Text(1_000),
    "quantity": Number(1, 9_999, 0),
    "refills": Number(0, 11, 0),
}
_SYMPTOM: Schema = {
    "description": Text(400, required=True),
    "severity": Choice("mild", "moderate", "severe"),
    "duration": Text(100, description="Like 3 days"),
}
_FINDING: Schema = {
    "system": Text(100, description="Like cardiovascular"),
    "description": Text(1_000, required=True),
    "normal": Flag(),
}
_DIAGNOSIS: Schema = {
    "code": Text(10, required=True, description="ICD-10-CM, billable on the day of the consultation"),
    "primary": Flag(description="At most one; without it the first is primary"),
}
_NEXT: Schema = {
    "in_days": Number(1, 730, 0),
    "date": Day(),
    "appointment_type": Choice("consultation", "follow_up", "procedure", "vaccination", "lab", "telehealth", "emergency"),
    "reason": Text(400),
    "referral": Text(400),
}

SCHEMAS: Mapping[Step, Schema] = {
    Step.PATIENT_OVERVIEW: {"identity_confirmed": Flag()},
    Step.VITALS: {
        "bp": Text(
            20, description="Systolic/diastolic in mmHg, like 120/80; by palpation 90/P; or not_measurable; stored as sent"
        ),
        "pulse": Measure(*vitals.BOUNDS["pulse"], 0, description="Per minute"),
        "temperature_c": Measure(*vitals.BOUNDS["temperature_c"], 1, description="°C, or °F with temperature_unit"),
        "temperature_unit": Choice("C", "F", description="Of temperature_c as you send it; stored and shown in °C"),
        "spo2": Measure(*vitals.BOUNDS["spo2"], 0, description="Percent"),
        "respiratory_rate": Measure(*vitals.BOUNDS["respiratory_rate"], 0, description="Per minute"),
        "weight_kg": Measure(*vitals.BOUNDS["weight_kg"], 3, description="kg, or pounds with weight_unit"),
        "weight_unit": Choice("kg", "lb", description="Of weight_kg as you send it; stored and shown in kg"),
        "height_cm": Measure(*vitals.BOUNDS["height_cm"], 1, description="cm, or inches with height_unit"),
        "height_unit": Choice("cm", "in", description="Of height_cm as you send it; stored and shown in cm"),
        "pain": Measure(*vitals.BOUNDS["pain"], 0, description="0 none to 10 worst"),
        "confirmed_implausible": Flag(description="Confirms that implausible values in this save were rechecked and are correct"),
    },
    Step.SYMPTOMS: {"chief_complaint": Text(1_000), "symptoms": Rows(Group(_SYMPTOM))},
    Step.HISTORY_REVIEW: {"allergies_reviewed": Flag(), "medications_reviewed": Flag(), "problems_reviewed": Flag()},
    Step.EXAMINATION: {"findings": Rows(Group(_FINDING, or_text=Text(1_000)))},
    Step.INVESTIGATIONS: {"tests": Rows(Group(_TEST))},
    Step.ASSESSMENT: {"diagnoses": Rows(Group(_DIAGNOSIS), maximum=12)},
    Step.TREATMENT_PLAN: {"plan": Text(4_000)},
    Step.PRESCRIPTIONS: {"medications": Rows(Group(_DRUG), maximum=MAX_DRUGS)},
    Step.FOLLOW_UP: {"instructions": Text(4_000), "follow_up": Group(_NEXT, or_text=Text(1_000))},
    Step.REVIEW_SIGN: {},
}
REQUIRED_FIELDS: Mapping[Step, tuple[str, ...]] = {
    Step.SYMPTOMS: ("chief_complaint",),
    Step.ASSESSMENT: ("diagnoses",),
    Step.TREATMENT_PLAN: ("plan",),
}
# Steps that no single field completes, and that contain nothing for the next reader while every field is empty.
FINDING_STEPS = frozenset((Step.VITALS, Step.HISTORY_REVIEW, Step.EXAMINATION))
_NOT_A_FINDING = frozenset(("confirmed_implausible", "entered"))


class Unreadable(ValueError):
    """The step's data are not valid. `problems` names every field, by its path in the data."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{problems[0].field}: {problems[0].issue}")
        self.problems = problems


def read(step: Step, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the data of a save as they are stored; None clears a field. Raises Unreadable naming each invalid or unknown
    field."""
    problems: list[Problem] = []
    if step is Step.VITALS:
        return _read_vitals(sent, problems)
    data = fields.read(SCHEMAS[step], sent, problems)
    if not problems and step is Step.INVESTIGATIONS:
        problems += _unnamed_tests(data)
    if not problems and step is Step.ASSESSMENT:
        problems += _diagnosis_problems(data)
    if problems:
        raise Unreadable(problems)
    return data


def merged(
    step: Step, stored: Mapping[str, Any], sent: Mapping[str, Any], person: vitals.MeasuredPerson | None = None
) -> dict[str, Any]:
    """Returns the stored data with the sent ones merged over them (`fields.merged`): absent fields stay, None clears. Raises
    Unreadable.

    Only new vital signs are checked for plausibility: a value that was confirmed once is not asked about again. With a `person`,
    weight and height are compared with the age, the last values and each other.
    """
    return _merged_vitals(stored, sent, person) if step is Step.VITALS else fields.merged(stored, sent)


def _read_vitals(sent: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Returns the values in metric units, with `entered` for those that were entered in other units."""
    known = {name: value for name, value in sent.items() if name != "entered"}  # a client may send back what it was shown
    unread = {name: value for name, value in known.items() if name not in SCHEMAS[Step.VITALS]}
    values = vitals.metric(known, problems)
    entered = values.pop("entered", None)
    data = fields.read(SCHEMAS[Step.VITALS], {name: values[name] for name in values if name not in unread} | unread, problems)
    if problems:
        raise Unreadable([_with_hint(problem, values) for problem in problems])
    return data | ({"entered": entered} if entered else {})


def _with_hint(problem: Problem, values: Mapping[str, Any]) -> Problem:
    """Returns the problem with the likely mistake, if the value is out of bounds."""
    issue = vitals.impossible(problem.field, values.get(problem.field)) if problem.field in vitals.BOUNDS else ""
    return Problem(problem.field, issue) if issue else problem


def _merged_vitals(stored: Mapping[str, Any], sent: Mapping[str, Any], person: vitals.MeasuredPerson | None) -> dict[str, Any]:
    entered = sent.get("entered") or {}
    changed = [name for name in sent if name != "entered" and sent[name] != stored.get(name)]
    entered_now = {
        name: entered[name] for name in entered if entered[name] is not None or name in changed
    }  # sent back unchanged: stays
    data: dict[str, Any] = fields.merged(stored, {**sent, "entered": entered_now})
    if not data.get("entered"):
        data.pop("entered", None)
    if "confirmed_implausible" not in sent and changed:
        data.pop("confirmed_implausible", None)
    problems = vitals.problems(data, changed, confirmed=bool(sent.get("confirmed_implausible")), person=person)
    if problems:
        raise Unreadable(problems)
    return data


def past_follow_up(stored: Mapping[str, Any], sent: Mapping[str, Any], today: date) -> list[Problem]:
    """Returns the problem of a follow-up date that is newly sent and before `today`. A stored date may pass."""
    follow_up, stored_follow_up = sent.get("follow_up"), stored.get("follow_up")
    day = follow_up.get("date") if isinstance(follow_up, Mapping) else None
    if (
        day is None
        or (isinstance(stored_follow_up, Mapping) and stored_follow_up.get("date") == day)
        or date.fromisoformat(day) >= today
    ):
        return []
    past = dates.day_text(date.fromisoformat(day))
    return [Problem("follow_up.date", f"{past} is in the past. Enter today or a later day.")]


def is_unanswered(step: Step, data: Mapping[str, Any]) -> bool:
    """Returns whether the step needs findings and has none: an empty save does not complete it."""
    return step in FINDING_STEPS and is_empty(data)


def is_empty(data: Mapping[str, Any]) -> bool:
    """Returns whether a step's data have nothing for the next reader. 0 is a finding, an unticked box is none."""
    findings = (value for name, value in data.items() if name not in _NOT_A_FINDING)
    return all(value is None or value is False or value in ("", [], {}) for value in findings)


def missing_fields(step: Step, data: Mapping[str, Any]) -> list[str]:
    """Returns the missing fields without which the step cannot be completed."""
    return [name for name in REQUIRED_FIELDS.get(step, ()) if not data.get(name)]


def primary_position(diagnoses: Sequence[Mapping[str, Any]]) -> int:
    """Returns the position of the primary diagnosis: the marked one, or else the first."""
    return next((position for position, diagnosis in enumerate(diagnoses) if diagnosis.get("primary")), 0)


def _unnamed_tests(data: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem(f"tests[{position}].test_code", "Send test_code or test_type.")
        for position, test in enumerate(data.get("tests") or ())
        if not test.get("test_code") and not test.get("test_type")
    ]


def _diagnosis_problems(data: Mapping[str, Any]) -> list[Problem]:
    problems, seen, primary = [], set[str](), False
    for position, diagnosis in enumerate(data.get("diagnoses") or ()):
        code = diagnosis["code"].upper().replace(".", "")
        if code in seen:
            problems.append(Problem(f"diagnoses[{position}].code", f"{diagnosis['code']} is listed twice."))
        if primary and diagnosis.get("primary"):
            problems.append(Problem(f"diagnoses[{position}].primary", "Only one diagnosis can be primary."))
        seen.add(code)
        primary = primary or bool(diagnosis.get("primary"))
    return problems
