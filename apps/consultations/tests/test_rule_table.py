"""What each adaptive rule asks for, and the value, age or word at which it begins and ends.

The expected values are written from the sources that the table names (NEWS2, ACC/AHA 2017, NICE NG143, FAST, UN SDG 3.7) and
from section 4 of the contract. A change of the table that a clinician has not asked for fails here.
"""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from apps.consultations.adaptive import RULES, VERSION, Facts, guide, requirements_of, urgent_alerts
from apps.consultations.adaptive.engine import alert_id
from apps.consultations.adaptive.facts import AnyOf, Is, normalized
from apps.consultations.adaptive.rule import Rule
from apps.consultations.rules import Status, Workflow, progress
from apps.consultations.steps.definitions import Step
from apps.consultations.tests.test_adaptive import REACHED, WELL

# By rule: the steps that it requires, skips and puts first, the step of its questions and alert, whether it alerts, and whether
# the doctor is notified at once.
EFFECTS: dict[str, tuple[set[int], set[int], int | None, int | None, bool, bool]] = {
    "base.always": ({2, 6}, set(), None, None, False, False),
    "redflag.pressure": ({1, 4}, set(), 4, 1, True, True),
    "redflag.headache-pressure": (set(), set(), None, 2, False, False),
    "redflag.oxygen": ({4}, set(), 4, 1, True, True),
    "redflag.breathing": ({4}, set(), None, 1, True, True),
    "redflag.pulse": ({4}, set(), None, 1, True, True),
    "redflag.slow-pulse": ({4}, set(), None, 1, True, True),
    "redflag.low-pressure": ({4}, set(), None, 1, True, True),
    "redflag.cold": ({4}, set(), None, 1, True, True),
    "redflag.not-measurable": ({1, 4}, set(), 4, 1, True, True),
    "redflag.infant-fever": ({4}, set(), 4, 1, True, True),
    "redflag.stroke": ({1, 4}, set(), 4, 2, True, False),
    "redflag.self-harm": ({7}, set(), None, 2, True, False),
    "redflag.chest-pain": ({1, 4}, set(), 1, 2, False, False),
    "redflag.anticoagulated": ({4}, set(), None, 2, True, False),
    "vitals.complaint": ({1}, set(), None, None, False, False),
    "examination.complaint": ({4}, set(), None, None, False, False),
    "examination.severe-pain": ({4}, set(), None, 1, False, False),
    "visit.first": (set(), set(), None, 3, False, False),
    "visit.follow-up": (set(), {4}, None, 2, False, False),
    "visit.telehealth": (set(), {1, 4}, None, 0, False, False),
    "visit.vaccination": ({3}, {4, 5}, None, 3, False, False),
    "visit.lab": (set(), {4, 8}, None, 5, False, False),
    "visit.procedure": ({0, 3}, set(), None, 0, False, False),
    "visit.emergency": ({1, 4, 7}, set(), 1, None, False, False),
    "child.vitals": ({1}, set(), None, None, False, False),
    "child.weight": (set(), set(), None, 8, False, False),
    "child.drug-without-weight": ({1}, set(), 1, 1, True, False),
    "pregnancy.possible": (set(), set(), None, 5, False, False),
    "elderly.many-drugs": ({3}, set(), None, 3, False, False),
    "history.allergies-not-asked": ({3}, set(), None, 3, False, False),
    "history.allergies": (set(), set(), None, 3, False, False),
    "history.medications": (set(), set(), None, 3, False, False),
    "history.problems": (set(), set(), None, None, False, False),
    "chronic.hypertension": ({1}, set(), None, 9, False, False),
    "chronic.diabetes": (set(), set(), None, 4, False, False),
    "plan.tests": (set(), set(), None, 9, False, False),
    "plan.drugs": ({7}, set(), None, None, False, False),
}
QUESTIONS = {
    "redflag.pressure": 1,
    "redflag.headache-pressure": 3,
    "redflag.oxygen": 1,
    "redflag.not-measurable": 1,
    "redflag.stroke": 1,
    "redflag.self-harm": 1,
    "redflag.chest-pain": 2,
    "redflag.anticoagulated": 1,
    "examination.severe-pain": 1,
    "visit.first": 1,
    "visit.follow-up": 1,
    "visit.telehealth": 1,
    "visit.vaccination": 1,
    "visit.lab": 1,
    "visit.procedure": 1,
    "child.weight": 1,
    "pregnancy.possible": 1,
    "elderly.many-drugs": 2,
    "history.allergies-not-asked": 1,
    "history.allergies": 1,
    "history.medications": 1,
    "chronic.hypertension": 1,
    "chronic.diabetes": 1,
    "plan.tests": 1,
}


def aged(years: int, **more: Any) -> Facts:
    """A man who is well, of this age; `more` are further facts."""
    return replace(WELL, age_days=years * 366, years=years, **more)


def rules_of(facts: Facts) -> set[str]:
    """The rules that hold."""
    return {rule.rule_id for rule in RULES if all(condition.holds(facts) for condition in rule.when)}


@pytest.mark.parametrize("rule_id", EFFECTS)
def test_a_rule_requires_skips_asks_and_alerts_as_its_source_says(rule_id: str) -> None:
    guidance = guide(replace(WELL, **REACHED[rule_id]))
    requires, skips, first, at, alerts, urgent = EFFECTS[rule_id]

    def steps(lines: Any) -> list[int]:
        return [int(line.step) for line in lines if line.rule_id == rule_id]

    assert set(steps(guidance.requires)) == requires
    assert set(steps(guidance.skips)) == skips
    assert steps(guidance.first) == ([] if first is None else [first])
    assert steps(guidance.prompts) == ([at] if rule_id in QUESTIONS else [])
    assert steps(guidance.alerts) == ([at] if alerts else [])
    assert [line.urgent for line in guidance.alerts if line.rule_id == rule_id] == ([urgent] if alerts else [])
    assert [len(line.asks) for line in guidance.prompts if line.rule_id == rule_id] == (
        [QUESTIONS[rule_id]] if rule_id in QUESTIONS else []
    )


def test_the_expected_effects_name_every_rule_in_the_order_of_the_table() -> None:
    assert list(EFFECTS) == [rule.rule_id for rule in RULES]


def test_a_change_of_the_table_has_a_new_version() -> None:
    """Each consultation stores the version. When this fails, give the table a new VERSION, and enter both here."""
    assert (VERSION, sha256(repr(RULES).encode()).hexdigest()[:16]) == ("2026-11.5", "f3cb340851998561")


# --- values


@pytest.mark.parametrize(
    ("rule_id", "fact", "holds", "does_not"),
    [
        ("redflag.pressure", "systolic", [180, 181, 260], [179, 179.9, 120, None]),
        ("redflag.pressure", "diastolic", [120, 121, 160], [119, 80, None]),
        ("redflag.oxygen", "spo2", [91, 90, 50, 0], [92, 91.5, 100, None]),
        ("redflag.breathing", "respiratory_rate", [25, 26, 80], [24, 12, None]),
        ("redflag.pulse", "pulse", [131, 132, 230], [130, 70, None]),
        ("redflag.slow-pulse", "pulse", [40, 39, 25, 0], [41, 70, None]),
        ("redflag.low-pressure", "systolic", [90, 89, 50, 0], [91, 120, None]),
        ("redflag.cold", "temperature_c", [35.0, 34.9, 32], [35.1, 37, None]),
        ("examination.severe-pain", "pain", [7, 8, 10], [6, 0, None]),
    ],
)
def test_a_vital_sign_is_a_red_flag_from_its_threshold_on(rule_id: str, fact: str, holds: list[Any], does_not: list[Any]) -> None:
    facts = aged(40)
    assert [value for value in holds if rule_id in rules_of(replace(facts, **{fact: value}))] == holds
    assert not [value for value in does_not if rule_id in rules_of(replace(facts, **{fact: value}))]


@pytest.mark.parametrize(
    ("days", "celsius", "feverish"),
    [
        (0, 38.0, True),
        (90, 38.0, True),
        (91, 38.0, False),
        (90, 37.9, False),
        (90, 41, True),
        (90, None, False),
        (366, 40, False),
    ],
)
def test_fever_is_a_red_flag_below_three_months_of_age(days: int, celsius: float | None, feverish: bool) -> None:
    facts = replace(WELL, age_days=days, years=days // 366, temperature_c=celsius)
    assert ("redflag.infant-fever" in rules_of(facts)) is feverish


# --- ages


@pytest.mark.parametrize(
    ("rule_id", "facts", "ages", "other_ages"),
    [
        ("redflag.breathing", {"respiratory_rate": 30}, [16, 17, 18, 95], [0, 1, 15]),
        ("redflag.pulse", {"pulse": 150}, [16, 18, 95], [0, 15]),
        ("redflag.slow-pulse", {"pulse": 35}, [16, 18, 95], [0, 15]),
        ("redflag.low-pressure", {"systolic": 80}, [16, 18, 95], [0, 15]),
        ("redflag.cold", {"temperature_c": 34.0}, [16, 18, 95], [0, 15]),
        ("redflag.pressure", {"systolic": 190}, [0, 15, 16, 95], []),
        ("redflag.oxygen", {"spo2": 85}, [0, 15, 16, 95], []),
        ("redflag.not-measurable", {"not_measurable": ("spo2",)}, [0, 15, 16, 95], []),
        ("child.vitals", {}, [0, 1, 17], [18, 19, 95]),
        ("child.weight", {}, [0, 1, 17], [18, 19, 95]),
        ("child.drug-without-weight", {"drugs_wanted": True}, [0, 1, 17], [18, 95]),
        ("pregnancy.possible", {"sex": "female"}, [10, 11, 49], [0, 9, 50, 54, 95]),
        ("elderly.many-drugs", {"medications": tuple("abcde")}, [75, 76, 95], [74, 18, 0]),
    ],
)
def test_a_rule_holds_for_the_ages_that_its_source_names(
    rule_id: str, facts: dict[str, Any], ages: list[int], other_ages: list[int]
) -> None:
    assert [years for years in ages if rule_id in rules_of(aged(years, **facts))] == ages
    assert not [years for years in other_ages if rule_id in rules_of(aged(years, **facts))]


@pytest.mark.parametrize("sex", ["male", "other", "unknown"])
def test_only_the_chart_of_a_woman_asks_about_pregnancy(sex: str) -> None:
    assert "pregnancy.possible" not in rules_of(aged(30, sex=sex))


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        ("Z90.710", False),  # no uterus and no cervix
        ("Z90.711", False),  # no uterus
        ("Z90.712", True),  # no cervix, but a uterus
        ("Z90.721", True),  # one ovary
        ("Z90.722", False),  # no ovaries
        ("Q51.0", False),  # born without a uterus
        ("Z78.0", False),  # after menopause
        ("N95.0", False),
        ("N95.1", True),  # around menopause
        ("N95.2", False),
        ("E28.310", True),
        ("I10", True),
    ],
)
def test_recorded_menopause_and_a_removed_uterus_end_the_question_of_pregnancy(code: str, asks: bool) -> None:
    problems = ("ICD-10-CM:J45.20", f"ICD-10-CM:{code}")
    assert ("pregnancy.possible" in rules_of(aged(45, sex="female", problems=problems))) is asks


@pytest.mark.parametrize(("count", "many"), [(0, False), (4, False), (5, True), (12, True)])
def test_an_elderly_patient_has_many_drugs_from_five_on(count: int, many: bool) -> None:
    assert ("elderly.many-drugs" in rules_of(aged(80, medications=("Drug",) * count))) is many


@pytest.mark.parametrize(
    ("facts", "asked", "alerted"),
    [
        ({}, True, False),
        ({"drugs_wanted": True}, True, True),
        ({"weight_kg": 20}, False, False),
        ({"weight_kg": 20, "drugs_wanted": True}, False, False),
    ],
)
def test_a_child_is_weighed_before_a_drug_is_prescribed(facts: dict[str, Any], asked: bool, alerted: bool) -> None:
    holding = rules_of(aged(6, **facts))
    assert ("child.weight" in holding, "child.drug-without-weight" in holding) == (asked, alerted)


# --- words of the complaint


@pytest.mark.parametrize(
    ("rule_id", "complaints", "others", "facts"),
    [
        (
            "redflag.headache-pressure",
            ["headache", "Head ache since Monday", "migraine", "headaches"],
            ["dizzy", "head cold", "forehead"],
            {"systolic": 190},
        ),
        ("redflag.chest-pain", ["chest pain", "chest tightness", "chest pressure", "no chest pain"], ["chest cold", "pain"], {}),
        (
            "redflag.stroke",
            ["face drooping", "facial droop", "slurred speech", "one-sided weakness", "left arm weakness"],
            ["weakness", "arm pain", "speech therapy"],
            {},
        ),
        (
            "redflag.self-harm",
            ["suicidal", "suicide of a friend", "self-harm", "self harm", "wants to kill myself", "end my life"],
            ["harmless", "life insurance form"],
            {},
        ),
        (
            "redflag.anticoagulated",
            ["fall", "fell down", "bleeding", "blood in urine", "headache", "hit my head"],
            ["blood test", "back pain"],
            {"medications": ("Warfarin 5 mg",)},
        ),
        (
            "vitals.complaint",
            [
                *("short of breath", "shortness of breath", "breathless", "difficulty breathing", "wheezing", "headache"),
                *("abdominal pain", "stomach pain", "belly pain", "fever", "dizzy", "faints", "palpitations", "cough"),
            ],
            ["knee pain", "rash", "prescription renewal"],
            {},
        ),
        (
            "examination.complaint",
            ["short of breath", "shortness of breath", "breathless", "wheeze", "abdominal pain", "stomach pain", "belly pain"],
            ["fever", "headache", "cough", "rash"],
            {},
        ),
    ],
)
def test_a_complaint_is_recognised_by_its_words(
    rule_id: str, complaints: list[str], others: list[str], facts: dict[str, Any]
) -> None:
    holds = [text for text in complaints if rule_id in rules_of(aged(40, complaint=normalized(text), **facts))]
    assert holds == complaints
    assert not [text for text in others if rule_id in rules_of(aged(40, complaint=normalized(text), **facts))]


@pytest.mark.parametrize(
    "drug",
    ["Warfarin 5 mg", "apixaban", "RIVAROXABAN 20 mg", "Dabigatran", "Edoxaban", "Coumadin", "Eliquis 5 mg", "Xarelto"],
)
def test_a_fall_under_a_blood_thinner_is_alerted(drug: str) -> None:
    assert "redflag.anticoagulated" in rules_of(aged(40, complaint="fell", medications=("Aspirin", drug)))
    assert "redflag.anticoagulated" not in rules_of(aged(40, complaint="cough", medications=(drug,)))


@pytest.mark.parametrize("drugs", [(), ("Aspirin",), ("Vitamin K (instead of warfarin)",)])
def test_a_fall_without_a_blood_thinner_is_not(drugs: tuple[str, ...]) -> None:
    assert "redflag.anticoagulated" not in rules_of(aged(40, complaint="fell", medications=drugs))


@pytest.mark.parametrize("field", ["bp", "pulse", "spo2"])
def test_a_circulation_that_cannot_be_measured_is_a_red_flag(field: str) -> None:
    assert "redflag.not-measurable" in rules_of(aged(40, not_measurable=("weight_kg", field)))


def test_another_sign_that_cannot_be_measured_is_another_alert() -> None:
    """The acknowledgement of the first would otherwise count for the second."""
    alerts = [
        one
        for tried in (("bp",), ("bp", "spo2"), ("bp", "pulse", "spo2"), ("weight_kg", "bp"))
        for one in guide(aged(40, not_measurable=tried)).alerts
    ]
    assert [one.because for one in alerts] == [
        "Could not be measured: blood pressure.",
        "Could not be measured: blood pressure, oxygen saturation.",
        "Could not be measured: blood pressure, pulse, oxygen saturation.",
        "Could not be measured: blood pressure.",
    ]
    assert len({one.id for one in alerts}) == 3


@pytest.mark.parametrize("field", ["temperature_c", "respiratory_rate", "weight_kg", "height_cm", "pain"])
def test_another_value_that_cannot_be_measured_is_none(field: str) -> None:
    assert "redflag.not-measurable" not in rules_of(aged(40, not_measurable=(field,)))


# --- the visit and the chart


@pytest.mark.parametrize(
    ("kind", "rule_ids"),
    [
        ("walk_in", {"child.vitals"}),
        ("consultation", {"visit.first", "child.vitals"}),
        ("follow_up", {"visit.follow-up", "child.vitals"}),
        ("procedure", {"visit.procedure", "child.vitals"}),
        ("emergency", {"visit.emergency", "child.vitals"}),
        ("vaccination", {"visit.vaccination"}),
        ("lab", {"visit.lab"}),
        ("telehealth", {"visit.telehealth"}),
    ],
)
def test_each_type_of_appointment_has_its_rules(kind: str, rule_ids: set[str]) -> None:
    child = aged(6, appointment_type=kind, last_visit_days=None)
    assert {rule for rule in rules_of(child) if rule.startswith("visit.") or rule == "child.vitals"} == rule_ids


@pytest.mark.parametrize("days", [0, 1, 4000])
def test_a_patient_who_was_seen_before_is_not_asked_for_a_full_history(days: int) -> None:
    assert "visit.first" not in rules_of(aged(40, appointment_type="consultation", last_visit_days=days))


@pytest.mark.parametrize(
    ("code", "rule_id"),
    [
        ("ICD-10-CM:I10", "chronic.hypertension"),
        ("ICD-10-CM:I11.9", "chronic.hypertension"),
        ("ICD-10-CM:I12.0", "chronic.hypertension"),
        ("ICD-10-CM:I13.10", "chronic.hypertension"),
        ("SNOMED-CT:38341003", "chronic.hypertension"),
        ("ICD-10-CM:E10.9", "chronic.diabetes"),
        ("ICD-10-CM:E11.65", "chronic.diabetes"),
        ("icd-10-cm:e13.9", "chronic.diabetes"),
        ("SNOMED-CT:44054006", "chronic.diabetes"),
        ("ICD-10-CM:I15.0", None),
        ("ICD-10-CM:E16.2", None),
        ("LOINC:I10", None),
    ],
)
def test_a_chronic_disease_is_known_by_its_code_in_its_system(code: str, rule_id: str | None) -> None:
    assert {rule for rule in rules_of(aged(40, problems=(code,))) if rule.startswith("chronic.")} == ({rule_id} - {None})


@pytest.mark.parametrize(
    ("status", "drugs", "rule_ids"),
    [
        ("not_asked", False, set()),
        ("not_asked", True, {"history.allergies-not-asked"}),
        ("none_known", True, set()),
        ("listed", False, {"history.allergies"}),
        ("listed", True, {"history.allergies"}),
    ],
)
def test_allergies_are_asked_before_a_drug_and_confirmed_where_they_are_listed(
    status: str, drugs: bool, rule_ids: set[str]
) -> None:
    holding = rules_of(aged(40, allergy_status=status, drugs_wanted=drugs))
    assert {rule for rule in holding if rule.startswith("history.allerg")} == rule_ids


def test_what_is_offered_for_confirmation_is_what_the_chart_has() -> None:
    full = aged(40, allergy_status="listed", medications=("Lisinopril",), problems=("ICD-10-CM:I10",))
    assert guide(full).prefills == ("allergies", "medications", "problems")
    assert guide(aged(40)).prefills == ()


# --- the engine


def test_a_step_that_two_rules_require_has_the_reason_of_the_first() -> None:
    facts = aged(40, systolic=190, complaint="chest pain")
    guidance = guide(facts)
    assert [line.rule_id for line in guidance.requires if line.step is Step.VITALS] == ["redflag.pressure", "redflag.chest-pain"]
    assert guidance.requirements().required[Step.VITALS] == "The blood pressure is 190/?, at or above 180/120."
    assert requirements_of(guidance.as_dict()) == guidance.requirements()


def test_the_step_that_comes_first_follows_the_order_of_the_table() -> None:
    facts = aged(40, complaint="chest pain", spo2=85)
    requirements = guide(facts).requirements()
    assert list(requirements.first) == [Step.EXAMINATION, Step.VITALS]
    assert progress(Workflow.ADAPTIVE, Status.IN_PROGRESS, requirements, {}).recommended is Step.EXAMINATION


@pytest.mark.parametrize(
    ("facts", "rule_ids"),
    [
        ({}, []),
        ({"systolic": 190}, ["redflag.pressure"]),
        ({"spo2": 85, "pulse": 150}, ["redflag.oxygen", "redflag.pulse"]),
        ({"complaint": "slurred speech"}, []),
        ({"complaint": "suicidal", "pain": 9, "systolic": 85}, ["redflag.low-pressure"]),
    ],
)
def test_a_visit_that_is_not_adaptive_has_only_the_urgent_alerts(facts: dict[str, Any], rule_ids: list[str]) -> None:
    stored = urgent_alerts(aged(40, **facts))
    assert set(stored) == ({"alerts", "version", "note"} if rule_ids else set())
    assert [alert["rule_id"] for alert in stored.get("alerts", [])] == rule_ids


def test_an_alert_is_another_one_with_another_table_rule_or_reason() -> None:
    ids = {alert_id(*parts) for parts in (("1", "r", "b"), ("2", "r", "b"), ("1", "s", "b"), ("1", "r", "c"))}
    assert len(ids) == 4
    assert {len(one) for one in ids} == {24}


def test_a_question_of_step_0_is_asked_at_step_0_and_one_without_a_step_before_the_signature() -> None:
    rules = [
        Rule(rule_id="a", because="A.", source="house", at=Step.PATIENT_OVERVIEW, asks=("A?",)),
        Rule(rule_id="b", because="B.", source="house", alert="B!"),
    ]
    guidance = guide(WELL, rules)
    assert (guidance.prompts[0].step, guidance.alerts[0].step) == (Step.PATIENT_OVERVIEW, Step.REVIEW_SIGN)


@pytest.mark.parametrize(
    ("condition", "fact", "holds"),
    [
        (Is("pulse", "at least", 70), 70, True),
        (Is("pulse", "at least", 70), 69, False),
        (Is("pulse", "at most", 70), 70, True),
        (Is("pulse", "at most", 70), 71, False),
        (Is("pulse", "below", 70), 69, True),
        (Is("pulse", "below", 70), 70, False),
        (Is("pulse", "is", 70), 70, True),
        (Is("pulse", "one of", (60, 70)), 70, True),
        (Is("pulse", "one of", (60, 70)), 65, False),
        (Is("pulse", "known"), 0, True),
        (Is("pulse", "known"), None, False),
        (Is("pulse", "unknown"), 0, False),
        (Is("pulse", "unknown"), None, True),
        *((Is("pulse", how, 70), None, False) for how in ("at least", "at most", "below")),  # type: ignore[arg-type]
    ],
)
def test_a_comparison_says_what_its_name_says_and_an_unknown_fact_satisfies_none(condition: Is, fact: Any, holds: bool) -> None:
    assert condition.holds(replace(WELL, pulse=fact)) is holds


def test_one_of_several_conditions_is_enough_and_none_is_not() -> None:
    either = AnyOf(Is("pulse", "at least", 100), Is("spo2", "below", 90))
    assert [either.holds(replace(WELL, pulse=pulse, spo2=spo2)) for pulse, spo2 in ((100, 95), (80, 89), (80, 95))] == [
        True,
        True,
        False,
    ]


def test_an_empty_list_of_the_chart_is_unknown() -> None:
    assert Is("medications", "unknown").holds(WELL)
    assert not Is("medications", "known").holds(WELL)
    assert Is("medications", "known").holds(replace(WELL, medications=("Aspirin",)))


@pytest.mark.parametrize(("facts", "text"), [({"age": "20 days"}, "20 days"), ({}, "39 years"), ({"years": 41}, "41 years")])
def test_the_age_in_a_reason_is_the_one_of_the_banner_where_it_is_stored(facts: dict[str, Any], text: str) -> None:
    assert replace(WELL, **facts).age_text == text


def test_two_symptoms_do_not_make_a_phrase_together() -> None:
    assert "redflag.chest-pain" not in rules_of(aged(40, complaint=normalized("Cold on the chest", "Pain in the foot")))
