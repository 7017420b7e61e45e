import json
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from statistics import median
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.errors import Invalid, PayloadTooLarge, UnsupportedMediaType
from apps.rest import parsers, renderers
from apps.rest.parsers import MAX_BYTES, MergePatchParser, StrictJSONParser


def refusal(raw: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        parsers.loads(raw)
    return refused.value.details["issue"]


def nested(levels: int) -> bytes:
    """An object with lists in it, so many levels deep."""
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b' {"a" : [1, true, false, null, "x"]} \n', {"a": [1, True, False, None, "x"]}),
        (b'{"a":-0}', {"a": 0}),
        ('{"name":"José 李 😀"}'.encode(), {"name": "José 李 😀"}),
        (rb'{"name":"\ud83d\ude00\n\"\\"}', {"name": '😀\n"\\'}),
        (b'{"a":' + b"9" * 30 + b"}", {"a": int("9" * 30)}),
    ],
)
def test_good_json_is_read(raw: bytes, value: dict[str, Any]) -> None:
    assert parsers.loads(raw) == value


@pytest.mark.parametrize("text", ["0.1", "120.50", "99999999999.99", "-0.0", "1e2", "1.10"])
def test_money_is_read_exactly(text: str) -> None:
    value = parsers.loads(f'{{"a":{text}}}'.encode())["a"]
    assert type(value) is Decimal
    assert value.as_tuple() == Decimal(text).as_tuple()


@pytest.mark.parametrize(
    ("raw", "issue"),
    [
        (b'{"a":1,"a":1}', "The key 'a' occurs twice"),
        (b'{"b":{"a":1,"c":2,"a":1}}', "The key 'a' occurs twice"),
        (rb'{"a":1,"\u0061":1}', "The key 'a' occurs twice"),
        (rb'{"\ud800":1,"\ud800":2}', "occurs twice"),
        (b'{"a":NaN}', "NaN is not a JSON number"),
        (b'{"a":Infinity}', "Infinity is not a JSON number"),
        (b'{"a":-Infinity}', "-Infinity is not a JSON number"),
        (b'{"a":1e400}', "out of range"),
        (b'{"a":1e-400}', "out of range"),
        (b'{"a":1e999999999999999999999}', "out of range"),
        (b'{"a":-1e-999999999999999999999}', "out of range"),
        (b'{"a":' + b"9" * 31 + b"}", "out of range"),
        (b'{"a":0.' + b"1" * 31 + b"}", "out of range"),
        (rb'{"a":"\u0000"}', "not contain NUL"),
        (rb'{"\u0000":1}', "not contain NUL"),
        (b'{"a":"\x00"}', "not JSON"),
        (rb'{"a":"\ud800"}', "or a lone surrogate"),
        (rb'{"a":"\udc00\ud800"}', "or a lone surrogate"),
        (rb'{"\udfff":1}', "or a lone surrogate"),
        (b'{"a":"\xed\xa0\x80"}', "not JSON in UTF-8"),
        (b'{"a":"\xff"}', "not JSON in UTF-8"),
        (b'{"a":"\xc0\xaf"}', "not JSON in UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON in UTF-8"),
        ('{"a":1}'.encode("utf-16"), "not JSON in UTF-8"),
        (b"", "not JSON"),
        (b"   ", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":01}', "not JSON"),
        (b'{"a":1} {"a":2}', "not JSON"),
        (b'{"a":1}//', "not JSON"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"1", "must be a JSON object"),
        (nested(21), "Nested deeper than 20 levels"),
        (b'{"a":[' + b"1," * 100 + b"1]}", "At most 100 items"),
    ],
)
def test_what_two_readers_could_take_differently_is_refused(raw: bytes, issue: str) -> None:
    assert issue in refusal(raw)


def test_twenty_levels_and_a_hundred_items_are_read() -> None:
    assert parsers.loads(nested(20))
    assert len(parsers.loads(b'{"a":[' + b"1," * 99 + b"1]}")["a"]) == 100


def test_recipients_may_be_many() -> None:
    assert len(parsers.loads(b'{"recipient_ids":[' + b"1," * 9_999 + b"1]}")["recipient_ids"]) == 10_000
    assert "At most 10000 items" in refusal(b'{"recipient_ids":[' + b"1," * 10_000 + b"1]}")
    assert "At most 100 items" in refusal(b'{"a":{"recipient_ids":[' + b"1," * 100 + b"1]}}")


def test_a_refusal_names_the_place() -> None:
    with pytest.raises(Invalid) as refused:
        parsers.loads(rb'{"insurance":{"cards":[{"number":"\u0000"}]}}')
    assert refused.value.details["field"] == "insurance.cards[0].number"


BOMBS = pytest.mark.parametrize(
    "raw",
    [
        b'{"a":' + b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"{" + b",".join(b'"%x":0' % n for n in range(90_000)) + b',"15f8f":1}',  # the last key again
        b'{"a":0.' + b"1" * 1_000_000 + b"}",
        b'{"a":' + b"9" * 1_000_000 + b"}",
        b'{"a":"' + rb"\ud800" * 170_000 + b'"}',
    ],
    ids=["brackets", "braces", "closed brackets", "many keys", "long fraction", "long number", "surrogates"],
)


@BOMBS
def test_a_bomb_is_refused(raw: bytes) -> None:
    assert len(raw) <= MAX_BYTES * 1.1
    assert refusal(raw)


@pytest.mark.full
@BOMBS
def test_a_bomb_is_refused_at_once(raw: bytes) -> None:
    took = []
    for _ in range(3):
        begun = time.perf_counter()
        assert refusal(raw)
        took.append(time.perf_counter() - begun)
    print(f"median of three: {median(took):.3f} s, limit 1 s")
    assert median(took) < 1


class Stream:
    """A body, and how much of it was read."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.taken = raw, 0

    def read(self, count: int) -> bytes:
        self.taken += count
        return self.raw[:count]


def test_a_mebibyte_is_read_and_a_byte_more_is_not() -> None:
    body = b'{"a":"' + b"x" * (MAX_BYTES - 8) + b'"}'
    assert len(body) == MAX_BYTES
    assert len(StrictJSONParser().parse(Stream(body))["a"]) == MAX_BYTES - 8  # type: ignore[arg-type]
    with pytest.raises(PayloadTooLarge):
        StrictJSONParser().parse(Stream(body + b" "))  # type: ignore[arg-type]


def test_no_more_is_read_than_is_allowed() -> None:
    stream = Stream(b"x" * (3 * MAX_BYTES))
    with pytest.raises(PayloadTooLarge):
        StrictJSONParser().parse(stream)  # type: ignore[arg-type]
    assert stream.taken == MAX_BYTES + 1


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
)
KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_what_we_write_we_read_back_the_same(value: dict[str, Any]) -> None:
    try:
        read = parsers.loads(renderers.dumps(value))
    except Invalid as refused:
        assert "levels" in refused.details["issue"]  # noqa: PT017
        return
    assert read == value
    assert str(read) == str(value)  # Decimal('1.10') is not 1.1


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_make_it_stumble(raw: bytes) -> None:
    try:
        assert isinstance(parsers.loads(raw), dict)
    except Invalid as refused:
        renderers.dumps(refused.details)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_read_or_refused_and_the_refusal_can_be_shown(value: Any) -> None:
    try:
        read = parsers.loads(json.dumps({"a": value}).encode())
    except Invalid as refused:
        read = json.loads(renderers.dumps(refused.details))
        assert set(read) >= {"issue"}
    else:
        assert set(read) == {"a"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("120.00"), b"120.00"),
        (Decimal("0.10"), b"0.10"),
        (Decimal("-0.01"), b"-0.01"),
        (Decimal("9999999999.99"), b"9999999999.99"),
        (Decimal("1E+2"), b"100"),
        (Decimal("1E-2"), b"0.01"),
        (datetime(2026, 11, 22, 8, 30, 15, 999, tzinfo=UTC), b'"2026-11-22T08:30:15Z"'),
        (date(2024, 2, 29), b'"2024-02-29"'),
        (UUID("0190a000-0000-7000-8000-000000000001"), b'"0190a000-0000-7000-8000-000000000001"'),
        ({1: "one"}, b'{"1":"one"}'),
        (("a", None), b'["a",null]'),
    ],
)
def test_values_on_the_wire(value: Any, written: bytes) -> None:
    assert renderers.dumps(value) == written


def test_what_has_no_form_on_the_wire_is_an_error_of_ours() -> None:
    with pytest.raises(TypeError):
        renderers.dumps(object())
    with pytest.raises(TypeError):
        renderers.dumps(b"bytes")


@pytest.mark.parametrize(("method", "accepted"), [("PATCH", True), ("PUT", False), ("POST", False), ("DELETE", False)])
def test_a_merge_patch_is_only_the_body_of_a_patch(method: str, accepted: bool) -> None:
    request: Any = SimpleNamespace(method=method)
    if accepted:
        assert MergePatchParser().parse(BytesIO(b'{"a":1}'), None, {"request": request}) == {"a": 1}
        return
    with pytest.raises(UnsupportedMediaType):
        MergePatchParser().parse(BytesIO(b'{"a":1}'), None, {"request": request})
