"""Parses JSON strictly: refuses what two readers could understand differently, naming the place.

It refuses duplicate keys, NaN and Infinity, numbers out of range, NUL, lone surrogates, more than 20 levels, and lists of more
than 100 items (RFC 8259 leaves all of these open).
"""

import json
from collections.abc import Callable
from decimal import Decimal, DecimalException
from typing import IO, Any

from rest_framework.parsers import BaseParser

from apps.common.errors import LARGEST_BODY, Invalid, PayloadTooLarge, UnsupportedMediaType

MAX_BYTES = LARGEST_BODY
MAX_DEPTH = 20
MAX_ITEMS = 100
MAX_DIGITS = 30
LONG_LISTS = {"recipient_ids": 10_000}


class _Refused(ValueError):
    pass


class StrictJSONParser(BaseParser):
    """`application/json`, an object at the top."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise PayloadTooLarge
        return loads(raw)


class MergePatchParser(StrictJSONParser):
    """The same for `application/merge-patch+json` (RFC 7396), only for PATCH."""

    media_type = "application/merge-patch+json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        if parser_context["request"].method != "PATCH":
            raise UnsupportedMediaType
        return super().parse(stream, media_type, parser_context)


def loads(raw: bytes) -> dict[str, Any]:
    """Returns the object in these bytes. Numbers with a point are Decimal. Raises Invalid."""
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constant,
            parse_float=_decimal,
            parse_int=_integer,
        )
    except RecursionError:
        raise Invalid("Malformed JSON", field="", issue=f"Nested deeper than {MAX_DEPTH} levels.") from None
    except _Refused as problem:
        raise Invalid("Malformed JSON", field="", issue=str(problem)) from problem
    except ValueError as error:
        raise Invalid("Malformed JSON", field="", issue=f"The body is not JSON in UTF-8: {error}") from error
    if not isinstance(value, dict):
        raise Invalid("Malformed JSON", field="", issue="The body must be a JSON object.")
    _walk(value, "", 1)
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise _Refused(f"The key {name[:40]!r} occurs twice in one object.")
        members[name] = value
    return members


def _no_constant(text: str) -> None:
    raise _Refused(f"{text} is not a JSON number.")


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except DecimalException:  # an exponent that even Decimal does not support
        raise _Refused(f"The number {text[:40]} is out of range.") from None
    if abs(number.adjusted()) > MAX_DIGITS or len(number.as_tuple().digits) > MAX_DIGITS:
        raise _Refused(f"The number {text[:40]} is out of range.")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _Refused(f"The number {text[:40]} is out of range.")
    return int(text)


def _walk(value: Any, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Invalid("Malformed JSON", field=path, issue=f"Nested deeper than {MAX_DEPTH} levels.")
    visit = _VISITORS.get(type(value))
    if visit:
        visit(value, path, depth)


def _object(value: dict[str, Any], path: str, depth: int) -> None:
    for name, inner in value.items():
        _text(name, path, depth)
        _walk(inner, f"{path}.{name}" if path else name, depth + 1)


def _list(value: list[Any], path: str, depth: int) -> None:
    allowed = LONG_LISTS.get(path, MAX_ITEMS)
    if len(value) > allowed:
        raise Invalid(field=path, issue=f"At most {allowed} items.")
    for position, inner in enumerate(value):
        _walk(inner, f"{path}[{position}]", depth + 1)


def _text(value: str, path: str, depth: int) -> None:  # noqa: ARG001
    if "\x00" in value or (not value.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in value)):
        raise Invalid(field=path, issue="Text must not contain NUL or a lone surrogate.")


_VISITORS: dict[type, Callable[[Any, str, int], None]] = {dict: _object, list: _list, str: _text}
