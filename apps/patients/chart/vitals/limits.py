"""Holds the ranges and bands that vital signs are checked against: data, each row with its source.

NOT REVIEWED BY A CLINICIAN. These are no reference ranges and flag no illness. They catch slips (Fahrenheit for Celsius, pounds
for kilograms, two fields swapped, a decimal point) and are wide enough for the very ill and the very heavy. The user who
measured such a value confirms it.

Sources, as the rows name them:

- WHO: WHO Child Growth Standards (2006), weight-, length- and BMI-for-age, both sexes together. Least and most are WHO's
  limits for implausible values: z -6 to +5 (weight), -6 to +6 (length), -5 to +5 (BMI), computed from the LMS tables with
  WHO's restricted z-scores beyond 3, rounded outwards. Below three months we lowered the least values for preterm
  babies (house).
- CDC: CDC growth charts (2000), weight-, stature- and BMI-for-age. Least and most are the limits of CDC's program for
  implausible values (modified z -5 to +8 for weight, -5 to +4 for stature, -4 to +8 for BMI), computed from the LMS tables,
  rounded outwards.
- CDC-20: the same tables at 20 years, the end of growth, for adults: the least weight; stature within 6 SD of the mean.
- growthcleanr: growthcleanr 2.2.1, adult algorithm (documentation of 2024-02-05). Its change limit between two weights is 4 +
  18 ln(1 + months) kg. It takes a BMI of 16 to 60 as certain; we ask from well beyond that on.
- NEWS2: Royal College of Physicians, National Early Warning Score 2 (2017): the widths follow the extremes that it still
  scores and go well beyond them.
- house: our own choice, no published source.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NOT_REVIEWED = "The limits for what is plausible have not been reviewed by a clinician."

_MONTH = 30.4375  # days
_YEAR = 365.25
ADULT_DAYS = 20 * _YEAR
_FOR_EVER = 10**6


@dataclass(frozen=True)
class Range:
    """The values that need no confirmation at any age, both ends included."""

    least: float
    most: float
    unit: str
    source: str


RANGES: Mapping[str, Range] = {
    "systolic": Range(50, 260, "mmHg", "NEWS2"),
    "diastolic": Range(20, 160, "mmHg", "house"),
    "pulse": Range(25, 230, "/min", "NEWS2"),
    "temperature_c": Range(32.0, 42.5, "°C", "NEWS2"),
    "spo2": Range(50, 100, "%", "NEWS2"),
    "respiratory_rate": Range(5, 80, "/min", "NEWS2"),
    "weight_kg": Range(0.4, 350, "kg", "house"),  # if the age is not known
    "height_cm": Range(25, 240, "cm", "house"),
}


# By name: the absolute least and most, both included. No value outside is stored, even if confirmed. Source:
# house; for pressures, pulse and body mass index well beyond any published value of a living patient.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "systolic": (0, 500),
    "diastolic": (0, 400),
    "pulse": (0, 400),
    "temperature_c": (10, 50),
    "spo2": (0, 100),
    "respiratory_rate": (0, 150),
    "weight_kg": (0.1, 700),
    "height_cm": (10, 280),
    "bmi": (2, 300),
    "pain": (0, 10),
}


@dataclass(frozen=True)
class Band:
    """The values that need no confirmation, from one age until before another (days): weight in kg, height in cm, BMI in
    kg/m2."""

    from_days: float
    until_days: float
    weight: tuple[float, float]
    height: tuple[float, float]
    bmi: tuple[float, float]
    source: str

    def of(self, name: str) -> tuple[float, float]:
        """Returns least and most of weight_kg, height_cm or bmi."""
        return {"weight_kg": self.weight, "height_cm": self.height, "bmi": self.bmi}[name]


def _months(start: float, end: float, source: str, **limits: tuple[float, float]) -> Band:
    return Band(start * _MONTH, end * _MONTH, source=source, **limits)


BANDS: Sequence[Band] = (
    _months(0, 1, "WHO; least values: house (preterm)", weight=(0.4, 8.1), height=(25, 67), bmi=(4, 22.6)),
    _months(1, 3, "WHO; least values: house (preterm)", weight=(0.8, 10.9), height=(30, 74), bmi=(5, 25.4)),
    _months(3, 6, "WHO", weight=(2.3, 13.2), height=(47, 81), bmi=(9.9, 26.3)),
    _months(6, 12, "WHO", weight=(3.1, 16.4), height=(52, 90), bmi=(10.5, 26.3)),
    _months(12, 24, "WHO", weight=(3.9, 21.4), height=(58, 107), bmi=(10.2, 25.6)),
    _months(24, 36, "WHO", weight=(5.1, 26.6), height=(66, 119), bmi=(10.2, 24.5)),
    _months(36, 48, "WHO", weight=(6.0, 32.5), height=(72, 129), bmi=(9.8, 24.7)),
    _months(48, 60, "WHO", weight=(6.5, 38.9), height=(76, 138), bmi=(9.5, 25.6)),
    _months(60, 72, "CDC", weight=(8.3, 57.7), height=(84, 137), bmi=(11.0, 35.4)),
    _months(72, 84, "CDC", weight=(8.9, 68.7), height=(90, 145), bmi=(10.7, 39.3)),
    _months(84, 96, "CDC", weight=(9.4, 81.5), height=(95, 153), bmi=(10.5, 43.4)),
    _months(96, 108, "CDC", weight=(9.3, 96.4), height=(99, 159), bmi=(10.3, 47.6)),
    _months(108, 120, "CDC", weight=(9.3, 113), height=(103, 166), bmi=(10.3, 51.6)),
    _months(120, 132, "CDC", weight=(9.3, 130.3), height=(105, 174), bmi=(10.3, 55.3)),
    _months(132, 144, "CDC", weight=(9.7, 147), height=(108, 181), bmi=(10.3, 58.8)),
    _months(144, 156, "CDC", weight=(10.8, 162), height=(112, 188), bmi=(10.5, 61.9)),
    _months(156, 168, "CDC", weight=(12.1, 174), height=(117, 196), bmi=(10.8, 64.6)),
    _months(168, 180, "CDC", weight=(14.0, 184), height=(122, 200), bmi=(11.1, 67.2)),
    _months(180, 192, "CDC", weight=(17.1, 191), height=(128, 203), bmi=(11.5, 69.7)),
    _months(192, 204, "CDC", weight=(20.8, 196), height=(130, 204), bmi=(12.0, 72.3)),
    _months(204, 240, "CDC", weight=(23.8, 203), height=(130, 206), bmi=(12.3, 83.8)),
    Band(
        ADULT_DAYS,
        _FOR_EVER,
        (23.8, 350),
        (124, 220),
        (10, 100),
        "CDC-20; most weight: house; BMI: house (growthcleanr takes 16 to 60 as certain)",
    ),
)


def band_of(age_days: int) -> Band:
    """Returns the band of an age; the first one for a day before the birth."""
    return next((band for band in BANDS if age_days < band.until_days), BANDS[-1])


@dataclass(frozen=True)
class ChangeLimit:
    """How far a value may be above and below the last one, after so many months, without confirmation."""

    gain: float
    loss: float
    source: str


def weight_change(last_kg: float, months: float, age_days: int) -> ChangeLimit:
    """Returns the limit for a weight in kg. Sources as in the module's list; the factors for children are house.

    Adults: growthcleanr's formula, at least 10 kg, so that a birth, dialysis or drained fluid passes (house).
    """
    if age_days >= ADULT_DAYS:
        allowed = max(10.0, 4 + 18 * math.log(1 + months))
        return ChangeLimit(allowed, allowed, "growthcleanr; at least 10 kg: house")
    share = 0.5 + 0.4 * months if age_days < _YEAR + months * _MONTH else 0.3 + 0.1 * months
    return ChangeLimit(max(1.0, last_kg * share), max(0.7, last_kg * 0.25), "house")


def height_change(months: float, age_days: int) -> ChangeLimit:
    """Returns the limit for a height in cm.

    Adults: growthcleanr expects an inch of error either way, so two inches between two measurements; twice that here (house).
    """
    if age_days >= ADULT_DAYS:
        return ChangeLimit(10, 10, "growthcleanr; doubled: house")
    return ChangeLimit(10 + (4 if age_days < 2 * _YEAR + months * _MONTH else 1.5) * months, 6, "house")


# LOINC codes and UCUM units, for the chart. Each code's check digit is right; the names are our own short ones.
LOINC: Mapping[str, tuple[str, str, str]] = {
    "systolic": ("8480-6", "Systolic blood pressure", "mm[Hg]"),
    "diastolic": ("8462-4", "Diastolic blood pressure", "mm[Hg]"),
    "pulse": ("8867-4", "Heart rate", "/min"),
    "temperature_c": ("8310-5", "Body temperature", "Cel"),
    "spo2": ("59408-5", "Oxygen saturation by pulse oximetry", "%"),
    "respiratory_rate": ("9279-1", "Respiratory rate", "/min"),
    "weight_kg": ("29463-7", "Body weight", "kg"),
    "height_cm": ("8302-2", "Body height", "cm"),
    "bmi": ("39156-5", "Body mass index", "kg/m2"),
    "pain": ("72514-3", "Pain severity, 0 to 10", "{score}"),
}
