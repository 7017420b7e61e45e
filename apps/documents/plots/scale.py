"""From values to places in a drawing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.documents.plots.values import Series


@dataclass(frozen=True)
class Scale:
    """A straight line from a value to a place: `start` is the place of `low`, `end` that of `high`."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Returns the place of the value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def clipped(self, value: float | None, otherwise: float) -> float:
        """Returns the place of the value, moved to the nearer end if it is outside; of None, that of the other value."""
        bounded = min(max(otherwise if value is None else value, self.low), self.high)
        return self.place(bounded)


def across(instants: Sequence[datetime], start: float, end: float) -> Scale:
    """Returns the scale of time. A single instant is at the end."""
    first, last = min(instants).timestamp(), max(instants).timestamp()
    return Scale(first if last > first else last - 1, last, start, end)


def upwards(series: Iterable[Series], bottom: float, top: float, margin: float = 0.0) -> Scale:
    """Returns the scale of the values and their bands. `margin` is the share of empty space above and below."""
    numbers = [
        number for one in series for number in (*(point.value for point in one.ordered), *(one.band.ends if one.band else ()))
    ]
    low, high = min(numbers), max(numbers)
    space = (high - low) * margin if high > low else 1.0
    return Scale(low - space, high + space, bottom, top)
