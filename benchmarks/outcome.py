"""The results of a workload: a row of the table, and its goals."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measure import Cost


@dataclass(frozen=True)
class Check:
    """A goal, what was reached, and whether that is enough."""

    goal: str
    reached: str
    met: bool

    def __str__(self) -> str:
        return f"{'met' if self.met else 'MISSED'}: {self.goal}: {self.reached}"


@dataclass(frozen=True)
class Row:
    """One line. `growth` is HIMS's cost here through its cost at a hundredth of the size."""

    name: str
    hims: Cost | None = None
    floor: Cost | None = None
    growth: float | None = None
    checks: Sequence[Check] = ()
    notes: Sequence[str] = ()

    @property
    def ratio(self) -> float | None:
        return self.hims.total / self.floor.total if self.hims and self.floor and self.floor.total else None


def at_most(what: str, value: float, limit: float, unit: str = "") -> Check:
    return Check(f"{what} ≤ {limit:g}{unit}", f"{_short(value)}{unit}", value <= limit)


def at_least(what: str, value: float, limit: float, unit: str = "") -> Check:
    return Check(f"{what} ≥ {limit:g}{unit}", f"{_short(value)}{unit}", value >= limit)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def against(what: str, hims: Cost, other: Cost, limit: float) -> Check:
    """HIMS compared with a floor (`effects`: E, W) or with another request of the same run."""
    return at_most(what, hims.total / other.total if other.total else 0.0, limit, "x")


def grows(growth: float, limit: float) -> Check:
    return at_most("growth from a hundredth", growth, limit, "x")


def answered(*costs: Cost) -> list[Check]:
    """Said only where something failed: then the other numbers are worth nothing."""
    failed = sum(one.failed for one in costs)
    return [Check("every request answered", f"{failed} failed", met=False)] if failed else []
