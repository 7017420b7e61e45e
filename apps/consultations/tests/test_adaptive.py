"""The table of rules: every row can be reached, and the same facts always say the same."""

import random
import re
from dataclasses import fields, replace
from typing import Any

import pytest

from apps.consultations import adaptive
from apps.consultations.adaptive import RULES, VERSION, Facts, guide
from apps.consultations.adaptive.engine import alert_id
from apps.consultations.adaptive.facts import AnyOf, Is, facts_from, normalized
from apps.consultations.rules import Status, Workflow, progress
from apps.consultations.steps.definitions import Step

WELL = Facts(age_days=40 * 365, sex="male", last_visit_days=30)
_CHILD, _OLD = 6 * 365, 80 * 365

# For each rule facts under which it holds. A rule without a line here fails the walk.
REACHED: dict[str, dict[str, Any]] = {
    "base.always": {},
    "redflag.pressure": {"systolic": 180, "diastolic": 100},
    "redflag.headache-pressure": {"systolic": 150, "diastolic": 120, "complaint": "a headache since monday"},
    "redflag.oxygen": {"spo2": 91},
    "redflag.breathing": {"respiratory_rate": 25},
    "redflag.pulse": {"pulse": 131},
    "redflag.slow-pulse": {"pulse": 40},
    "redflag.low-pressure": {"systolic": 90, "diastolic": 60},
    "redflag.cold": {"temperature_c": 35.0},
    "redflag.not-measurable": {"not_measurable": ("bp",)},
    "redflag.infant-fever": {"age_days": 60, "temperature_c": 38.0},
    "redflag.stroke": {"complaint": "slurred speech"},
    "redflag.self-harm": {"complaint": "suicidal thoughts"},
    "redflag.chest-pain": {"complaint": "chest pain"},
    "redflag.anticoagulated": {"complaint": "fell down the stairs", "medications": ("Warfarin 5 mg",)},
    "vitals.complaint": {"complaint": "fever"},
    "examination.complaint": {"complaint": "abdominal pain"},
    "examination.severe-pain": {"pain": 7},
    "visit.first": {"last_visit_days": None, "appointment_type": "consultation"},
    "visit.follow-up": {"appointment_type": "follow_up"},
    "visit.telehealth": {"appointment_type": "telehealth"},
    "visit.vaccination": {"appointment_type": "vaccination"},
    "visit.lab": {"appointment_type": "lab"},
    "visit.procedure": {"appointment_type": "procedure"},
    "visit.emergency": {"appointment_type": "emergency"},
    "child.vitals": {"age_days": _CHILD},
    "child.weight": {"age_days": _CHILD},
    "child.drug-without-weight": {"age_days": _CHILD, "drugs_wanted": True},
    "pregnancy.possible": {"sex": "female"},
    "elderly.many-drugs": {"age_days": _OLD, "medications": ("a", "b", "c", "d", "e")},
    "history.allergies-not-asked": {"drugs_wanted": True},
    "history.allergies": {"allergy_status": "listed"},
    "history.medications": {"medications": ("Lisinopril",)},
    "history.problems": {"problems": ("ICD-10-CM:J45.20",)},
    "chronic.hypertension": {"problems": ("ICD-10-CM:I10",)},
    "chronic.diabetes": {"problems": ("ICD-10-CM:E11.9",)},
    "plan.tests": {"tests_wanted": True},
    "plan.drugs": {"drugs_wanted": True},
}
BY_ID = {rule.rule_id: rule for rule in RULES}


def holds(rule_id: str, facts: Facts) -> bool:
    return all(condition.holds(facts) for condition in BY_ID[rule_id].when)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule_id)
def test_every_rule_of_the_table_is_reached_and_says_something(rule: Any) -> None:
    assert holds(rule.rule_id, replace(WELL, **REACHED[rule.rule_id]))
    guided = guide(replace(WELL, **REACHED[rule.rule_id])).as_dict()
    lines = [line for name in ("requires", "skips", "first", "prompts", "alerts") for line in guided[name]]
    mine = [line["because"] for line in lines if line["rule_id"] == rule.rule_id]
    assert mine or rule.prefills in guided["prefills"]
    assert all(why and "{" not in why for why in mine)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.when], ids=lambda rule: rule.rule_id)
def test_no_rule_with_a_condition_holds_for_everybody(rule: Any) -> None:
    assert not holds(rule.rule_id, WELL)


def test_the_age_follows_the_birthday_of_the_calendar() -> None:
    facts = replace(WELL, age_days=6574, years=18)  # born on 2008-11-23, seen on 2026-11-23
    assert facts.age_years == 18
    assert not [line for line in guide(facts).prompts if line.rule_id.startswith("child.")]
    assert replace(facts, years=None).age_years == 17  # a visit that kept the days alone


def test_the_walk_knows_every_rule_and_no_other() -> None:
    assert set(REACHED) == set(BY_ID)
    assert len(BY_ID) == len(RULES)


def test_rules_ask_about_facts_there_are_and_say_where_they_come_from() -> None:
    known = {field.name for field in fields(Facts)} | {"age_years", "age_text", "medication_count", "circulation_not_measured"}
    for rule in RULES:
        conditions = [
            one for condition in rule.when for one in (condition.conditions if isinstance(condition, AnyOf) else [condition])
        ]
        assert {one.fact for one in conditions} <= known, rule.rule_id
        assert set(re.findall(r"{(\w+)", rule.because)) <= known, rule.rule_id
        assert rule.source in ("house", "NEWS2", "ACC/AHA 2017", "NICE NG143", "FAST", "UN SDG 3.7"), rule.rule_id
        assert rule.at is not None or not (rule.asks or rule.alert), rule.rule_id


@pytest.mark.parametrize(
    ("rule_id", "below"),
    [
        ("redflag.pressure", {"systolic": 179, "diastolic": 119}),
        ("redflag.oxygen", {"spo2": 92}),
        ("redflag.breathing", {"respiratory_rate": 24}),
        ("redflag.pulse", {"pulse": 130}),
        ("redflag.slow-pulse", {"pulse": 41}),
        ("redflag.low-pressure", {"systolic": 91}),
        ("redflag.cold", {"temperature_c": 35.1}),
        ("redflag.infant-fever", {"age_days": 91, "temperature_c": 40.0}),
        ("redflag.infant-fever", {"age_days": 60, "temperature_c": 37.9}),
        ("redflag.pulse", {"age_days": _CHILD, "pulse": 140}),
        ("child.weight", {"age_days": _CHILD, "weight_kg": 20}),
        ("pregnancy.possible", {"sex": "female", "years": 54, "age_days": 54 * 366}),
        ("pregnancy.possible", {"sex": "female", "years": 50, "age_days": 50 * 366}),
        ("pregnancy.possible", {"sex": "female", "years": 9, "age_days": 9 * 366}),
        ("elderly.many-drugs", {"age_days": _OLD, "medications": ("a", "b", "c", "d")}),
        ("redflag.headache-pressure", {"complaint": "headache", "systolic": 140, "diastolic": 90}),
    ],
)
def test_thresholds_are_where_the_table_says(rule_id: str, below: dict[str, Any]) -> None:
    assert not holds(rule_id, replace(WELL, **below))


def test_the_same_facts_say_the_same_word_for_word() -> None:
    dice = random.Random(11)
    for _ in range(200):
        changes: dict[str, Any] = {}
        for change in dice.sample(sorted(REACHED), 4):
            changes |= REACHED[change]
        facts = replace(WELL, **changes)
        once = guide(facts).as_dict()
        assert once == guide(facts_from(once["facts"])).as_dict()
        assert once["version"] == VERSION


def test_a_worse_value_is_another_alert() -> None:
    (one,), (worse,) = (guide(replace(WELL, systolic=value, diastolic=100)).alerts for value in (181, 221))
    assert one.id != worse.id
    assert one.id == alert_id(VERSION, "redflag.pressure", one.because)


def test_what_is_required_is_never_set_aside() -> None:
    facts = replace(WELL, appointment_type="follow_up", spo2=88)
    reached = progress(Workflow.ADAPTIVE, Status.IN_PROGRESS, guide(facts).requirements(), {})
    assert reached.steps[Step.EXAMINATION].required
    assert reached.steps[Step.EXAMINATION].state.value == "pending"
    quiet = progress(Workflow.ADAPTIVE, Status.IN_PROGRESS, guide(replace(facts, spo2=98)).requirements(), {})
    assert quiet.steps[Step.EXAMINATION].state.value == "skipped"


def test_a_pressure_with_one_unknown_half_is_shown_as_such() -> None:
    assert "?" in guide(replace(WELL, systolic=200)).alerts[0].because


def test_words_are_compared_without_case_accents_and_signs() -> None:
    assert normalized("Céphalée; HEADACHE!", "3 days") == "cephalee headache . 3 days"
    assert Is("complaint", "mentions", ("fever",)).holds(replace(WELL, complaint=normalized("High FEVER.")))
    assert not Is("complaint", "mentions", ("ear",)).holds(replace(WELL, complaint="heartburn"))


def test_it_is_shown_that_no_clinician_has_reviewed_the_rules() -> None:
    assert guide(WELL).as_dict()["note"] == adaptive.NOT_REVIEWED
    assert "not been reviewed" in adaptive.NOT_REVIEWED
