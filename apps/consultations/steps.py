"""The eleven steps, counted from 0: what each is called, what its data may hold, and what completes it. Pure."""

from collections.abc import Mapping
from datetime import date
from enum import IntEnum
from typing import Any

from apps.consultations import fields
from apps.consultations.fields import Choice, Day, Flag, Group, Id, Measure, Number, Problem, Rows, Schema, Text
from apps.patients import vitals


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
    def word(self) -> str:
        """Its name on the wire."""
        return self.name.lower()


TOTAL = len(Step)
BY_WORD: Mapping[str, Step] = {step.word: step for step in Step}
EARLY = frozenset((Step.PATIENT_OVERVIEW, Step.VITALS, Step.SYMPTOMS, Step.HISTORY_REVIEW))  # a nurse's
MOST_DRUGS = 30

_TEST: Schema = {
    "test_type": Text(200, about="In words, like Complete Blood Count"),
    "test_code": Text(40, about="Like CBC"),
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
    "duration": Text(100, about="Like 3 days"),
}
_FINDING: Schema = {
    "system": Text(100, about="Like cardiovascular"),
    "description": Text(1_000, required=True),
    "normal": Flag(),
}
_DIAGNOSIS: Schema = {
    "code": Text(10, required=True, about="ICD-10-CM, billable on the day of the visit"),
    "primary": Flag(about="At most one; without one the first is"),
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
        "bp": Text(20, about="Systolic/diastolic in mmHg, like 120/80; by palpation 90/P; or not_measurable; kept as sent"),
        "pulse": Measure(*vitals.BOUNDS["pulse"], 0, about="Per minute"),
        "temperature_c": Measure(*vitals.BOUNDS["temperature_c"], 1, about="°C, or °F with temperature_unit"),
        "temperature_unit": Choice("C", "F", about="Of temperature_c as you send it; stored and shown in °C"),
        "spo2": Measure(*vitals.BOUNDS["spo2"], 0, about="Percent"),
        "respiratory_rate": Measure(*vitals.BOUNDS["respiratory_rate"], 0, about="Per minute"),
        "weight_kg": Measure(*vitals.BOUNDS["weight_kg"], 3, about="kg, or pounds with weight_unit"),
        "weight_unit": Choice("kg", "lb", about="Of weight_kg as you send it; stored and shown in kg"),
        "height_cm": Measure(*vitals.BOUNDS["height_cm"], 1, about="cm, or inches with height_unit"),
        "height_unit": Choice("cm", "in", about="Of height_cm as you send it; stored and shown in cm"),
        "pain": Measure(*vitals.BOUNDS["pain"], 0, about="0 none to 10 worst"),
        "confirmed_implausible": Flag(about="What looks implausible in this save was measured again and is right"),
    },
    Step.SYMPTOMS: {"chief_complaint": Text(1_000), "symptoms": Rows(Group(_SYMPTOM))},
    Step.HISTORY_REVIEW: {"allergies_reviewed": Flag(), "medications_reviewed": Flag(), "problems_reviewed": Flag()},
    Step.EXAMINATION: {"findings": Rows(Group(_FINDING, or_text=Text(1_000)))},
    Step.INVESTIGATIONS: {"tests": Rows(Group(_TEST))},
    Step.ASSESSMENT: {"diagnoses": Rows(Group(_DIAGNOSIS), most=12)},
    Step.TREATMENT_PLAN: {"plan": Text(4_000)},
    Step.PRESCRIPTIONS: {"medications": Rows(Group(_DRUG), most=MOST_DRUGS)},
    Step.FOLLOW_UP: {"instructions": Text(4_000), "follow_up": Group(_NEXT, or_text=Text(1_000))},
    Step.REVIEW_SIGN: {},
}
TO_COMPLETE: Mapping[Step, tuple[str, ...]] = {
    Step.SYMPTOMS: ("chief_complaint",),
    Step.ASSESSMENT: ("diagnoses",),
    Step.TREATMENT_PLAN: ("plan",),
}
# Steps that no field alone completes, and that hold nothing for the next reader while every field is empty.
FINDINGS = frozenset((Step.VITALS, Step.HISTORY_REVIEW, Step.EXAMINATION))
_NO_FINDING = frozenset(("confirmed_implausible", "entered"))


class Unreadable(ValueError):
    """The step's data cannot be kept. `problems` names every field, by its path in the data."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{problems[0].field}: {problems[0].issue}")
        self.problems = problems


def read(step: Step, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a save as it is kept; None clears a field. Raises Unreadable naming each wrong or unknown field."""
    problems: list[Problem] = []
    if step is Step.VITALS:
        return _read_vitals(sent, problems)
    data = fields.read(SCHEMAS[step], sent, problems)
    if not problems and step is Step.INVESTIGATIONS:
        problems += _nameless_tests(data)
    if not problems and step is Step.ASSESSMENT:
        problems += _of_diagnoses(data)
    if problems:
        raise Unreadable(problems)
    return data


def merged(step: Step, stored: Mapping[str, Any], sent: Mapping[str, Any], person: vitals.Person | None = None) -> dict[str, Any]:
    """What is stored with what was sent over it (`fields.merged`): what is absent stays, None clears. Raises Unreadable.

    Vital signs are questioned where they are new: a value that was confirmed once is not asked about again. With a `person`,
    weight and height are compared with the age, the last values and each other.
    """
    return _merged_vitals(stored, sent, person) if step is Step.VITALS else fields.merged(stored, sent)


def _read_vitals(sent: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The values in metric units, with `entered` for those that were typed in other ones."""
    known = {name: value for name, value in sent.items() if name != "entered"}  # what we show may be sent back
    unread = {name: value for name, value in known.items() if name not in SCHEMAS[Step.VITALS]}
    values = vitals.metric(known, problems)
    entered = values.pop("entered", None)
    data = fields.read(SCHEMAS[Step.VITALS], {name: values[name] for name in values if name not in unread} | unread, problems)
    if problems:
        raise Unreadable([_hinted(problem, values) for problem in problems])
    return data | ({"entered": entered} if entered else {})


def _hinted(problem: Problem, values: Mapping[str, Any]) -> Problem:
    """The problem with the likely mistake, where the value lies out of its bounds."""
    issue = vitals.impossible(problem.field, values.get(problem.field)) if problem.field in vitals.BOUNDS else ""
    return Problem(problem.field, issue) if issue else problem


def _merged_vitals(stored: Mapping[str, Any], sent: Mapping[str, Any], person: vitals.Person | None) -> dict[str, Any]:
    entered = sent.get("entered") or {}
    fresh = [name for name in sent if name != "entered" and sent[name] != stored.get(name)]
    told = {name: entered[name] for name in entered if entered[name] is not None or name in fresh}  # sent back unchanged: stays
    data: dict[str, Any] = fields.merged(stored, {**sent, "entered": told})
    if not data.get("entered"):
        data.pop("entered", None)
    if "confirmed_implausible" not in sent and fresh:
        data.pop("confirmed_implausible", None)
    wrong = vitals.problems(data, fresh, confirmed=bool(sent.get("confirmed_implausible")), person=person)
    if wrong:
        raise Unreadable(wrong)
    return data


def past_follow_up(stored: Mapping[str, Any], sent: Mapping[str, Any], today: date) -> list[Problem]:
    """The problem of a follow-up date that is sent anew and lies before `today`. A date that is stored already may go by."""
    told, before = sent.get("follow_up"), stored.get("follow_up")
    day = told.get("date") if isinstance(told, Mapping) else None
    if day is None or (isinstance(before, Mapping) and before.get("date") == day) or date.fromisoformat(day) >= today:
        return []
    return [Problem("follow_up.date", f"{day} is in the past. Enter today or a later day.")]


def is_unanswered(step: Step, data: Mapping[str, Any]) -> bool:
    """Whether the step asks for findings and holds none: such a step is not completed by an empty save."""
    findings = (value for name, value in data.items() if name not in _NO_FINDING)
    return step in FINDINGS and all(value is None or value is False or value in ([], {}) for value in findings)  # 0 is a finding


def lacking(step: Step, data: Mapping[str, Any]) -> list[str]:
    """The fields without which the step cannot be completed."""
    return [name for name in TO_COMPLETE.get(step, ()) if not data.get(name)]


def _nameless_tests(data: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem(f"tests[{place}].test_code", "Say which test: test_code or test_type.")
        for place, test in enumerate(data.get("tests") or ())
        if not test.get("test_code") and not test.get("test_type")
    ]


def _of_diagnoses(data: Mapping[str, Any]) -> list[Problem]:
    found, seen, primary = [], set[str](), False
    for place, diagnosis in enumerate(data.get("diagnoses") or ()):
        code = diagnosis["code"].upper().replace(".", "")
        if code in seen:
            found.append(Problem(f"diagnoses[{place}].code", f"{diagnosis['code']} stands here twice."))
        if primary and diagnosis.get("primary"):
            found.append(Problem(f"diagnoses[{place}].primary", "Only one diagnosis is the primary one."))
        seen.add(code)
        primary = primary or bool(diagnosis.get("primary"))
    return found
