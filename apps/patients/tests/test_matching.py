"""How alike two people are, reason by reason."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.patients.chart import dates
from apps.patients.matching import scoring
from apps.patients.matching.scoring import SUGGESTED, WARNED, Person, Reason, compare

JANE = Person(
    first_name="Jane",
    middle_name="Ann",
    last_name="Robertson",
    date_of_birth=date(1985, 3, 9),
    gender="female",
    phone="(213) 373-4253",
    phone_e164="+12133734253",
    email="jane@email.test",
    street="456 Oak Avenue",
    zip="12345",
    policy="BC-123456",
)
SOUNDS = {"catherine": "K0RN", "kathryn": "K0RN", "jane": "JN", "john": "JN"}
UNKNOWN: dict[str, Any] = {"phone": "", "phone_e164": "", "email": "", "street": "", "zip": "", "policy": "", "middle_name": ""}
BARE = replace(JANE, **UNKNOWN)


def of(left: Person, right: Person) -> tuple[float, set[Reason]]:
    likeness = compare(left, right, SOUNDS)
    return likeness.score, set(likeness.reasons)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"first_name": "Jnae"}, Reason.MISSPELT_NAME),
        ({"first_name": "Janet"}, Reason.MISSPELT_NAME),
        ({"last_name": "Roberson"}, Reason.MISSPELT_NAME),
        ({"last_name": "Robrtsen"}, Reason.MISSPELT_NAME),
        ({"first_name": "Robertson", "last_name": "Jane"}, Reason.SWAPPED_NAMES),
        ({"first_name": "Robertson", "last_name": "Jnae"}, Reason.SWAPPED_NAMES),
        ({"first_name": "Jane Mary"}, Reason.PART_OF_NAME),
        ({"first_name": "J."}, Reason.PART_OF_NAME),
        ({"last_name": "Robertson-Smith"}, Reason.PART_OF_NAME),
        ({"date_of_birth": date(1985, 9, 3)}, Reason.BIRTH_FLIPPED),
        ({"date_of_birth": date(1985, 3, 8)}, Reason.BIRTH_ONE_DIGIT),
        ({"date_of_birth": date(1958, 3, 9)}, Reason.BIRTH_ONE_DIGIT),
        ({"date_of_birth": date(1995, 3, 9)}, Reason.BIRTH_ONE_DIGIT),
        ({"first_name": "JANE", "last_name": "robértson"}, Reason.SAME_NAME),
        ({"last_name": "Robertson Jr."}, Reason.SAME_NAME),
    ],
    ids=str,
)
def test_a_slip_of_the_pen_is_still_the_same_person(changes: dict[str, Any], reason: Reason) -> None:
    score, reasons = of(BARE, replace(BARE, **changes))
    assert score >= WARNED
    assert reason in reasons


def test_a_name_that_sounds_the_same_is_the_same_person() -> None:
    score, reasons = of(replace(BARE, first_name="Catherine"), replace(BARE, first_name="Kathryn"))
    assert score >= WARNED
    assert Reason.SOUNDS_ALIKE in reasons


def test_two_short_names_of_one_sound_are_two_names() -> None:
    score, reasons = of(BARE, replace(BARE, first_name="John"))
    assert score < SUGGESTED
    assert Reason.SOUNDS_ALIKE not in reasons


def test_a_year_off_at_the_turn_of_a_decade_is_pointed_out() -> None:
    score, reasons = of(BARE, replace(BARE, date_of_birth=date(1985, 3, 9)))
    assert score == 1.0
    _, reasons = of(replace(BARE, date_of_birth=date(1989, 3, 9)), replace(BARE, date_of_birth=date(1990, 3, 9)))
    assert Reason.BIRTH_YEAR_OFF in reasons


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"phone": "373 4253", "phone_e164": ""}, Reason.SAME_PHONE),
        ({"phone_e164": "+12133734253"}, Reason.SAME_PHONE),
        ({"email": "JANE@email.test"}, Reason.SAME_EMAIL),
        ({"policy": "bc 123456"}, Reason.SAME_POLICY),
        ({"street": "456 oak ave.", "zip": ""}, Reason.SAME_ADDRESS),
        ({"street": "456 Oak Ave", "zip": "12345-0001"}, Reason.SAME_ADDRESS),
    ],
    ids=str,
)
def test_a_woman_who_married_is_found_by_what_did_not_change(changes: dict[str, Any], reason: Reason) -> None:
    married = replace(BARE, last_name="Papadopoulos", **changes)
    score, reasons = of(JANE, married)
    assert score > of(BARE, replace(BARE, last_name="Papadopoulos"))[0]
    assert score >= SUGGESTED
    assert {reason, Reason.OTHER_LAST_NAME, Reason.SAME_BIRTH} <= reasons


def test_another_street_of_the_same_name_is_another_address() -> None:
    assert Reason.SAME_ADDRESS not in of(JANE, replace(JANE, zip="99999"))[1]


def test_a_person_called_by_the_middle_name_is_found() -> None:
    score, reasons = of(replace(BARE, middle_name="Mathilda"), replace(BARE, first_name="Mathilda"))
    assert score >= WARNED
    assert Reason.PART_OF_NAME in reasons


def test_another_gender_and_other_contacts_lower_the_score() -> None:
    misspelt = replace(JANE, first_name="Jeane", date_of_birth=date(1985, 3, 8))
    base = of(JANE, misspelt)[0]
    assert of(JANE, replace(misspelt, gender="male"))[0] < base
    assert of(JANE, replace(misspelt, gender="unknown"))[0] <= base
    other = replace(misspelt, phone="5550100", phone_e164="", email="x@y.test", policy="Z1", street="1 Elm St")
    assert of(JANE, other)[0] < base
    assert Reason.OTHER_GENDER in of(JANE, replace(misspelt, gender="male"))[1]


@pytest.mark.parametrize("changes", [{"first_name": "Olivia"}, {"first_name": "Jan", "gender": "male"}], ids=str)
def test_twins_are_distinguished(changes: dict[str, Any]) -> None:
    score, reasons = of(JANE, replace(JANE, **changes))
    assert SUGGESTED <= score < WARNED
    assert Reason.POSSIBLE_TWIN in reasons


def test_a_father_and_his_son_of_one_name_are_two_people() -> None:
    father = replace(JANE, first_name="John", gender="male")
    score, reasons = of(father, replace(father, date_of_birth=date(2012, 11, 27)))
    assert score < WARNED
    assert Reason.SAME_NAME in reasons


KWAME = Person(
    first_name="Kwame",
    last_name="Boateng-Addo",
    date_of_birth=date(1975, 1, 1),
    phone="213-373-4911",
    phone_e164="+12133734911",
)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"date_of_birth": date(1973, 8, 19)}, Reason.SAME_PHONE),
        ({"date_of_birth": date(1989, 11, 30)}, Reason.SAME_PHONE),
        ({"date_of_birth": date(1979, 6, 2), "phone": "", "phone_e164": "", "email": "K.B@mail.test"}, Reason.SAME_EMAIL),
        ({"date_of_birth": date(1979, 6, 2), "phone": "", "phone_e164": "", "policy": "bc7"}, Reason.SAME_POLICY),
        ({"date_of_birth": date(1973, 8, 19), "first_name": "Boateng Addo", "last_name": "Kwame"}, Reason.SAME_PHONE),
    ],
    ids=str,
)
@pytest.mark.parametrize("born", [date(1975, 1, 1), date(1976, 4, 27)], ids=str)
def test_one_name_and_one_telephone_are_one_person_whatever_the_birth(
    born: date, changes: dict[str, Any], reason: Reason
) -> None:
    left = replace(KWAME, date_of_birth=born, email="k.b@mail.test", policy="BC 7")
    score, reasons = of(left, replace(left, **changes))
    assert score >= WARNED
    assert reason in reasons
    assert {Reason.SAME_NAME, Reason.SWAPPED_NAMES} & reasons


@pytest.mark.parametrize("gap", [20, 35])
def test_a_parent_with_an_estimated_birth_and_a_child_of_one_name_are_suggested_without_interruption(gap: int) -> None:
    score, _ = of(KWAME, replace(KWAME, date_of_birth=date(1975 + gap, 8, 19)))
    assert SUGGESTED <= score < WARNED


def test_sisters_of_like_names_who_share_a_telephone_are_two_people() -> None:
    anna = replace(JANE, first_name="Anna", middle_name="", email="")
    assert of(anna, replace(anna, first_name="Anne", date_of_birth=date(1988, 7, 30)))[0] < SUGGESTED
    estimated = replace(anna, date_of_birth=date(1985, 1, 1))
    assert of(estimated, replace(estimated, first_name="Anne", date_of_birth=date(1988, 7, 30)))[0] < WARNED


def test_babies_of_one_mother_who_have_no_names_yet_are_two_people() -> None:
    baby = replace(JANE, first_name="Baby", middle_name="")
    assert of(baby, replace(baby, date_of_birth=date(1987, 1, 1)))[0] < SUGGESTED


def test_one_name_and_another_day_are_two_people() -> None:
    assert of(BARE, replace(BARE, date_of_birth=date(1971, 12, 30)))[0] < SUGGESTED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Baby A", "Baby B"),
        ("Baby Boy", "Baby Girl"),
        ("Babygirl", "Babyboy"),
        ("Twin A", "Twin B"),
        ("BB 1", "BB 2"),
        ("Baby Boy A", "Baby Boy B"),
    ],
)
def test_newborns_are_distinguished_by_letter_and_sex(one: str, other: str) -> None:
    child = replace(JANE, middle_name="", gender="unknown")
    score, reasons = of(replace(child, first_name=one), replace(child, first_name=other))
    assert score < WARNED
    assert Reason.POSSIBLE_TWIN in reasons


def test_two_newborns_are_distinguished_by_their_gender() -> None:
    baby = replace(JANE, first_name="Newborn", middle_name="")
    assert Reason.POSSIBLE_TWIN in of(baby, replace(baby, gender="male"))[1]
    assert of(replace(baby, middle_name="A"), replace(baby, middle_name="B"))[0] < WARNED


@pytest.mark.parametrize("name", ["Baby", "Baby Girl", "Babygirl", "Newborn", "BB", "Twin A", "Infant Female", "Baby of Maria"])
def test_a_newborn_who_was_named_since_is_shown_and_does_not_interrupt(name: str) -> None:
    score, reasons = of(replace(JANE, first_name=name), replace(JANE, first_name="Olivia"))
    assert SUGGESTED <= score < WARNED
    assert Reason.NEWBORN_NAME in reasons


def test_a_newborn_written_two_ways_is_one_child() -> None:
    baby = replace(JANE, first_name="Baby", middle_name="")
    assert of(baby, replace(baby, first_name="Baby Girl"))[0] >= WARNED


def test_names_in_other_letters_and_in_none_are_compared_too() -> None:
    assert of(replace(BARE, first_name="Иван"), replace(BARE, first_name="Ivan"))[0] == 1.0
    assert of(replace(BARE, first_name="—"), replace(BARE, first_name="—"))[0] == 1.0
    assert of(replace(BARE, first_name="—"), replace(BARE, first_name="Jane"))[0] < SUGGESTED


def test_every_reason_has_words() -> None:
    assert set(scoring.IN_WORDS) == set(Reason)


# Properties

LETTERS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=12).filter(str.strip)
NAMES = st.sampled_from(["Jane", "John", "Baby", "Baby A", "Babygirl", "Catherine", "Kathryn", "Mary Ann", "Mary"]) | LETTERS
LINES = st.sampled_from(["", "555-0123", "+1 213 373 4253", "a@b.test", "1 Oak St", "12345"]) | st.text(max_size=8)
PEOPLE = st.builds(
    Person,
    first_name=NAMES,
    last_name=NAMES,
    middle_name=st.just("") | NAMES,
    date_of_birth=st.dates(date(1900, 1, 1), date(2026, 1, 1)) | st.sampled_from([date(1985, 3, 9), date(1985, 9, 3)]),
    gender=st.sampled_from(["male", "female", "other", "unknown"]),
    phone=LINES,
    phone_e164=st.sampled_from(["", "+12133734253", "+14155550134"]),
    email=LINES,
    street=LINES,
    zip=LINES,
    policy=LINES,
)


@given(PEOPLE, PEOPLE)
def test_the_score_is_bounded_and_the_same_from_both_sides(left: Person, right: Person) -> None:
    there, back = compare(left, right, SOUNDS), compare(right, left, SOUNDS)
    assert 0 <= there.score <= 1
    assert there.score == back.score
    assert set(there.reasons) == set(back.reasons)


@given(PEOPLE)
def test_a_person_is_himself(person: Person) -> None:
    assert compare(person, person).score == 1.0


@given(PEOPLE)
def test_missing_values_never_make_another_person(person: Person) -> None:
    assert compare(person, replace(person, **UNKNOWN)).score >= WARNED


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.dates(date(1900, 1, 1), date(2026, 1, 1)))
def test_a_day_is_near_exactly_where_a_reason_says_so(one: date, other: date) -> None:
    births = {Reason.SAME_BIRTH, Reason.BIRTH_FLIPPED, Reason.BIRTH_ONE_DIGIT, Reason.BIRTH_YEAR_OFF}
    near = dates.near_days(one)
    assert near[0] == one
    for day in [other, *near]:
        reasons = compare(replace(BARE, date_of_birth=one), replace(BARE, date_of_birth=day)).reasons
        assert (day in near) == bool(births & set(reasons))
