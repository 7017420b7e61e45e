"""The results of a workload: a row of the table, and its goals."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measure import Cost

# CPU milliseconds a request of the nearest peer (CARE: Django, DRF, PostgreSQL, Redis), measured on this kind of machine with
# 100,000 patients. It is not run again here.
PEER = {"list": 23.0, "deep-page": 196.0, "name": 78.0, "full name": 110.0, "no match": 48.0, "detail": 15.3}
PEER |= {"doctor and day": 72.0, "doctor": 145.0, "all visits": 313.0, "slots": 56.0, "book": 26.0}
PEER_MIGRATES = 222.0  # seconds


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


def against_floor(hims: Cost, floor: Cost, limit: float) -> Check:
    return at_most("floor", hims.total / floor.total if floor.total else 0.0, limit, "x")


def cheaper_than_peer(hims: Cost, peer: str, factor: float) -> Check:
    """Against what the peer was measured at, at a tenth of a million patients."""
    return at_least(
        f"cheaper than the peer's measured {PEER[peer]:g} CPU-ms", PEER[peer] / hims.total if hims.total else 0.0, factor, "x"
    )


def grows(growth: float, limit: float) -> Check:
    return at_most("growth from a hundredth", growth, limit, "x")


def answered(*costs: Cost) -> list[Check]:
    """Said only where something failed: then the other numbers are worth nothing."""
    failed = sum(one.failed for one in costs)
    return [Check("every request answered", f"{failed} failed", met=False)] if failed else []
