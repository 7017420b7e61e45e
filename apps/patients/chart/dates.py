"""Dates as people know them: to the day, the month or the year. And a person's age as text. Pure.

A partial date is written `2015`, `2015-06` or `2015-06-10`, as in FHIR R4 (datatypes `date` and `dateTime`).
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

OLDEST_AGE = 130  # years
_OLDEST, _YOUNGEST = date(1850, 1, 1), date(2199, 12, 31)
PATTERN = "([0-9]{4})(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"
_PARTIAL = re.compile(PATTERN)
WRITE_IT_AS = "Write the date as YYYY-MM-DD, or as YYYY-MM or YYYY if no more is known."


class Precision(StrEnum):
    """How exactly a date is known. `estimated`: from a stated age, to a year or two."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    ESTIMATED = "estimated"


@dataclass(frozen=True)
class PartialDate:
    """A calendar period, by its first day."""

    first: date
    precision: Precision = Precision.DAY

    @property
    def last(self) -> date:
        """Returns its last day; for an estimated date the last day of the year."""
        if self.precision == Precision.DAY:
            return self.first
        if self.precision == Precision.MONTH:
            return self.first.replace(day=calendar.monthrange(self.first.year, self.first.month)[1])
        return date(self.first.year, 12, 31)

    def __str__(self) -> str:
        length = {Precision.DAY: 10, Precision.MONTH: 7}.get(self.precision, 4)
        return self.first.isoformat()[:length]

    @property
    def typed(self) -> str:
        """Returns the date as a form takes it: `2015-06-10`, `2015-06`, `about 1975`."""
        return f"about {self}" if self.precision == Precision.ESTIMATED else str(self)


def day_text(day: date) -> str:
    """Returns the day as messages write it, in English: `27 Nov 2026`. A page writes a day by `clinic_times.day`."""
    return f"{day.day} {day:%b %Y}"


def partial(text: str) -> PartialDate:
    """Parses `2015`, `2015-06` or `2015-06-10`. Raises ValueError."""
    match = _PARTIAL.fullmatch(text)
    if match is None:
        raise ValueError(WRITE_IT_AS)
    year, month, day = match.group(1, 3, 5)
    precision = Precision.DAY if day else Precision.MONTH if month else Precision.YEAR
    return PartialDate(date(int(year), int(month or 1), int(day or 1)), precision)


def fits(first: date, precision: str) -> bool:
    """Returns whether the date is the first day of a period of this precision."""
    if precision == Precision.DAY:
        return True
    return first.day == 1 and (precision == Precision.MONTH or first.month == 1)


def born_by_age(age: int, today: date) -> PartialDate:
    """Returns the most likely birth year for an age in completed years: the year their age is reached in."""
    return PartialDate(date(today.year - age, 1, 1), Precision.ESTIMATED)


def precision_problem(first: date, precision: str) -> str | None:
    """Returns why a date cannot be of this precision, or None."""
    if precision not in list(Precision):
        return f"Must be one of {', '.join(Precision)}."
    if not fits(first, precision):
        return "Only the first day of a month or year can represent the whole of it. Send the month or the year alone."
    return None


@dataclass(frozen=True)
class Birth:
    """When a person was born; `at` is the time of day if known (and then the day is known too)."""

    day: date
    precision: str = Precision.DAY
    at: time | None = None

    @property
    def typed(self) -> str:
        return PartialDate(self.day, Precision(self.precision)).typed


def years_between(born: date, on: date) -> int:
    """Returns the completed years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


@dataclass(frozen=True)
class Age:
    """So many hours, days, weeks, months or years; `is_about` where the day of birth is not known. As text it is English."""

    number: int
    unit: str
    is_about: bool = False

    def __str__(self) -> str:
        if self.unit == "hour" and not self.number:
            return "less than 1 hour"
        text = f"{self.number} {self.unit}{'' if self.number == 1 else 's'}"
        return f"about {text}" if self.is_about else text


def age(birth: Birth, when: datetime) -> Age:
    """Returns the age at an instant, whose time zone says what the day is: `5 hours`, `20 days`, `6 weeks`, `51 years`.

    Hours up to a day where the time of birth is known, days below 4 weeks, weeks below 3 months, months below 2 years, then
    years (simplified from the NHS Common User Interface, "Patient banner", which shows hours below 2 days, days below 4 weeks,
    weeks below a year and months below 2 years). Never negative.
    """
    hours = _hours(birth, when)
    number, unit = _by_calendar(birth.day, when.date()) if hours is None else (hours, "hour")
    return Age(number, unit, birth.precision != Precision.DAY)


def _hours(birth: Birth, when: datetime) -> int | None:
    """Returns the hours lived on the first day; None later, or if the time of birth is not known."""
    if birth.at is None:
        return None
    lived = when.astimezone(UTC) - datetime.combine(birth.day, birth.at, when.tzinfo).astimezone(UTC)
    return lived // timedelta(hours=1) if timedelta() <= lived < timedelta(days=1) else None


def _by_calendar(born: date, day: date) -> tuple[int, str]:
    days = max((day - born).days, 0)
    months = max((day.year - born.year) * 12 + day.month - born.month - (day.day < born.day), 0)
    if days < 28:
        return days, "day"
    if months < 3:
        return days // 7, "week"
    return (months, "month") if months < 24 else (years_between(born, day), "year")


def one_slip(left: str, right: str) -> bool:
    """Returns whether one digit differs, or two neighbouring digits are swapped."""
    places = [place for place, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
    if len(places) == 2 and places[1] == places[0] + 1:
        return (left[places[0]], left[places[1]]) == (right[places[1]], right[places[0]])
    return len(places) == 1


def near_days(born: date) -> list[date]:
    """Returns the day itself first, then every day that one such slip makes of it."""
    year, month, day = born.year, born.month, born.day
    days = [_day(year, day, month), *(_day(year + off, month, day) for off in (-10, -1, 1, 10))]
    text = f"{born:%Y%m%d}"
    for place in range(len(text)):
        slips = [text[:place] + digit + text[place + 1 :] for digit in "0123456789"]
        slips.append(text[:place] + text[place : place + 2][::-1] + text[place + 2 :])
        days += [_day(int(slip[:4]), int(slip[4:6]), int(slip[6:])) for slip in slips]
    return list(dict.fromkeys([born, *(near for near in days if near and _OLDEST <= near <= _YOUNGEST)]))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
