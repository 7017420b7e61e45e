"""How codes and searches are read."""

import pytest

from apps.terminology import rules


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("E11.9", "E11.9"),
        ("e119", "E11.9"),
        (" e11 ", "E11"),
        ("E11.", "E11"),
        ("s72001a", "S72.001A"),
        ("qa00101", "QA0.0101"),
        ("c7a", "C7A"),
        ("headache", "HEADACHE"),
        ("ı109", "I109"),
        ("", ""),
    ],
)
def test_a_code_is_known_with_and_without_its_dot_in_any_case(text: str, code: str) -> None:
    assert rules.dotted(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("e", "E"), ("e1", "E1"), ("e119", "E11.9"), ("e11.", "E11"), ("1e", ""), ("type 2", ""), ("é11", ""), ("", "")],
)
def test_the_beginning_of_a_code_is_distinguished_from_words(text: str, code: str) -> None:
    assert rules.code_prefix(text) == code


def test_words_are_plain_and_stand_once() -> None:
    assert rules.words("Crohn's disease, Ménière's disease; age-related [2]") == [
        "2",
        "age",
        "crohns",
        "disease",
        "menieres",
        "related",
    ]


def test_a_search_is_taken_apart_into_beginnings() -> None:
    assert rules.search_words("Type 2 DIAB") == ["2", "diab", "type"]
    assert rules.search_words("e11.65") == ["e1165"]
    assert rules.search_words("COVID-19 crohn’s") == ["19", "covid", "crohns"]
    assert rules.search_words("% _ ' \\ | & ! : *") == []
