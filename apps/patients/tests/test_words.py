"""The rows a patient is found by, and the stretches in which they stand."""

from hypothesis import given
from hypothesis import strategies as st

from apps.patients.search import search_terms

NAME = st.text("abc1", min_size=1, max_size=6)
PATIENT = st.sets(NAME, min_size=1, max_size=5)


def stands_in(row: str, stretch: search_terms.TermRange) -> bool:
    """As SQL would decide it."""
    like = stretch.like.rstrip("%")
    fits = stretch.like == "%" or (len(row) >= len(like) and all(a in ("_", b) for a, b in zip(like, row, strict=False)))
    return stretch.low <= row < stretch.high and fits


def test_the_rows_of_john_doe() -> None:
    rows = search_terms.rows({"john", "doe", "#mrn1", "+15550123", "-3210555", "-32105551"})
    assert rows == [("#mrn1", 0), ("+15550123", 0), ("-32105551", 0), ("=djooeh n  ", 0), ("doe", 0), ("john", 0)]


def test_letters_shared_with_the_word_before_are_counted() -> None:
    assert dict(search_terms.rows({"mary", "martinez", "mar"})) | {"martinez": 3, "mary": 3, "mar": 0} == dict(
        search_terms.rows({"mary", "martinez", "mar"})
    )


@given(mine=PATIENT, typed=NAME)
def test_among_the_rows_that_begin_so_exactly_one_shares_less_than_was_typed(mine: set[str], typed: str) -> None:
    beginning = [(word, shared) for word, shared in search_terms.rows(mine) if word.startswith(typed)]
    first = [word for word, shared in beginning if shared < len(typed)]
    assert first == [word for word, _ in beginning[:1]]


@given(mine=PATIENT, one=NAME, other=NAME, ends=st.tuples(st.booleans(), st.booleans()))
def test_only_patients_with_both_names_are_in_the_stretch(mine: set[str], one: str, other: str, ends: tuple[bool, bool]) -> None:
    one, other = one + " " * ends[0], other + " " * ends[1]
    stretch = search_terms.pair_range(one, other)
    assert stretch is not None
    has_both = all(any((word + " ").startswith(text) for word in mine) for text in (one, other))
    assert any(stands_in(row, stretch) for row, _ in search_terms.rows(mine)) == has_both


@given(mine=st.sets(st.text("ab", min_size=40, max_size=100), min_size=2, max_size=3))
def test_the_longest_names_make_rows_that_fit(mine: set[str]) -> None:
    rows = search_terms.rows(mine)
    assert all(len(word) <= 100 and shared < 100 for word, shared in rows)
    assert len({word for word, _ in rows}) == len(rows)


def test_what_is_too_long_or_no_name_has_no_stretch() -> None:
    assert search_terms.pair_range("a" * 49, "b") is None
    assert search_terms.pair_range("joh%", "doe") is None


def test_a_word_that_another_implies_is_not_needed() -> None:
    assert search_terms.needed([("#jo", "jo"), ("#john", "john"), ("#do", "do")]) == [("#john", "john"), ("#do", "do")]
    assert (
        len(search_terms.needed([("+12", "-21"), ("+123", "-321")])) == 2
    )  # the end of a number is not its end without the last digit
    assert search_terms.needed([("jo",), ("jo",)]) == [("jo",)]
