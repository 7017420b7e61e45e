"""The usual ranges of adults' vital signs, that trends are drawn with. Pure.

NOT REVIEWED BY A CLINICIAN. The ranges mark values on a page; no alert and no decision uses them. Children have none: their usual
values change with age.

Sources, as the rows name them:

- NEWS2: Royal College of Physicians, National Early Warning Score 2 (2017): the values that score 0.
- NEWS2, ESC/ESH: from NEWS2's urgent limit (90) to below hypertension by the 2018 ESC/ESH guidelines (140/90).
- WHO: body mass index of adults (WHO Technical Report Series 894).
"""

from collections.abc import Mapping
from dataclasses import dataclass

ADULT_YEARS = 18


@dataclass(frozen=True)
class UsualRange:
    """Both ends included; None: no limit on that side."""

    low: float | None
    high: float | None
    source: str


_ADULTS: Mapping[str, UsualRange] = {
    "systolic": UsualRange(91, 139, "NEWS2, ESC/ESH"),
    "diastolic": UsualRange(None, 89, "ESC/ESH"),
    "pulse": UsualRange(51, 90, "NEWS2"),
    "temperature_c": UsualRange(36.1, 38.0, "NEWS2"),
    "spo2": UsualRange(96, None, "NEWS2"),
    "respiratory_rate": UsualRange(12, 20, "NEWS2"),
    "bmi": UsualRange(18.5, 24.9, "WHO"),
}


def usual_range(name: str, years: int) -> UsualRange | None:
    """Returns the usual range of a vital sign at the age in completed years; None if there is none."""
    return _ADULTS.get(name) if years >= ADULT_YEARS else None
