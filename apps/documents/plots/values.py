"""What a plot is drawn from, and what the drawing functions return."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.safestring import SafeString

from apps.common import clinic_times


class Flag(StrEnum):
    """Where a value lies. The empty flag: within the band, or there is no band."""

    NONE = ""
    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True)
class Point:
    """A value at an instant. `text` is how the table writes it, if not as the number (`138/84`)."""

    at: datetime
    value: float
    text: str = ""

    @property
    def words(self) -> str:
        """Returns the value as pages write it."""
        return self.text or number(self.value)


@dataclass(frozen=True)
class Band:
    """The usual range, both ends included; None: no limit on that side."""

    low: float | None = None
    high: float | None = None

    def flag(self, value: float) -> Flag:
        """Returns whether the value is below or above the band."""
        if self.low is not None and value < self.low:
            return Flag.LOW
        return Flag.HIGH if self.high is not None and value > self.high else Flag.NONE

    @property
    def ends(self) -> tuple[float, ...]:
        """Returns the limits that there are."""
        return tuple(end for end in (self.low, self.high) if end is not None)


@dataclass(frozen=True)
class Series:
    """The values of one measurement in one unit."""

    name: str
    unit: str
    points: Sequence[Point]
    band: Band | None = None

    @property
    def ordered(self) -> tuple[Point, ...]:
        """Returns the finite values, the oldest first."""
        return tuple(sorted((point for point in self.points if math.isfinite(point.value)), key=lambda point: point.at))

    def flag(self, value: float) -> Flag:
        """Returns where the value lies."""
        return self.band.flag(value) if self.band else Flag.NONE


@dataclass(frozen=True)
class Cell:
    """A value in the table. Empty if the series has none at this instant."""

    text: str
    flag: Flag


@dataclass(frozen=True)
class Row:
    """One instant with the value of each series. `when` is the instant in the clinic's time."""

    at: datetime
    when: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Drawing:
    """A plot, the same in words, and the same as a table with the newest row first. Without values `svg` is empty."""

    svg: SafeString
    summary: str
    rows: tuple[Row, ...]


def number(value: float) -> str:
    """Returns the number without needless zeros, with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def table(series: Iterable[Series]) -> tuple[Row, ...]:
    """Returns the values of all series by instant, the newest first."""
    columns = [(one, {point.at: point for point in one.ordered}) for one in series]
    instants = sorted({at for _, points in columns for at in points}, reverse=True)
    return tuple(
        Row(at, clinic_times.moment(at), tuple(_cell(one, points.get(at)) for one, points in columns)) for at in instants
    )


def _cell(of: Series, point: Point | None) -> Cell:
    return Cell(point.words, of.flag(point.value)) if point else Cell("", Flag.NONE)
