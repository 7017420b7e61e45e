"""How far a visit has come, what a step's data may hold, which values are believed."""

from typing import Any

import pytest

from apps.consultations import rules
from apps.consultations.rules import LIFECYCLE, State, Status, StepRequirements, Workflow, fixed_requirements, progress
from apps.consultations.steps import definitions
from apps.consultations.steps.definitions import SCHEMAS, Step, Unreadable
from apps.patients.chart import vitals

DONE, OPEN = State.COMPLETED, State.IN_PROGRESS


def states(result: rules.Progress) -> list[str]:
    return [one.state.value for one in result.steps]


def wrong(step: int, data: dict[str, Any], stored: dict[str, Any] | None = None) -> list[str]:
    """The fields that are refused."""
    try:
        definitions.merged(Step(step), stored or {}, definitions.read(Step(step), data))
    except Unreadable as refusal:
        return [problem.field for problem in refusal.problems]
    return []


def test_there_are_eleven_steps_counted_from_zero() -> None:
    assert [(int(step), step.wire_name) for step in Step] == [
        (0, "patient_overview"),
        (1, "vitals"),
        (2, "symptoms"),
        (3, "history_review"),
        (4, "examination"),
        (5, "investigations"),
        (6, "assessment"),
        (7, "treatment_plan"),
        (8, "prescriptions"),
        (9, "follow_up"),
        (10, "review_sign"),
    ]


def test_the_states_follow_each_other_as_the_contract_says() -> None:
    allowed = {(here, there.value) for here, others in LIFECYCLE.moves.items() for there in others}
    assert {(str(here), there) for here, there in allowed} == {
        ("in_progress", "on_hold"),
        ("in_progress", "completed"),
        ("in_progress", "cancelled"),
        ("on_hold", "in_progress"),
        ("on_hold", "cancelled"),
        ("completed", "amended"),
        ("amended", "amended"),
    }
    assert not LIFECYCLE.may_follow("cancelled", "in_progress")


def test_the_reference_s_example_of_progress() -> None:
    result = progress(
        Workflow.ADAPTIVE, Status.IN_PROGRESS, StepRequirements({Step.SYMPTOMS: "x"}, {}), {Step(0): DONE, Step(1): DONE}
    )
    assert result.current == 2
    assert states(result)[:4] == ["completed", "completed", "in_progress", "pending"]


def test_a_quick_visit_has_set_aside_all_but_two_steps() -> None:
    result = progress(Workflow.QUICK, Status.IN_PROGRESS, fixed_requirements(Workflow.QUICK), {})
    assert result.current == 2
    assert [number for number, state in enumerate(states(result)) if state != "skipped"] == [2, 7, 10]
    touched = progress(Workflow.QUICK, Status.IN_PROGRESS, fixed_requirements(Workflow.QUICK), {Step(1): OPEN})
    assert (touched.current, states(touched)[1]) == (1, "in_progress")


def test_a_visit_that_waits_has_no_step_in_progress_by_itself() -> None:
    assert "in_progress" not in states(progress(Workflow.STANDARD, Status.ON_HOLD, fixed_requirements(Workflow.STANDARD), {}))


def test_what_comes_next_is_what_a_rule_puts_first_then_what_is_required_then_what_is_open() -> None:
    requirements = StepRequirements({Step.SYMPTOMS: "x", Step.EXAMINATION: "y"}, {}, (Step.EXAMINATION,))
    asked = [{}, {Step.EXAMINATION: DONE}, {Step.EXAMINATION: DONE, Step.SYMPTOMS: DONE}]
    result = [progress(Workflow.ADAPTIVE, Status.IN_PROGRESS, requirements, saved).recommended for saved in asked]
    assert result == [4, 2, 0]
    everything = dict.fromkeys(list(Step)[:10], DONE)
    assert progress(Workflow.ADAPTIVE, Status.IN_PROGRESS, requirements, everything).recommended == 10
    assert progress(Workflow.ADAPTIVE, Status.COMPLETED, requirements, everything).recommended is None


@pytest.mark.parametrize(
    ("step", "data", "fields"),
    [
        (0, {"identity_confirmed": "yes"}, ["identity_confirmed"]),
        (0, {"colour": "red", "size": 1}, ["colour", "size"]),
        (2, {"chief_complaint": "  "}, ["chief_complaint"]),
        (2, {"chief_complaint": "x" * 1_001}, ["chief_complaint"]),
        (2, {"symptoms": [{"severity": "awful"}]}, ["symptoms[0].severity", "symptoms[0].description"]),
        (2, {"symptoms": [{"description": None}]}, ["symptoms[0].description"]),
        (2, {"symptoms": {"description": "x"}}, ["symptoms"]),
        (2, {"symptoms": [{"description": "x"}] * 101}, ["symptoms"]),
        (4, {"findings": [3]}, ["findings[0]"]),
        (5, {"tests": [{"priority": "routine"}]}, ["tests[0].test_code"]),
        (5, {"tests": [{"test_code": "CBC", "priority": "high"}]}, ["tests[0].priority"]),
        (4, {"findings": [{"system": "heart", "description": None}]}, ["findings[0].description"]),
        (6, {"diagnoses": [{"primary": True}]}, ["diagnoses[0].code"]),
        (6, {"diagnoses": [{"code": None}]}, ["diagnoses[0].code"]),
        (6, {"diagnoses": [{"code": "I10"}, {"code": "i10"}]}, ["diagnoses[1].code"]),
        (6, {"diagnoses": [{"code": "I10", "primary": True}, {"code": "R51.9", "primary": True}]}, ["diagnoses[1].primary"]),
        (8, {"medications": [{"name": None, "quantity": 3}]}, ["medications[0].name"]),
        (8, {"medications": [{"name": "x", "quantity": 0}]}, ["medications[0].quantity"]),
        (8, {"medications": [{"name": "x", "refills": 12}]}, ["medications[0].refills"]),
        (8, {"medications": [{"name": "x", "quantity": 1.5}]}, ["medications[0].quantity"]),
        (8, {"medications": [{"name": "x", "drug_id": "aspirin"}]}, ["medications[0].drug_id"]),
        (8, {"medications": [{"name": "x"}] * 31}, ["medications"]),
        (9, {"follow_up": {"in_days": 0}}, ["follow_up.in_days"]),
        (9, {"follow_up": {"date": "tomorrow"}}, ["follow_up.date"]),
        (9, {"follow_up": {"date": "2026-12-1"}}, ["follow_up.date"]),
        (9, {"follow_up": {"date": "20261201"}}, ["follow_up.date"]),
        (9, {"follow_up": {"date": "2026-W49-2"}}, ["follow_up.date"]),
        (9, {"follow_up": {"date": "2027-02-29"}}, ["follow_up.date"]),
        (9, {"follow_up": {"date": 20261201}}, ["follow_up.date"]),
        (10, {"signed": True}, ["signed"]),
    ],
)
def test_wrong_step_data_is_refused_by_name(step: int, data: dict[str, Any], fields: list[str]) -> None:
    assert wrong(step, data) == fields


def test_an_object_is_merged_and_a_list_is_replaced() -> None:
    def after(step: int, stored: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
        return definitions.merged(Step(step), stored, definitions.read(Step(step), sent))

    next_visit = {"in_days": 14, "reason": "Wound", "referral": "Surgery"}
    changes = {"follow_up": {"in_days": 7, "referral": None}}
    assert after(9, {"follow_up": next_visit}, changes) == {"follow_up": {"in_days": 7, "reason": "Wound"}}
    assert after(9, {"follow_up": "In two weeks"}, changes) == {"follow_up": {"in_days": 7}}
    assert after(9, {"follow_up": next_visit}, {"follow_up": "In two weeks"}) == {"follow_up": "In two weeks"}
    assert after(9, {"follow_up": next_visit, "instructions": "Rest"}, {"follow_up": None}) == {"instructions": "Rest"}
    symptoms = {"symptoms": [{"description": "Headache", "severity": "mild"}, {"description": "Fever"}]}
    changes = {"symptoms": [{"description": "Headache", "severity": None}]}
    assert after(2, symptoms, changes) == {"symptoms": [{"description": "Headache"}]}


def test_every_step_takes_what_the_contract_names() -> None:
    names = {int(step): set(schema) for step, schema in SCHEMAS.items()}
    assert names[1] == {
        *("bp", "pulse", "temperature_c", "spo2", "respiratory_rate", "weight_kg", "height_cm", "pain"),
        *("confirmed_implausible", "weight_unit", "height_unit", "temperature_unit"),
    }
    assert names[3] == {"allergies_reviewed", "medications_reviewed", "problems_reviewed"}
    assert (names[9], names[10]) == ({"instructions", "follow_up"}, set())
    assert not wrong(9, {"instructions": "Rest", "follow_up": "In two weeks"})
    assert not wrong(9, {"follow_up": {"in_days": 14, "reason": "Wound"}})
    assert not wrong(4, {"findings": ["Clear lungs", {"system": "heart", "description": "No murmur", "normal": True}]})


@pytest.mark.parametrize(
    ("vital", "value", "believed"),
    [
        ("bp", "120/80", True),
        ("bp", " 120 / 80 ", True),
        ("bp", "80/120", False),
        ("bp", "120/120", False),
        ("bp", "120", False),
        ("bp", "120/80/60", False),
        ("bp", "270/80", False),
        ("bp", "260/160", True),
        ("pulse", 24, False),
        ("pulse", 25, True),
        ("temperature_c", 98.6, False),
        ("temperature_c", 42.5, True),
        ("temperature_c", 42.6, False),
        ("spo2", 49, False),
        ("weight_kg", 0.3, False),
        ("height_cm", 5.9, False),
        ("pain", 11, False),
    ],
)
def test_vital_signs_are_believed_within_their_ranges(vital: str, value: Any, believed: bool) -> None:
    assert wrong(1, {vital: value}) == ([] if believed else [vital])


def test_what_is_implausible_can_be_confirmed_and_what_is_impossible_cannot() -> None:
    sure = {"confirmed_implausible": True}
    assert not wrong(1, {"pulse": 12} | sure)
    assert not wrong(1, {"bp": "300/200"} | sure)
    for impossible in ({"bp": "80/120"}, {"bp": "800/90"}, {"spo2": 120}, {"pulse": -1}, {"pain": 11}):
        assert wrong(1, impossible | sure)


def test_a_confirmed_value_is_not_asked_about_again_and_another_is() -> None:
    stored = {"pulse": 12, "confirmed_implausible": True}
    assert not wrong(1, {"pulse": 12, "spo2": 97}, stored)
    assert wrong(1, {"pulse": 13}, stored) == ["pulse"]
    assert "confirmed_implausible" not in definitions.merged(Step.VITALS, stored, {"pulse": 70})


def test_numbers_are_read_out_of_the_vital_signs() -> None:
    result = vitals.measured({"bp": "120/80", "weight_kg": 80, "height_cm": 200, "pain": 0})
    assert result == {"systolic": 120, "diastolic": 80, "weight_kg": 80, "height_cm": 200, "bmi": 20.0, "pain": 0}


def test_the_loinc_codes_have_their_check_digits() -> None:
    for code, _, _ in vitals.LOINC.values():
        number, check = code.split("-")
        doubled = "".join(str(int(digit) * 2) if place % 2 == 0 else digit for place, digit in enumerate(reversed(number)))
        assert (10 - sum(map(int, doubled)) % 10) % 10 == int(check), code
