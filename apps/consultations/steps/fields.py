"""The field types of a step's data. Pure: a field converts a sent value to the stored one, or reports a problem by name.

    schema = {"plan": Text(4_000), "tests": Rows({"test_code": Text(40), "priority": Choice("routine", "urgent", "stat")})}

Unknown fields are refused by name. `required` applies to the items of a list; `definitions` has what a step as a whole requires.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from apps.common import text
from apps.patients.chart.vitals import NOT_MEASURABLE, Problem

MAX_ROWS = 100
LINE_MAX = 200  # characters: a text of at most this length is a name, not a note
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Field(Protocol):
    """A field: how it is read, whether an item requires it, and its description."""

    @property
    def required(self) -> bool: ...

    @property
    def description(self) -> str: ...

    def read(self, value: Any, path: str, problems: list[Problem]) -> Any:
        """Returns the stored value; adds a problem if the value is not valid."""
        ...


Schema = Mapping[str, Field]


@dataclass(frozen=True)
class Text:
    """Text, trimmed and not blank. A short text (a name, a dose) is one line; a longer one keeps its line breaks."""

    maximum: int = 4_000
    required: bool = False
    description: str = ""

    def read(self, value: Any, path: str, problems: list[Problem]) -> Any:
        if not isinstance(value, str):
            return _add_problem(problems, path, "Must be text.")
        try:
            words = text.clean_line(value) if self.maximum <= LINE_MAX else text.clean_lines(value).strip()
        except text.LooksBlank:
            return _add_problem(problems, path, text.LOOKS_BLANK)
        if not words:
            return _add_problem(problems, path, "Must not be blank; send null to clear it.")
        return (
            words if len(words) <= self.maximum else _add_problem(problems, path, f"Must have at most {self.maximum} characters.")
        )


@dataclass(frozen=True)
class Flag:
    """True or false."""

    required: bool = False
    description: str = ""

    def read(self, value: Any, path: str, problems: list[Problem]) -> Any:
        return value if isinstance(value, bool) else _add_problem(problems, path, "Must be true or false.")


class Choice:
    """One of these words."""

    def __init__(self, *words: str, required: bool = False, description: str = "") -> None:
        self.words, self.required, self.description = words, required, description

    def read(self, value: Any, path: str, problems: list[Problem]) -> Any:
        return value if value in self.words else _add_problem(problems, path, f"Must be one of {', '.join(self.words)}.")


@dataclass(frozen=True)
class Number:
    """A number within bounds; with `decimals` 0 a whole number."""

    minimum: float
    maximum: float
    decimals: int = 1
    required: bool = False
    description: str = ""

    def read(self, value: Any, path: str, problems: list[Problem]) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return _add_problem(problems, path, "Must be a number.")
        number = Decimal(str(value))
        exponent = number.normalize().as_tuple().exponent
        if not isinstance(exponent, int) or -exponent > self.decimals:
            return _add_problem(
                problems, path, f"Must have at most {self.decimals} decimals." if self.decimals else "Must be a whole number."
            )
        if not Decimal(str(self.minimum)) <= number <= Decimal(str(self.maximum)):  # the float 0.1 is more than the number 0.1
            return _add_problem(problems, path, f"Must be between {self.minimum:g} and {self.maximum:g}.")
        return int(number) if number == int(number) else float(number)


@dataclass(frozen=True)
class Measure(Number):
    """A number as above, or the text `not_measurable`. Units are converted before (see `vitals.reading`)."""

    def read(self, value: Any, path: str, problems: list[Problem]) -> Any:
        return value if value == NOT_MEASURABLE else super().read(value, path, problems)


@dataclass(frozen=True)
class Id:
    """A UUID, stored as text."""

    required: bool = False
    description: str = ""

    def read(self, value: Any, path: str, problems: list[Problem]) -> Any:
        try:
            return str(UUID(value)) if isinstance(value, str) else _add_problem(problems, path, "Must be a UUID.")
        except ValueError:
            return _add_problem(problems, path, "Must be a UUID.")


@dataclass(frozen=True)
class Day:
    """A date, YYYY-MM-DD."""

    required: bool = False
    description: str = ""

    def read(self, value: Any, path: str, problems: list[Problem]) -> Any:
        if not isinstance(value, str) or not _DAY.fullmatch(value):  # the parser alone would take 2026-12-1 and 20261201
            return _add_problem(problems, path, "Write the date as YYYY-MM-DD, like 2026-12-01.")
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            return _add_problem(problems, path, f"{value} is not a calendar date.")


@dataclass(frozen=True)
class Group:
    """An object of named fields; with `or_text` also plain text."""

    schema: Schema
    or_text: Text | None = None
    required: bool = False
    description: str = ""

    def read(self, value: Any, path: str, problems: list[Problem]) -> Any:
        if self.or_text and isinstance(value, str):
            return self.or_text.read(value, path, problems)
        if not isinstance(value, Mapping):
            return _add_problem(problems, path, "Must be text or an object." if self.or_text else "Must be an object.")
        cleaned = read(self.schema, value, problems, path)
        missing = [name for name, field in self.schema.items() if field.required and value.get(name) is None]
        problems.extend(Problem(f"{path}.{name}", "Is required.") for name in missing)
        return cleaned


@dataclass(frozen=True)
class Rows:
    """A list of such items."""

    item: Field
    maximum: int = MAX_ROWS
    required: bool = False
    description: str = ""

    def read(self, value: Any, path: str, problems: list[Problem]) -> Any:
        if not isinstance(value, list | tuple):
            return _add_problem(problems, path, "Must be a list.")
        if len(value) > self.maximum:
            return _add_problem(problems, path, f"Must have at most {self.maximum} items.")
        cleaned = [self.item.read(one, f"{path}[{position}]", problems) for position, one in enumerate(value)]
        return [merged({}, one) for one in cleaned]  # a list is replaced as a whole, so its items have nothing to clear


def read(schema: Schema, data: Mapping[str, Any], problems: list[Problem], path: str = "") -> dict[str, Any]:
    """Returns the stored form of the data. None stays, because it clears the field. An unknown field is a problem."""
    cleaned: dict[str, Any] = {}
    for name, value in data.items():
        where = f"{path}.{name}" if path else name
        if name not in schema:
            problems.append(Problem(where, f"Unknown field. Known fields: {', '.join(schema)}."))
        else:
            cleaned[name] = None if value is None else schema[name].read(value, where, problems)
    return cleaned


def merged(stored: Any, sent: Any) -> Any:
    """Returns the stored value merged with the sent one (RFC 7396): objects merge, None clears, anything else replaces."""
    if not isinstance(sent, Mapping):
        return sent
    before = stored if isinstance(stored, Mapping) else {}
    after = {**before, **{name: merged(before.get(name), value) for name, value in sent.items()}}
    return {name: value for name, value in after.items() if value is not None}


def _add_problem(problems: list[Problem], path: str, issue: str) -> None:
    problems.append(Problem(path, issue))
