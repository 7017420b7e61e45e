"""The knowledge that the checks use, as plain values with an index. `apps.prescriptions.data` has its rows with their sources.

A reference is an ingredient (`warfarin`) or a class (`class:maoi`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from apps.prescriptions.dosing.values import Amount
from apps.prescriptions.safety.facts import Severity

CLASS = "class:"


@dataclass(frozen=True)
class DrugClassRow:
    """`duplicate`: how serious two members together are, if at all."""

    code: str
    name: str
    duplicate: Severity | None = None


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """A pair. Rows of one `group` are one alert. Without `routes` it is about medicines that act on the whole body."""

    a: str
    b: str
    severity: Severity
    effect: str
    source: str
    management: str = ""
    group: str = ""
    routes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class CrossAllergy:
    allergen: str
    drug: str
    severity: Severity
    text: str
    source: str


@dataclass(frozen=True, kw_only=True)
class DoseLimit:
    """`kind`: the most in a `day` or a `dose`, what is usual in a day (`usual_day`), or an `interval`: at most once in
    `every_days`, from a dose of `low` on. With `per_kg` the limit is for each kilogram of body weight. Ages are in years.
    """

    ingredient: str
    kind: str
    source: str
    severity: Severity = Severity.MAJOR
    text: str = ""
    every_days: int = 0
    most: Amount | None = None
    low: Amount | None = None
    per_kg: bool = False
    age_from: int = 0
    age_below: int | None = None
    routes: frozenset[str] = frozenset()

    def is_for(self, age_days: int, route: str) -> bool:
        """Returns whether the row applies to this age and route."""
        years = age_days / Decimal("365.25")
        fits_age = years >= self.age_from and (self.age_below is None or years < self.age_below)
        return fits_age and (not self.routes or not route or route in self.routes)


@dataclass(frozen=True)
class Condition:
    """A drug in `pregnancy`, for a `kidney` with an eGFR below a number, or at an `age` below so many months."""

    kind: str
    drug: str
    severity: Severity
    text: str
    source: str
    below: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """All rows of one version. `members`: class code -> its ingredients; `names`: a text in small letters -> references."""

    version: str
    classes: Mapping[str, DrugClassRow]
    members: Mapping[str, frozenset[str]]
    interactions: tuple[Interaction, ...] = ()
    cross_allergies: tuple[CrossAllergy, ...] = ()
    limits: tuple[DoseLimit, ...] = ()
    conditions: tuple[Condition, ...] = ()
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ingredients: frozenset[str] = frozenset()

    @cached_property
    def _classes_of(self) -> Mapping[str, frozenset[str]]:
        classes = defaultdict(set)
        for code, members in self.members.items():
            for ingredient in members:
                classes[ingredient].add(CLASS + code)
        return {ingredient: frozenset(codes) for ingredient, codes in classes.items()}

    @cached_property
    def _pairs_of(self) -> Mapping[str, tuple[tuple[str, Interaction], ...]]:
        pairs = defaultdict(list)
        for row in self.interactions:
            pairs[row.a].append((row.b, row))
            if row.a != row.b:
                pairs[row.b].append((row.a, row))
        return {one: tuple(rows) for one, rows in pairs.items()}

    def references(self, ingredient: str) -> frozenset[str]:
        """Returns the ingredient and its classes."""
        return self._classes_of.get(ingredient, frozenset()) | {ingredient}

    def all_references(self, ingredients: Iterable[str]) -> frozenset[str]:
        """Returns the ingredients and their classes."""
        return frozenset(one for ingredient in ingredients for one in self.references(ingredient))

    def pairs(self, reference: str) -> tuple[tuple[str, Interaction], ...]:
        """Returns the interactions of a reference, each with the other reference."""
        return self._pairs_of.get(reference, ())

    def class_name(self, reference: str) -> str:
        """Returns the words for a reference: `penicillins`, `warfarin`."""
        row = self.classes.get(reference.removeprefix(CLASS))
        return row.name if row and reference.startswith(CLASS) else reference

    def matching(self, ingredients: Collection[str], reference: str) -> list[str]:
        """Returns those of the ingredients that the reference means, in order of their names."""
        return sorted(one for one in ingredients if reference in self.references(one))

    def is_known(self, ingredient: str) -> bool:
        """Returns whether any row mentions the ingredient. One that none mentions was not looked at, and is not safe for that."""
        return ingredient in self.ingredients or ingredient in self._classes_of
