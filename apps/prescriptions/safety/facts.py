"""What the checks are about: new lines, active medicines, allergies, and the person. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from apps.prescriptions.dosing.values import Amount, Product, Regimen


class Severity(StrEnum):
    """How serious a finding is. Contraindicated blocks until the prescriber overrides it with a reason; major must be
    acknowledged; moderate and info inform."""

    CONTRAINDICATED = "contraindicated"
    MAJOR = "major"
    MODERATE = "moderate"
    INFO = "info"


RANK = {severity: place for place, severity in enumerate(Severity)}  # the most serious first
BLOCKING = frozenset((Severity.CONTRAINDICATED, Severity.MAJOR))  # not without an answer


class Pregnant(StrEnum):
    YES = "yes"
    NO = "no"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, kw_only=True, eq=False)  # two entries of the same medicine are two
class Medicine:
    """A new line of a prescription, or a medicine that the patient takes.

    `ingredients` is empty for a medicine that could not be matched. `per_dose` and `per_day` are the most of each ingredient;
    empty where dose or frequency are not known. Of an active medicine: `since` is when it was last recorded or given, `ends` the
    last day that its supply covers, and `days` how many it was for; `is_hidden` marks an entry that the caller may not see.
    """

    key: str
    name: str
    ingredients: frozenset[str] = frozenset()
    route: str = ""
    regimen: Regimen = field(default_factory=Regimen)
    per_dose: Mapping[str, Amount] = field(default_factory=dict)
    per_day: Mapping[str, Amount] = field(default_factory=dict)
    product: Product | None = None
    since: date | None = None
    ends: date | None = None
    days: Decimal | None = None
    is_hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Allergy:
    """An active allergy of the chart; retracted and resolved entries are not passed, nor coded ones to what is no drug.

    `means` are the ingredients and classes that its code or its text was matched with; `rest` is what could not be matched.
    """

    key: str
    text: str
    means: frozenset[str] = frozenset()
    rest: str = ""
    is_intolerance: bool = False
    is_unconfirmed: bool = False
    criticality: str = ""
    is_mild: bool = False
    reaction: str = ""
    is_hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Person:
    """The patient. `weight` in kg and `egfr` in mL/min/1.73 m², each with the day it was measured."""

    age_days: int
    sex: str = ""
    weight: tuple[Decimal, date] | None = None
    egfr: tuple[Decimal, date] | None = None
    pregnant: Pregnant = Pregnant.NOT_ASKED


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What the checks know of the patient. `allergies_asked`: allergies are listed, or known to be none.

    `secret` is mixed into the ids of alerts, so that no one can guess a hidden medicine from them. It is the same for a patient
    on every occasion.
    """

    today: date
    person: Person
    allergies_asked: bool
    allergies: tuple[Allergy, ...] = ()
    medicines: tuple[Medicine, ...] = ()
    secret: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A finding. The same finding has the same id on every occasion and in both directions.

    `lines` are the keys of the new lines concerned, `drugs` the names of all medicines concerned. `is_hidden`: it involves an
    entry that the caller may not see.
    """

    id: str
    severity: Severity
    kind: str
    because: str
    source: str
    drugs: tuple[str, ...]
    lines: tuple[str, ...]
    management: str = ""
    is_hidden: bool = False


@dataclass(frozen=True)
class NotChecked:
    """Something of a line that was not checked, and why."""

    line: str
    drug: str
    because: str


@dataclass(frozen=True)
class Verdict:
    """What the checks found. `checked` has, by line, the checks that ran."""

    alerts: tuple[Alert, ...]
    not_checked: tuple[NotChecked, ...]
    checked: Mapping[str, tuple[str, ...]]
    version: str

    @property
    def blocking(self) -> tuple[Alert, ...]:
        """Returns the alerts that need an answer before the prescription is written."""
        return tuple(alert for alert in self.alerts if alert.severity in BLOCKING)
