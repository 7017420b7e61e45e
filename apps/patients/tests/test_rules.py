"""Medical record numbers, ages, folding and the meaning of a query."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from apps.patients import rules
from apps.patients.chart import dates

TODAY = date(2026, 11, 22)


@given(st.integers(1, 10**9))
def test_an_issued_mrn_has_a_luhn_check_digit(counter: int) -> None:
    mrn = rules.mrn_from(counter)
    assert mrn.startswith("MRN")
    assert luhn.is_valid(mrn[3:])
    assert rules.MRN_SHAPE.fullmatch(mrn)


def test_issued_mrns_differ() -> None:
    assert len({rules.mrn_from(counter) for counter in range(1, 2_000)}) == 1_999


@pytest.mark.parametrize(
    ("born", "problem"),
    [
        (TODAY, None),
        (date(2026, 11, 23), "future"),
        (date(1896, 11, 22), None),
        (date(1895, 11, 22), "130 years"),
    ],
)
def test_a_birth_is_not_tomorrow_nor_130_years_ago(born: date, problem: str | None) -> None:
    issue = rules.birth_problem(born, TODAY)
    assert (issue is None) == (problem is None)
    assert problem is None or problem in (issue or "")


def test_a_child_of_the_29th_of_february_ages_on_the_1st_of_march() -> None:
    born = date(2020, 2, 29)
    assert [dates.years_between(born, date(2021, 2, 28)), dates.years_between(born, date(2021, 3, 1))] == [0, 1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("José María", ["jose", "maria"]),
        ("O'Brien", ["obrien"]),
        ("O’Brien", ["obrien"]),
        ("Müller-Lüdenscheidt", ["muller", "ludenscheidt"]),
        ("Łukasz Øberg ß", ["lukasz", "oberg", "ss"]),
        ("Nguyễn Thị Hồng", ["nguyen", "thi", "hong"]),
        ("\ufa2a", rules.words("\u98ef")),  # one character for Unicode, which anyascii reads in two ways
        ("  ", []),
        ("%_", []),
    ],
)
def test_names_are_folded_to_plain_words(text: str, words: list[str]) -> None:
    assert rules.words(text) == words


@given(st.text(max_size=60))
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    assert rules.words(" ".join(rules.words(text))) == rules.words(text)


@pytest.mark.parametrize(
    "text",
    [
        "1980-05-15",
        "15.5.1980",
        "15 5 80",
        "5/15/1980",
        "05/15/80",
        "15 May 1980",
        "May 15, 1980",
        "15th of may 1980",
        "19800515",
        "15-May-80",
    ],
)
def test_a_date_of_birth_is_read_in_any_usual_writing(text: str) -> None:
    query = rules.read_query(text, TODAY)
    assert date(1980, 5, 15) in query.born
    assert not query.words


def test_a_date_that_can_be_two_days_means_both() -> None:
    assert set(rules.read_query("4/5/1980", TODAY).born) == {date(1980, 4, 5), date(1980, 5, 4)}


def test_a_date_next_to_a_name_is_taken_out_of_it() -> None:
    query = rules.read_query("doe 15 5 80", TODAY)
    assert query.born == (date(1980, 5, 15),)
    assert query.words == (("#doe", "doe"),)


@pytest.mark.parametrize("text", ["- 12 05 80", "+ 12 05 80", "(12 05 80)", "12 05 80 .", "15-May-80", "12-05-80"])
def test_a_date_with_signs_around_it_is_read(text: str) -> None:
    assert rules.read_query(text, TODAY).born


def test_digits_may_be_a_telephone_number_from_either_end_or_an_mrn() -> None:
    query = rules.read_query("555-0123", TODAY)
    assert query.words == (("#5550123", "+5550123", "-3210555", "5550123"),)


@given(st.text(max_size=100))
def test_no_query_is_too_odd_to_read(text: str) -> None:
    query = rules.read_query(text, TODAY)
    assert all(group and all(group) for group in query.words)


def test_a_valid_number_has_an_e164_form_and_the_references_own_has_none() -> None:
    assert rules.e164("(213) 373-4253", "US") == "+12133734253"
    assert rules.e164("+1-555-0123", "US") == ""


LOS_ANGELES = ZoneInfo("America/Los_Angeles")
DAY_OF_DEATH = datetime(2026, 11, 20, tzinfo=LOS_ANGELES)


@pytest.mark.parametrize(
    ("died", "hours", "expected"),
    [
        (DAY_OF_DEATH, 23, True),  # midnight: a date without a time, and the whole day counts as before
        (DAY_OF_DEATH, 24, False),
        (DAY_OF_DEATH + timedelta(hours=10), 9, True),
        (DAY_OF_DEATH + timedelta(hours=10), 10, False),
        (None, 23, True),
    ],
)
def test_a_patient_can_be_seen_until_the_death(died: datetime | None, hours: int, expected: bool) -> None:
    seen_at = (DAY_OF_DEATH + timedelta(hours=hours)).astimezone(UTC)
    assert rules.may_attend(seen_at, is_active=True, died=died and died.astimezone(UTC), zone=LOS_ANGELES) is expected


def test_an_inactive_patient_cannot_be_seen() -> None:
    assert not rules.may_attend(DAY_OF_DEATH, is_active=False, died=None, zone=LOS_ANGELES)
