"""A search text as the person to register."""

from datetime import date

import pytest

from apps.patients.search.typed_person import TypedPerson, typed_person

TODAY, BORN = date(2026, 11, 30), date(1985, 3, 20)


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("smith, 20 Mar 1985", TypedPerson("", "Smith", BORN)),
        ("Smith, Ann 1985-03-20", TypedPerson("Ann", "Smith", BORN)),
        ("ann smith 3/20/85", TypedPerson("Ann", "Smith", BORN)),
        ("SMITH^ANN", TypedPerson("Ann", "Smith")),
        ("Maria de la Cruz +1 (415) 555-0134", TypedPerson("Maria", "De La Cruz", None, "+1 (415) 555-0134")),
        ("415 555 0134", TypedPerson("", "", None, "415 555 0134")),
        ("McDonald", TypedPerson("", "McDonald")),
        ("o'brien MRN0012", TypedPerson("", "O'Brien")),
        ("", TypedPerson()),
        (",", TypedPerson()),
    ],
    ids=str,
)
def test_the_words_of_a_search_become_the_form_of_registration(text: str, person: TypedPerson) -> None:
    assert typed_person(text, TODAY, month_first=True) == person


@pytest.mark.parametrize(("month_first", "born"), [(True, date(1985, 3, 4)), (False, date(1985, 4, 3))])
def test_a_short_date_is_read_in_the_order_of_the_country(month_first: bool, born: date) -> None:
    assert typed_person("smith 3/4/85", TODAY, month_first=month_first).born == born
