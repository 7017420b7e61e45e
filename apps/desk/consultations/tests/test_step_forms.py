"""The form of a step on its page: what it shows, and what it sends to the service. Without a database."""

from collections.abc import Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from apps.common.errors import Conflict, Invalid
from apps.consultations.rules import State
from apps.consultations.services import Acknowledged
from apps.consultations.steps.definitions import SCHEMAS, Step
from apps.consultations.steps.fields import Group, Rows
from apps.desk.consultations import diagnosis_search, labels, visit_rail, vital_boxes
from apps.desk.consultations.step_forms import ALERT, StepForm, acknowledged, add_errors
from apps.patients.chart.vitals import LastMeasurement


def sent(step: int, answers: dict[str, Any], stored: dict[str, Any] | None = None) -> dict[str, Any]:
    """Returns the step's data as the form passes it to the service."""
    form = StepForm(Step(step), stored or {}, 1, {"version": "1"} | answers)
    assert form.is_valid(), form.errors
    return form.step_data()


# --- what is sent


@pytest.mark.parametrize(
    ("step", "answers", "stored", "data"),
    [
        (0, {"identity_confirmed": "on"}, {}, {"identity_confirmed": True}),
        (0, {}, {}, {}),
        (0, {}, {"identity_confirmed": True}, {"identity_confirmed": False}),
        (1, {"pulse": "72"}, {}, {"pulse": 72}),
        (1, {"pulse": "72.0"}, {}, {"pulse": 72}),
        (1, {"temperature_c": "37.2"}, {}, {"temperature_c": 37.2}),
        (1, {"temperature_c": "98.6 F"}, {}, {"temperature_c": "98.6 F"}),
        (1, {"pulse": "not measurable"}, {}, {"pulse": "not measurable"}),
        (1, {"pulse": "nan"}, {}, {"pulse": "nan"}),
        (1, {"pulse": "1e999"}, {}, {"pulse": "1e999"}),
        (1, {"pain": "0"}, {}, {"pain": 0}),
        (1, {"pulse": ""}, {}, {}),
        (1, {"pulse": ""}, {"pulse": 70}, {"pulse": None}),
        (1, {"bp": "120/80", "confirmed_implausible": "on"}, {}, {"bp": "120/80", "confirmed_implausible": True}),
        (1, {"bp": "120/80"}, {"confirmed_implausible": True}, {"bp": "120/80"}),
        (1, {"weight_kg": "158", "weight_unit": "lb"}, {}, {"weight_kg": 158, "weight_unit": "lb"}),
        (1, {"weight_kg": "70", "weight_unit": "lb"}, {"weight_kg": 70}, {"weight_kg": 70}),
        (1, {"weight_kg": "71", "weight_unit": "lb"}, {"weight_kg": 70}, {"weight_kg": 71, "weight_unit": "lb"}),
        (1, {"weight_unit": "lb"}, {}, {}),
        (2, {"chief_complaint": " Cough "}, {}, {"chief_complaint": "Cough"}),
        (7, {"plan": ""}, {"plan": "Rest"}, {"plan": None}),
        (
            2,
            {"symptoms_0_description": "Cough", "symptoms_0_severity": "mild", "symptoms_2_description": "Fever"},
            {},
            {"symptoms": [{"description": "Cough", "severity": "mild"}, {"description": "Fever"}]},
        ),
        (2, {}, {"symptoms": [{"description": "Cough"}]}, {"symptoms": None}),
        (4, {"findings_0_description": "Clear lungs"}, {"findings": ["Clear lungs"]}, {"findings": ["Clear lungs"]}),
        (
            4,
            {"findings_0_description": "Clear lungs", "findings_0_normal": "on"},
            {"findings": ["Clear lungs"]},
            {"findings": [{"description": "Clear lungs", "normal": True}]},
        ),
        (
            4,
            {"findings_0_description": "No murmur", "findings_0_system": "heart"},
            {"findings": [{"system": "heart", "description": "No murmur", "normal": False}]},
            {"findings": [{"system": "heart", "description": "No murmur", "normal": False}]},
        ),
        (
            8,
            {"medications_0_name": "Aspirin", "medications_0_refills": "0"},
            {},
            {"medications": [{"name": "Aspirin", "refills": 0}]},
        ),
        (9, {"follow_up": "In two weeks"}, {}, {"follow_up": "In two weeks"}),
        (9, {"follow_up_in_days": "14"}, {}, {"follow_up": {"in_days": 14}}),
        (9, {"follow_up_in_days": "14"}, {"follow_up": "Soon"}, {"follow_up": {"in_days": 14}}),
        (
            9,
            {"follow_up_in_days": "7"},
            {"follow_up": {"in_days": 14, "reason": "X"}},
            {"follow_up": {"in_days": 7, "reason": None}},
        ),
        (9, {}, {"follow_up": {"in_days": 14}}, {"follow_up": None}),
    ],
)
def test_a_form_sends_what_was_entered_and_clears_what_was_emptied(
    step: int, answers: dict[str, Any], stored: dict[str, Any], data: dict[str, Any]
) -> None:
    assert sent(step, answers, stored) == data


def test_a_note_and_a_date_of_the_next_appointment_are_not_both_sent() -> None:
    form = StepForm(Step.FOLLOW_UP, {}, 0, {"version": "0", "follow_up": "Soon", "follow_up_in_days": "3"})
    assert not form.is_valid()
    assert form.errors == {"follow_up": ["Fill in either the note or the date, not both."]}


@pytest.mark.parametrize(("version", "valid"), [("0", True), ("7", True), ("-1", False), ("x", False), ("", False)])
def test_a_form_names_the_version_that_the_user_saw(version: str, valid: bool) -> None:
    assert StepForm(Step.TREATMENT_PLAN, {}, 0, {"version": version, "plan": "Rest"}).is_valid() is valid


# --- what is shown


@pytest.mark.parametrize(
    ("step", "name", "stored", "rows"),
    [
        (2, "symptoms", 0, 3),
        (2, "symptoms", 2, 5),
        (6, "diagnoses", 10, 12),
        (6, "diagnoses", 12, 12),
        (8, "medications", 29, 30),
    ],
)
def test_a_list_has_three_empty_rows_up_to_its_limit(step: int, name: str, stored: int, rows: int) -> None:
    item = {"description": "x", "code": "x", "name": "x"}
    (table,) = StepForm(Step(step), {name: [item] * stored}, 1).tables()
    assert len(table["rows"]) == rows


def test_rows_that_were_sent_are_shown_again_within_the_limit() -> None:
    form = StepForm(
        Step.ASSESSMENT, {}, 0, {"version": "0", "diagnoses_7_code": "I10", "diagnoses_9999_code": "X", "diagnoses_x": ""}
    )
    assert len(form.tables()[0]["rows"]) == 8
    assert len(StepForm(Step.ASSESSMENT, {}, 0, {"version": "0", "diagnoses_50_code": "I10"}).tables()[0]["rows"]) == 12


def test_a_finding_in_plain_text_is_shown_as_its_description() -> None:
    form = StepForm(Step.EXAMINATION, {"findings": ["Clear lungs", {"system": "heart", "description": "No murmur"}]}, 1)
    assert form["findings_0_description"].value() == "Clear lungs"
    assert (form["findings_1_system"].value(), form["findings_1_description"].value()) == ("heart", "No murmur")
    assert form.fields["findings_1_system"].widget.attrs["aria-label"] == "System, row 2"


@pytest.mark.parametrize("step", range(10))
def test_every_field_of_a_step_has_an_input(step: int) -> None:
    form = StepForm(Step(step), {}, 0)
    shown = {box.name for box in form.singles()} | {box.name for table in form.tables() for row in table["rows"] for box in row}
    assert {name for name in SCHEMAS[Step(step)] if any(one == name or one.startswith(f"{name}_") for one in shown)} == set(
        SCHEMAS[Step(step)]
    )
    assert "version" not in shown


@pytest.mark.parametrize(("step", "name"), [(2, "chief_complaint"), (7, "plan")])
def test_the_input_that_completes_a_step_says_so(step: int, name: str) -> None:
    assert StepForm(Step(step), {}, 0).fields[name].help_text.endswith(" Required to complete the step.")


def test_a_confirmation_is_never_carried_over() -> None:
    assert StepForm(Step.VITALS, {"pulse": 12, "confirmed_implausible": True}, 1)["confirmed_implausible"].value() is None


# --- refusals and alerts


def test_a_refusal_is_shown_at_its_input_and_else_above_the_form() -> None:
    form = StepForm(Step.ASSESSMENT, {}, 0, {"version": "0", "diagnoses_0_code": "E11"})
    add_errors(
        form,
        Invalid(
            errors=[
                {"field": "step_data.diagnoses[0].code", "issue": "E11 is a header of codes."},
                {"field": "acknowledged_alerts[0].id", "issue": "No such alert."},
            ]
        ),
    )
    assert form.errors == {"diagnoses_0_code": ["E11 is a header of codes."], "__all__": ["No such alert."]}
    other = StepForm(Step.TREATMENT_PLAN, {}, 0, {"version": "0", "plan": "Rest"})
    add_errors(other, Conflict("Something else."))
    assert other.errors == {"__all__": ["Something else."]}
    assert other["plan"].value() == "Rest"


@pytest.mark.parametrize(
    ("issue", "shown"),
    [
        ('Then send temperature_unit: "F".', "Then choose the unit F."),
        ("If so, send confirmed_implausible: true after rechecking.", "If so, recheck and tick the box that confirms it."),
        ("Must be a number.", "Must be a number."),
    ],
)
def test_a_refusal_names_the_inputs_of_the_page(issue: str, shown: str) -> None:
    form = StepForm(Step.VITALS, {}, 0, {"version": "0"})
    add_errors(form, Invalid(field="step_data.pulse", issue=issue))
    assert form.errors == {"pulse": [shown]}


@pytest.mark.parametrize(
    ("data", "answers"),
    [
        ({}, []),
        ({"plan": "Rest"}, []),
        ({f"{ALERT}a1": "Seen"}, [Acknowledged("a1", "Seen")]),
        ({f"{ALERT}a1": "  "}, []),
        ({f"{ALERT}a1": " Seen\x00 ", f"{ALERT}a2": "x"}, [Acknowledged("a1", "Seen"), Acknowledged("a2", "x")]),
        ({f"{ALERT}{'a' * 70}": "r" * 500}, [Acknowledged("a" * 64, "r" * 400)]),
    ],
)
def test_an_alert_is_acknowledged_where_a_reason_was_entered(data: dict[str, str], answers: list[Acknowledged]) -> None:
    assert acknowledged(data) == answers


# --- texts


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (None, "(empty)"),
        ("", "(empty)"),
        ([], "(empty)"),
        ({}, "(empty)"),
        (0, "0"),
        (False, "no"),
        (True, "yes"),
        ("not_measurable", "not measurable"),
        (37.5, "37.5"),
        (["a", "b"], "a; b"),
        ({"appointment_type": "follow_up", "in_days": 14, "reason": "Blood pressure"}, "in 14 days, follow up, Blood pressure"),
        ({"date": "2026-12-14", "referral": "Cardiology"}, "14 Dec 2026, referral to Cardiology"),
        ([{"code": "I10", "primary": True}, {"code": "R51.9", "primary": False}], "I10, primary; R51.9"),
        ([{"duration": "1 week", "severity": "mild", "description": "Dizzy"}], "Dizzy, mild, 1 week"),
        ({"normal": False, "system": "Heart", "description": "Murmur"}, "Heart, Murmur, not normal"),
        ({"date": "next spring"}, "next spring"),
        ({"onset": "sudden", "description": "Dizzy"}, "Dizzy, onset: sudden"),  # a name that no schema has any more
        ({"normal": None, "system": "", "description": "Murmur"}, "Murmur"),
        ({"priority": "stat", "test_code": "CBC", "test_type": "Complete blood count"}, "Complete blood count, CBC, stat"),
        (
            {
                "refills": 0,
                "name": "Amoxicillin",
                "dosage": "500 mg",
                "quantity": 21,
                "drug_id": "6f3965ea",
                "frequency": "daily",
            },
            "Amoxicillin, 500 mg, daily, quantity 21, 0 refills",
        ),
    ],
)
def test_a_stored_value_is_shown_as_text(stored: Any, text: str) -> None:
    assert labels.value(stored) == text


def test_every_part_of_an_entry_is_shown_except_ids() -> None:
    fields = [field.item if isinstance(field, Rows) else field for schema in SCHEMAS.values() for field in schema.values()]
    declared = {name for field in fields if isinstance(field, Group) for name in field.schema}
    assert declared - set(labels.ENTRY_PARTS) == {"drug_id"}
    assert set(labels.ENTRY_PARTS) <= declared


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        ({"bp": "120/80"}, [("Blood pressure", "120/80")]),
        ({"pulse": 70}, [("Pulse", "70 /min")]),
        ({"pulse": "not_measurable"}, [("Pulse", "not measurable")]),
        ({"pain": 3}, [("Pain", "3")]),
        (
            {"weight_kg": 71.668, "entered": {"weight_kg": {"value": 158, "unit": "lb"}}},
            [("Weight", "71.668 kg (entered as 158 lb)")],
        ),
        (
            {"temperature_c": 37, "entered": {"temperature_c": {"value": 98.6, "unit": "F"}}},
            [("Temperature", "37 °C (entered as 98.6 °F)")],
        ),
        ({"allergies_reviewed": True}, [("Allergies reviewed", "yes")]),
    ],
)
def test_the_data_of_a_step_are_shown_with_their_units(data: dict[str, Any], lines: list[tuple[str, str]]) -> None:
    assert labels.lines(data) == lines


def test_steps_have_their_words() -> None:
    assert [labels.step(step) for step in (Step.PATIENT_OVERVIEW, Step.FOLLOW_UP, Step.REVIEW_SIGN)] == [
        *("Overview", "Follow-up", "Review and sign"),
    ]


@pytest.mark.parametrize(
    ("name", "last", "text"),
    [
        ("bp", {"systolic": (120, 28), "diastolic": (80, 28)}, ("120/80", "28 Nov 2026")),
        ("bp", {"systolic": (120, 28), "diastolic": (80, 27)}, ("120/?", "28 Nov 2026")),
        ("bp", {"systolic": (90, 28)}, ("90/?", "28 Nov 2026")),
        ("bp", {}, ("", "")),
        ("pulse", {"pulse": (70, 1)}, ("70", "1 Nov 2026")),
        ("weight_kg", {"weight_kg": (71.5, 1)}, ("71.5", "1 Nov 2026")),
        ("pain", {"pulse": (70, 1)}, ("", "")),
    ],
)
def test_the_value_before_is_shown_with_its_day(name: str, last: dict[str, tuple[float, int]], text: tuple[str, str]) -> None:
    before = {
        one: [LastMeasurement(1, _november(1)), LastMeasurement(value, _november(day))] for one, (value, day) in last.items()
    }
    assert vital_boxes.last_value(name, before) == text


def _november(day: int) -> date:
    return date(2026, 11, day)


_NURSE, _ALL = frozenset(map(Step, range(4))), frozenset(map(Step, range(10)))


@pytest.mark.parametrize(
    ("step", "skipped", "done", "mine", "following"),
    [
        (2, (), (), _ALL, 3),
        (3, (4, 5), (), _ALL, 6),
        (9, (), (), _ALL, 10),
        (8, (9,), (), _ALL, 10),
        (2, (5,), (3, 4), _ALL, 6),
        (2, (), range(3, 10), _ALL, 10),  # corrected from the review
        (1, (), (), _NURSE, 2),
        (3, (), (), _NURSE, 10),
    ],
)
def test_the_section_after_a_save_is_the_next_that_is_neither_done_nor_skipped_and_never_an_earlier_one(
    step: int, skipped: tuple[int, ...], done: Sequence[int], mine: frozenset[Step], following: int
) -> None:
    states = [State.PENDING] * 11
    for number in skipped:
        states[number] = State.SKIPPED
    for number in done:
        states[number] = State.COMPLETED
    steps = [SimpleNamespace(step=Step(number), state=state) for number, state in enumerate(states)]
    visit = SimpleNamespace(progress=SimpleNamespace(steps=steps, recommended=Step.PATIENT_OVERVIEW))
    assert visit_rail.next_section(visit, Step(step), mine) == following  # type: ignore[arg-type]  # only its progress is read


@pytest.mark.parametrize(
    ("posted", "search"),
    [
        ({}, False),
        ({"_search": "1"}, True),
        ({"_enter": "1", "q": "headache", "searched": ""}, True),
        ({"_enter": "1", "q": "headache", "searched": "headache"}, False),
        ({"_enter": "1", "q": " headache ", "searched": "headache"}, False),
        ({"_enter": "1", "q": "", "searched": ""}, False),
        ({"q": "headache"}, False),
    ],
)
def test_a_form_is_a_search_by_its_button_or_by_enter_with_new_words(posted: dict[str, str], search: bool) -> None:
    assert diagnosis_search.is_search(SimpleNamespace(POST=posted)) is search  # type: ignore[arg-type]  # only the form is read


def test_the_words_of_a_search_have_a_limit() -> None:
    assert diagnosis_search.words_in(SimpleNamespace(POST={"q": "x" * 300})) == "x" * 100  # type: ignore[arg-type]
