"""Names that hide, reorder or imitate."""

import re
import unicodedata

import pytest

from apps.common import text
from apps.common.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  John   Doe ", "John Doe"),
        ("Na\nme\tX", "Na me X"),
        ("a\u202eb", "ab"),
        ("\u200fفاطمة\u200f", "فاطمة"),
        ("Jo\u00adhn\ufeff", "John"),
        ("Joh\x1b[31mn\x00", "Joh[31mn"),
        ("Jose\u0301", "José"),
        ("Jo\u200dhn", "John"),
        ("نرگس\u200cها", "نرگس\u200cها"),
        ("क्\u200dष", "क्\u200dष"),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("O’Brien-Müller", "O’Brien-Müller"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_name_is_one_line_without_invisible_characters(typed: str, kept: str) -> None:
    assert text.clean_line(typed) == kept
    assert text.clean_line(kept) == kept


@pytest.mark.parametrize(
    "typed", ["\u200b", "\u3164", "\u2800\u2800", "\u202e\u202c", "\u0301", "\ufe0f", "\x07", "\u00a0\u200b"]
)
def test_a_name_that_only_looks_blank_is_refused(typed: str) -> None:
    with pytest.raises(text.LooksBlank):
        text.clean_line(typed)


def test_the_database_s_pattern_holds_only_what_a_name_never_keeps() -> None:
    pattern = re.compile(text.HIDDEN)
    hidden = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000 and pattern.fullmatch(chr(code))]
    assert len(hidden) > 80
    assert [letter for letter in hidden if letter in text.clean_line(f"a{letter}b")] == []


def test_notes_keep_their_lines_and_lose_control_characters() -> None:
    assert text.clean_lines("one\n\ttwo\x07\x1b") == "one\n\ttwo"


def test_a_name_written_from_right_to_left_is_isolated_and_no_other() -> None:
    assert text.isolated("فاطمة الزهراء") == "\u2068فاطمة الزهراء\u2069"
    assert text.isolated("שרה") == "\u2068שרה\u2069"
    assert text.isolated("José 佐々木") == "José 佐々木"
    assert unicodedata.name("\u2068") == "FIRST STRONG ISOLATE"


@pytest.mark.parametrize(
    ("first", "last", "middle", "spoken", "filed"),
    [
        ("John", "Doe", "", "John Doe", "DOE, John"),
        ("John", "Doe", "Q", "John Doe", "DOE, John Q"),
        ("", "Sukarno", "", "Sukarno", "SUKARNO"),
        ("Madonna", "", "", "Madonna", "Madonna"),
        ("", "", "", "", ""),
        ("José", "Müller", "", "José Müller", "MÜLLER, José"),
    ],
)
def test_one_of_two_names_may_be_missing(first: str, last: str, middle: str, spoken: str, filed: str) -> None:
    assert text.full_name(first, last) == spoken
    assert text.filed_name(last, first, middle) == filed


def test_a_text_that_only_looks_blank_is_refused_under_its_field() -> None:
    with pytest.raises(Invalid) as refusal:
        text.checked_line("\u200b", field="reason")
    assert (refusal.value.details["field"], refusal.value.details["issue"]) == ("reason", text.LOOKS_BLANK)
    assert text.checked_line(" a  b ", field="reason") == "a b"
