"""Each field of each step: what is stored, where its limits are, and how a refusal names it. Without a database."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from apps.common.text import LOOKS_BLANK
from apps.consultations.steps import definitions
from apps.consultations.steps.definitions import NURSE_STEPS, REQUIRED_FIELDS, SCHEMAS, Step, Unreadable
from apps.consultations.steps.fields import Choice, Day, Flag, Group, Id, Measure, Number, Rows, Text, merged
from apps.patients.chart import vitals
from apps.patients.chart.vitals import Problem

ID = "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44"


def read(step: int, data: dict[str, Any]) -> dict[str, Any]:
    return definitions.read(Step(step), data)


def issues(step: int, data: dict[str, Any], stored: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """The refused fields with their sentences."""
    try:
        definitions.merged(Step(step), stored or {}, read(step, data))
    except Unreadable as refusal:
        return [(problem.field, problem.issue) for problem in refusal.problems]
    return []


# --- kinds of fields


def _named(value: Any) -> str:
    """The id of a parameter, the same in every process: some fields have no text of their own but their address."""
    return type(value).__name__ if hasattr(value, "read") else str(value)


@pytest.mark.parametrize(
    ("field", "sent", "stored"),
    [
        (Text(200), "  Aspirin   100 mg ", "Aspirin 100 mg"),
        (Text(200), "two\nlines", "two lines"),
        (Text(201), " two\nlines ", "two\nlines"),
        (Text(201), "a\x00b\tc", "ab\tc"),
        (Text(3), "abc", "abc"),
        (Flag(), True, True),
        (Flag(), False, False),
        (Choice("a", "b"), "b", "b"),
        (Number(0, 10, 0), 0, 0),
        (Number(0, 10, 0), 10, 10),
        (Number(0, 10, 0), 3.0, 3),
        (Number(0, 10, 0), Decimal("7"), 7),
        (Number(0, 10, 1), 0.5, 0.5),
        (Number(0, 10, 1), Decimal("0.50"), 0.5),
        (Number(0, 10, 3), 1.125, 1.125),
        (Number(0, 2000, 0), Decimal("1e3"), 1000),
        (Measure(0, 10, 0), "not_measurable", "not_measurable"),
        (Measure(0, 10, 0), 4, 4),
        (Id(), ID, ID),
        (Id(), ID.upper(), ID),
        (Day(), "2028-02-29", "2028-02-29"),
        (Group({"a": Text(5)}), {"a": "x"}, {"a": "x"}),
        (Group({"a": Text(5)}), {"a": None}, {"a": None}),
        (Group({"a": Text(5)}, or_text=Text(9)), " note ", "note"),
        (Rows(Text(5)), ["a", "b"], ["a", "b"]),
        (Rows(Text(5)), [], []),
        (Rows(Group({"a": Text(5)})), [{"a": "x"}, {"a": None}], [{"a": "x"}, {}]),
    ],
    ids=_named,
)
def test_a_value_is_stored_in_one_form(field: Any, sent: Any, stored: Any) -> None:
    problems: list[Problem] = []
    result = field.read(sent, "it", problems)
    assert (result, type(result), problems) == (stored, type(stored), [])


@pytest.mark.parametrize(
    ("field", "sent", "path", "issue"),
    [
        (Text(3), 7, "it", "Must be text."),
        (Text(3), True, "it", "Must be text."),
        (Text(3), "  ", "it", "Must not be blank; send null to clear it."),
        (Text(3), "\u200b\u200b", "it", LOOKS_BLANK),
        (Text(3), "abcd", "it", "Must have at most 3 characters."),
        (Text(300), "x" * 301, "it", "Must have at most 300 characters."),
        (Flag(), 1, "it", "Must be true or false."),
        (Flag(), "true", "it", "Must be true or false."),
        (Choice("a", "b"), "c", "it", "Must be one of a, b."),
        (Choice("a", "b"), ["a"], "it", "Must be one of a, b."),
        (Choice("a", "b"), True, "it", "Must be one of a, b."),
        (Number(0, 10, 0), True, "it", "Must be a number."),
        (Number(0, 10, 0), "3", "it", "Must be a number."),
        (Number(0, 10, 0), 3.5, "it", "Must be a whole number."),
        (Number(0, 10, 1), 3.55, "it", "Must have at most 1 decimals."),
        (Number(0, 10, 0), 11, "it", "Must be between 0 and 10."),
        (Number(1, 10, 0), 0, "it", "Must be between 1 and 10."),
        (Number(0, 10, 0), Decimal("NaN"), "it", "Must be a whole number."),
        (Number(0, 10, 0), Decimal("Infinity"), "it", "Must be a whole number."),
        (Measure(0, 10, 0), "not_measured", "it", "Must be a number."),
        (Id(), "aspirin", "it", "Must be a UUID."),
        (Id(), 11111111222233334444555555555555, "it", "Must be a UUID."),
        (Day(), "2027-02-29", "it", "2027-02-29 is not a calendar date."),
        (Day(), "29.02.2028", "it", "Write the date as YYYY-MM-DD, like 2026-12-01."),
        (Group({"a": Text(5)}), "x", "it", "Must be an object."),
        (Group({"a": Text(5)}, or_text=Text(9)), 3, "it", "Must be text or an object."),
        (Group({"a": Text(5)}), {"b": 1}, "it.b", "Unknown field. Known fields: a."),
        (Group({"a": Text(5, required=True)}), {}, "it.a", "Is required."),
        (Group({"a": Text(5, required=True)}), {"a": None}, "it.a", "Is required."),
        (Rows(Text(5)), "abc", "it", "Must be a list."),
        (Rows(Text(5), maximum=2), ["a"] * 3, "it", "Must have at most 2 items."),
        (Rows(Text(5)), ["a", 3], "it[1]", "Must be text."),
        (Rows(Group({"a": Text(5)})), [{"a": "x"}, {"a": 3}], "it[1].a", "Must be text."),
    ],
    ids=_named,
)
def test_a_value_that_is_not_valid_is_refused_by_its_path(field: Any, sent: Any, path: str, issue: str) -> None:
    problems: list[Problem] = []
    field.read(sent, "it", problems)
    assert problems == [Problem(path, issue)]


@pytest.mark.parametrize(
    ("stored", "sent", "after"),
    [
        ({}, {}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": None}, {}),
        ({"a": 1}, {"b": None}, {"a": 1}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ({"a": "text"}, {"a": {"b": 1, "c": None}}, {"a": {"b": 1}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"a": 0}, {"a": 0}),
        ({"a": True}, {"a": False}, {"a": False}),
    ],
)
def test_a_save_is_merged_as_rfc_7396_says(stored: Any, sent: Any, after: Any) -> None:
    before = repr(stored)
    assert merged(stored, sent) == after
    assert repr(stored) == before  # an earlier version stays as it was


# --- the fields of the steps

_TEXTS = [
    (2, "chief_complaint", 1_000),
    (7, "plan", 4_000),
    (9, "instructions", 4_000),
    (9, "follow_up", 1_000),
]
_ITEM_TEXTS = [
    (2, "symptoms", {}, "description", 400),
    (2, "symptoms", {"description": "Cough"}, "duration", 100),
    (4, "findings", {"description": "No murmur"}, "system", 100),
    (4, "findings", {}, "description", 1_000),
    (5, "tests", {}, "test_type", 200),
    (5, "tests", {}, "test_code", 40),
    (5, "tests", {"test_code": "CBC"}, "specimen_type", 100),
    (5, "tests", {"test_code": "CBC"}, "collection_instructions", 1_000),
    (6, "diagnoses", {}, "code", 10),
    (8, "medications", {}, "name", 200),
    *((8, "medications", {"name": "Aspirin"}, part, 200) for part in ("dosage", "frequency", "duration")),
    (8, "medications", {"name": "Aspirin"}, "instructions", 1_000),
]


@pytest.mark.parametrize(("step", "name", "most"), _TEXTS)
def test_a_text_of_a_step_has_its_limit(step: int, name: str, most: int) -> None:
    assert read(step, {name: "x" * most}) == {name: "x" * most}
    assert issues(step, {name: "x" * (most + 1)}) == [(name, f"Must have at most {most} characters.")]


@pytest.mark.parametrize(("step", "name", "rest", "part", "most"), _ITEM_TEXTS)
def test_a_text_of_an_item_has_its_limit(step: int, name: str, rest: dict[str, Any], part: str, most: int) -> None:
    assert read(step, {name: [rest | {part: "x" * most}]}) == {name: [rest | {part: "x" * most}]}
    wrong = issues(step, {name: [rest | {part: "x" * (most + 1)}]})
    assert wrong == [(f"{name}[0].{part}", f"Must have at most {most} characters.")]


@pytest.mark.parametrize("part", ["reason", "referral"])
def test_a_text_of_the_next_appointment_has_its_limit(part: str) -> None:
    assert not issues(9, {"follow_up": {part: "x" * 400}})
    assert issues(9, {"follow_up": {part: "x" * 401}}) == [(f"follow_up.{part}", "Must have at most 400 characters.")]


@pytest.mark.parametrize(
    ("step", "build", "path", "least", "most"),
    [
        (8, lambda number: {"medications": [{"name": "x", "quantity": number}]}, "medications[0].quantity", 1, 9_999),
        (8, lambda number: {"medications": [{"name": "x", "refills": number}]}, "medications[0].refills", 0, 11),
        (9, lambda number: {"follow_up": {"in_days": number}}, "follow_up.in_days", 1, 730),
    ],
)
def test_a_number_of_a_step_has_its_limits(step: int, build: Any, path: str, least: int, most: int) -> None:
    assert not issues(step, build(least))
    assert not issues(step, build(most))
    assert issues(step, build(least - 1)) == [(path, f"Must be between {least} and {most}.")]
    assert issues(step, build(most + 1)) == [(path, f"Must be between {least} and {most}.")]


@pytest.mark.parametrize(
    ("step", "name", "item", "most"),
    [
        (2, "symptoms", {"description": "x"}, 100),
        (4, "findings", "x", 100),
        (5, "tests", {"test_code": "CBC"}, 100),
        (8, "medications", {"name": "x"}, 30),
    ],
)
def test_a_list_of_a_step_has_its_limit(step: int, name: str, item: Any, most: int) -> None:
    assert not issues(step, {name: [item] * most})
    assert issues(step, {name: [item] * (most + 1)}) == [(name, f"Must have at most {most} items.")]


def test_a_visit_has_at_most_twelve_diagnoses() -> None:
    codes = [{"code": f"R{number}"} for number in range(10, 23)]
    assert not issues(6, {"diagnoses": codes[:12]})
    assert issues(6, {"diagnoses": codes}) == [("diagnoses", "Must have at most 12 items.")]


@pytest.mark.parametrize(
    ("step", "build", "words"),
    [
        (2, lambda word: {"symptoms": [{"description": "x", "severity": word}]}, {"mild", "moderate", "severe"}),
        (5, lambda word: {"tests": [{"test_code": "CBC", "priority": word}]}, {"routine", "urgent", "stat"}),
        (
            9,
            lambda word: {"follow_up": {"appointment_type": word}},
            {"consultation", "follow_up", "procedure", "vaccination", "lab", "telehealth", "emergency"},
        ),
    ],
)
def test_a_choice_of_a_step_has_the_words_of_the_contract(step: int, build: Any, words: set[str]) -> None:
    others = {"", "Mild", "high", "STAT", "walk_in", "none"}
    assert {word for word in words | others if not issues(step, build(word))} == words


@pytest.mark.parametrize(
    ("codes", "refused"),
    [
        (["I10"], []),
        (["I10", "R51.9"], []),
        (["R51.9", "R519"], ["diagnoses[1].code"]),
        (["r51.9", "R51.9"], ["diagnoses[1].code"]),
        (["I10", "R51.9", "I10", "i10"], ["diagnoses[2].code", "diagnoses[3].code"]),
    ],
)
def test_a_diagnosis_is_listed_once_in_whatever_form(codes: list[str], refused: list[str]) -> None:
    assert [field for field, _ in issues(6, {"diagnoses": [{"code": code} for code in codes]})] == refused


@pytest.mark.parametrize(
    ("marks", "refused"),
    [
        ([None, None], []),
        ([True, False], []),
        ([False, True], []),
        ([True, True], ["diagnoses[1].primary"]),
        ([False, True, False, True], ["diagnoses[3].primary"]),
    ],
)
def test_at_most_one_diagnosis_is_primary(marks: list[bool | None], refused: list[str]) -> None:
    sent = [{"code": f"R{number}"} | ({} if mark is None else {"primary": mark}) for number, mark in enumerate(marks)]
    assert [field for field, _ in issues(6, {"diagnoses": sent})] == refused


@pytest.mark.parametrize(
    ("test", "refused"),
    [
        ({"test_code": "CBC"}, []),
        ({"test_type": "Complete Blood Count"}, []),
        ({"specimen_type": "blood"}, ["tests[0].test_code"]),
        ({"test_code": None, "test_type": None}, ["tests[0].test_code"]),
        ({}, ["tests[0].test_code"]),
    ],
)
def test_a_test_has_a_code_or_a_name(test: dict[str, Any], refused: list[str]) -> None:
    assert [field for field, _ in issues(5, {"tests": [test]})] == refused


# --- what completes a step


def test_the_required_fields_are_those_of_the_contract() -> None:
    assert {int(step): fields for step, fields in REQUIRED_FIELDS.items()} == {
        2: ("chief_complaint",),
        6: ("diagnoses",),
        7: ("plan",),
    }
    assert {int(step) for step in NURSE_STEPS} == {0, 1, 2, 3}


@pytest.mark.parametrize("step", range(11))
def test_an_empty_step_lacks_its_required_fields(step: int) -> None:
    assert definitions.missing_fields(Step(step), {}) == list(REQUIRED_FIELDS.get(Step(step), ()))
    assert definitions.missing_fields(Step(step), dict.fromkeys(SCHEMAS[Step(step)], "x")) == []


def test_an_empty_list_of_diagnoses_is_no_assessment() -> None:
    assert definitions.missing_fields(Step.ASSESSMENT, {"diagnoses": []}) == ["diagnoses"]


@pytest.mark.parametrize(
    ("step", "data", "unanswered"),
    [
        (0, {}, False),
        (0, {"identity_confirmed": False}, False),
        (1, {}, True),
        (1, {"confirmed_implausible": True}, True),
        (1, {"entered": {"weight_kg": {"value": 158, "unit": "lb"}}}, True),
        (1, {"pain": 0}, False),
        (1, {"bp": "not_measurable"}, False),
        (2, {}, False),
        (3, {}, True),
        (3, {"allergies_reviewed": False, "problems_reviewed": False}, True),
        (3, {"allergies_reviewed": False, "problems_reviewed": True}, False),
        (4, {}, True),
        (4, {"findings": []}, True),
        (4, {"findings": ["Clear lungs"]}, False),
        (5, {}, False),
        (8, {"medications": []}, False),
        (9, {}, False),
    ],
)
def test_a_step_of_findings_without_one_is_unanswered(step: int, data: dict[str, Any], unanswered: bool) -> None:
    assert definitions.is_unanswered(Step(step), data) is unanswered


@pytest.mark.parametrize(
    ("stored", "sent", "refused"),
    [
        (None, "2026-11-29", True),
        (None, "2026-11-30", False),
        (None, "2026-12-01", False),
        ("2026-11-01", "2026-11-01", False),
        ("2026-11-01", "2026-11-02", True),
    ],
)
def test_a_newly_sent_follow_up_is_today_or_later(stored: str | None, sent: str, refused: bool) -> None:
    before = {"follow_up": {"date": stored}} if stored else {"follow_up": "In two weeks"}
    problems = definitions.past_follow_up(before, {"follow_up": {"date": sent}}, date(2026, 11, 30))
    assert [problem.field for problem in problems] == (["follow_up.date"] if refused else [])


@pytest.mark.parametrize("sent", [{}, {"follow_up": None}, {"follow_up": "In 2020"}, {"follow_up": {"in_days": 3}}])
def test_a_follow_up_without_a_date_is_never_past(sent: dict[str, Any]) -> None:
    assert definitions.past_follow_up({}, sent, date(2026, 11, 30)) == []


# --- vital signs: every limit from both sides

_STEP = {"temperature_c": 0.1, "weight_kg": 0.001, "height_cm": 0.1}
_MEASURES = ("pulse", "temperature_c", "spo2", "respiratory_rate", "weight_kg", "height_cm", "pain")


def _at(name: str, value: float) -> float:
    return round(value, 3) if name in _STEP else int(value)


@pytest.mark.parametrize("name", _MEASURES)
def test_a_vital_sign_outside_its_absolute_limits_is_refused_even_if_confirmed(name: str) -> None:
    least, most = vitals.BOUNDS[name]
    step = _STEP.get(name, 1)
    for value in (least, most):
        assert not issues(1, {name: _at(name, value), "confirmed_implausible": True}), value
    for value in (least - step, most + step):
        (issue,) = issues(1, {name: _at(name, value), "confirmed_implausible": True})
        assert issue[0] == name


@pytest.mark.parametrize("name", ["pulse", "temperature_c", "spo2", "respiratory_rate", "weight_kg", "height_cm"])
def test_a_vital_sign_outside_its_usual_range_is_confirmed_first(name: str) -> None:
    limits = vitals.RANGES[name]
    low, high = vitals.BOUNDS[name]
    step = _STEP.get(name, 1)
    for value in (limits.least, limits.most):
        assert not issues(1, {name: _at(name, value)}), value
    for value in (limits.least - step, limits.most + step):
        if low <= value <= high:
            (issue,) = issues(1, {name: _at(name, value)})
            assert (issue[0], "hardly possible" in issue[1]) == (name, True)
            assert not issues(1, {name: _at(name, value), "confirmed_implausible": True})


@pytest.mark.parametrize(
    ("bp", "plain", "confirmed"),
    [
        ("50/20", True, True),
        ("49/20", False, True),
        ("50/19", False, True),
        ("260/160", True, True),
        ("261/160", False, True),
        ("260/161", False, True),
        ("500/400", False, True),
        ("501/400", False, False),
        ("500/401", False, False),
        ("81/80", True, True),
        ("80/80", False, False),
        ("80/81", False, False),
        ("120/80/40", False, False),
        ("120-80", False, False),
        ("120/", False, False),
        ("/80", False, False),
        ("120.5/80", False, False),
        ("-120/80", False, False),
        ("1200/80", False, False),
        ("90/P", True, True),
        ("49/P", False, True),
        ("501/P", False, False),
    ],
)
def test_a_blood_pressure_is_read_and_has_its_limits(bp: str, plain: bool, confirmed: bool) -> None:
    assert (not issues(1, {"bp": bp})) is plain
    assert (not issues(1, {"bp": bp, "confirmed_implausible": True})) is confirmed


@pytest.mark.parametrize(
    ("name", "sent", "decimals"),
    [("pulse", 70.5, 0), ("spo2", 97.5, 0), ("respiratory_rate", 14.5, 0), ("pain", 3.5, 0), ("temperature_c", 37.25, 1)],
)
def test_a_vital_sign_has_no_more_decimals_than_are_measured(name: str, sent: float, decimals: int) -> None:
    wanted = f"Must have at most {decimals} decimals." if decimals else "Must be a whole number."
    assert issues(1, {name: sent}) == [(name, wanted)]


def test_a_weight_is_stored_to_the_gram() -> None:
    assert read(1, {"weight_kg": 3.412})["weight_kg"] == 3.412
    assert issues(1, {"weight_kg": 3.4125}) == [("weight_kg", "Must have at most 3 decimals.")]


def test_a_confirmation_goes_with_the_next_value_only() -> None:
    stored = {"pulse": 12, "confirmed_implausible": True}

    def after(sent: dict[str, Any]) -> dict[str, Any]:
        return definitions.merged(Step.VITALS, stored, sent)

    assert after({"pulse": 12}) == stored  # sent back unchanged
    assert after({"spo2": 98}) == {"pulse": 12, "spo2": 98}
    assert after({"spo2": 98, "confirmed_implausible": True}) == stored | {"spo2": 98}


def test_every_wrong_vital_sign_of_a_save_is_named() -> None:
    refused = issues(1, {"pulse": 999, "spo2": 120, "colour": "red", "bp": "high"})
    assert {field for field, _ in refused} >= {"pulse", "spo2", "colour"}
