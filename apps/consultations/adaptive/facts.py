"""The facts that rules compare, and the comparisons. Conditions are data: a fact's name, a comparison, a value.

    Is("age_years", "below", 18)
    AnyOf(Is("systolic", "at least", 180), Is("diastolic", "at least", 120))

An unknown fact satisfies no comparison but "unknown".
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

# The vital signs of the circulation, as `not_measurable` names them, with their names in a sentence.
CIRCULATION: Mapping[str, str] = {"bp": "blood pressure", "pulse": "pulse", "spo2": "oxygen saturation"}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All facts for the rules. Lists are in the chart's order; `complaint` is the chief complaint with all symptoms,
    normalized."""

    age_days: int
    sex: str
    years: int | None = None  # of age, by the calendar; if not stored, computed from the days
    age: str = ""  # as text like on the banner: 20 days; if not stored, in years
    appointment_type: str = "walk_in"
    last_visit_days: int | None = None  # since the last signed visit here
    systolic: float | None = None
    diastolic: float | None = None
    pulse: float | None = None
    temperature_c: float | None = None
    spo2: float | None = None
    respiratory_rate: float | None = None
    weight_kg: float | None = None
    pain: float | None = None
    not_measurable: tuple[str, ...] = ()  # fields of the vital signs for which a measurement was tried
    complaint: str = ""
    allergy_status: str = "not_asked"
    allergies: tuple[str, ...] = ()
    medications: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()  # codes, with their system: ICD-10-CM:I10
    tests_wanted: bool = False
    drugs_wanted: bool = False

    @property
    def age_years(self) -> int:
        return int(self.age_days / 365.25) if self.years is None else self.years

    @property
    def age_text(self) -> str:
        """The age as text for a sentence."""
        return self.age or f"{self.age_years} years"

    @property
    def circulation_not_measured(self) -> str:
        """The signs of the circulation that could not be measured, for a sentence. Each is named, so that one more is another
        reason."""
        return ", ".join(text for name, text in CIRCULATION.items() if name in self.not_measurable)

    @property
    def medication_count(self) -> int:
        return len(self.medications)


def facts_from(data: Mapping[str, Any]) -> Facts:
    """Returns the facts that a consultation stored."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return Facts(**values)


def normalized(*texts: str) -> str:
    """Returns the text as rules compare it: lower case without accents, single blanks."""
    plain = unicodedata.normalize("NFKD", " . ".join(texts).casefold())
    return " ".join(re.findall(r"[a-z0-9'.-]+", "".join(letter for letter in plain if not unicodedata.combining(letter))))


Comparison = Literal["is", "one of", "at least", "at most", "below", "known", "unknown", "mentions", "has", "has none"]


@dataclass(frozen=True)
class Is:
    """One comparison."""

    fact: str
    how: Comparison
    value: Any = True

    def holds(self, facts: Facts) -> bool:
        return _HOW[self.how](getattr(facts, self.fact), self.value)


@dataclass(frozen=True)
class AnyOf:
    """At least one of these."""

    conditions: tuple[Is, ...]

    def __init__(self, *conditions: Is) -> None:
        object.__setattr__(self, "conditions", conditions)

    def holds(self, facts: Facts) -> bool:
        return any(condition.holds(facts) for condition in self.conditions)


Condition = Is | AnyOf


def _mentions(text: str, phrases: tuple[str, ...]) -> bool:
    """Returns whether one of the phrases occurs in the text, as whole words. Only English; a denial ("no chest pain") is
    deliberately not understood, because an unnecessary question does less harm than a missing one."""
    return _any_phrase(phrases).search(text) is not None


@cache
def _any_phrase(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})")


def _has(values: tuple[str, ...], beginnings: tuple[str, ...]) -> bool:
    return any(value.casefold().startswith(beginning.casefold()) for value in values for beginning in beginnings)


_HOW: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": lambda fact, value: fact == value,
    "one of": lambda fact, value: fact in value,
    "at least": lambda fact, value: fact is not None and fact >= value,
    "at most": lambda fact, value: fact is not None and fact <= value,
    "below": lambda fact, value: fact is not None and fact < value,
    "known": lambda fact, _: fact not in (None, "", ()),
    "unknown": lambda fact, _: fact in (None, "", ()),
    "mentions": _mentions,
    "has": _has,
    "has none": lambda values, beginnings: not _has(values, beginnings),
}
