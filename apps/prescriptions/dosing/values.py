"""The values of a dose, shared by the sentence, the quantity and the safety checks. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True)
class Amount:
    """A number with its unit: `500 mg`, `2 tablet`, `10 unit`. Units are singular; `mcg`, `mg`, `g`, `mL`, `unit`, `mEq`, or a
    countable form (`tablet`, `capsule`, `puff`, `drop`, `patch`, …)."""

    value: Decimal
    unit: str


@dataclass(frozen=True)
class Strength:
    """How much of an ingredient is in how much of the product: 500 mg in 1 tablet, 250 mg in 5 mL."""

    ingredient: str
    amount: Amount
    per: Amount


@dataclass(frozen=True)
class Product:
    """What dosing and the checks need of a drug of the catalogue. `unit` is what it is counted in when it is dispensed.

    `route` is the usual one (`oral`, `topical`, …). Without strengths no dose can be converted.
    """

    id: UUID
    name: str
    form: str
    route: str
    unit: str
    ingredients: tuple[str, ...]
    strengths: tuple[Strength, ...] = ()
    schedule: str = ""


@dataclass(frozen=True)
class Dose:
    """One dose; `high` is the upper end of a range ("1-2 tablets") and equals `low` where it is no range."""

    low: Amount
    high: Amount


@dataclass(frozen=True)
class Frequency:
    """So many doses in so many days: twice a day is 2 in 1, once a week is 1 in 7. A range counts as its upper end.

    "As needed" alone has no number of doses (None). `wording` is how it is written where the numbers do not say it all: `every 6
    hours`, `at bedtime`, `once a week on Monday`.
    """

    doses: Decimal | None
    days: Decimal | None
    as_needed: bool = False
    wording: str = ""

    @property
    def per_day(self) -> Decimal | None:
        """Returns the most doses in a day on average; None where their number is not known."""
        return None if self.doses is None or self.days is None else self.doses / self.days


@dataclass(frozen=True)
class Regimen:
    """A dose as it was prescribed. What is None was not given, or could not be read.

    `days` is the duration. `as_directed`: the text leaves the dose to another instruction, so nothing is checked.
    """

    dose: Dose | None = None
    frequency: Frequency | None = None
    days: int | None = None
    route: str = ""
    as_directed: bool = False
