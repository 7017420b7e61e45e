"""The generated patients: drawn with a fixed seed, each with a small consistent chart. Pure values.

Person n depends on n alone, so a longer list begins like a shorter one. Uses only `random()`: its sequence is the same on every
Python, which those of `choice` and `randrange` are not. No clinician has reviewed any of it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from anyascii import anyascii

SIZE = 65
AS_OF = date(2026, 11, 20)  # the sandbox's last day; nothing in a sample chart is later
_SEED = "arocord-ward-1"
_SOURCE: dict[str, Any] = json.loads((Path(__file__).parent.parent / "data" / "ward.json").read_text(encoding="utf-8"))
_NAMED = {one.get("number", place): one for place, one in enumerate(_SOURCE["people"], start=1)}
_AGES = ((4, 0, 2), (9, 3, 12), (5, 13, 17), (14, 18, 39), (15, 40, 64), (9, 65, 79), (4, 80, 96))  # weight, from, to
_AREAS = ("213", "310", "323", "626", "747", "818")
_YEAR = 365.25
_ADULT = 18
_NO_KNOWN_ALLERGY = ("SNOMED-CT", "716186003", "No known allergy")


class Dice:
    """Repeatable random numbers."""

    def __init__(self, seed: str) -> None:
        self._draw = Random(seed).random  # noqa: S311  sample data, not a secret

    def chance(self, share: float) -> bool:
        return self._draw() < share

    def whole(self, low: int, high: int) -> int:
        return low + int(self._draw() * (high - low + 1))

    def between(self, low: float, high: float, digits: int = 1) -> float:
        return round(low + self._draw() * (high - low), digits)

    def pick(self, options: Sequence[Any]) -> Any:
        return options[int(self._draw() * len(options))]

    def weighed(self, options: Sequence[Any], weights: Sequence[int]) -> Any:
        point = self._draw() * sum(weights)
        for option, weight in zip(options, weights, strict=True):
            point -= weight
            if point < 0:
                return option
        return options[-1]


@dataclass
class Person:
    """A sample patient while the chart is being generated."""

    number: int
    dice: Dice
    born: date
    gender: str
    entries: list[dict[str, Any]] = field(default_factory=list)

    @property
    def doctor(self) -> str:
        return "dr.lee" if self.age_on(AS_OF) < _ADULT else "dr.smith"

    def age_on(self, day: date) -> float:
        return (day - self.born).days / _YEAR

    def note(self, kind: str, what: tuple[str, str, str], status: str, when: str, by: str, **more: Any) -> None:
        system, code, display = what
        more.setdefault("detail", {})
        line = {"type": kind, "code_system": system, "code": code, "display": display, "status": status, "occurred_at": when}
        self.entries.append(line | {"recorded_by": by} | more)


def generate_patients(size: int = SIZE) -> list[dict[str, Any]]:
    """Returns so many people, in the form of the hand-written files."""
    return [_generate_patient(number) for number in range(1, size + 1)]


def _generate_patient(number: int) -> dict[str, Any]:
    dice = Dice(f"{_SEED}:{number}")
    named = _NAMED.get(number) or _random_identity(dice)
    person = Person(number=number, dice=dice, born=date.fromisoformat(named["date_of_birth"]), gender=named["gender"])
    last_day = date.fromisoformat(named.get("deceased_at", AS_OF.isoformat())[:10])
    registration = _registration(person, named)
    conditions = _conditions(person)
    _write_allergies(person, conditions)
    for condition in conditions:
        _write_condition(person, condition, last_day)
    _write_measurements(person, conditions, last_day)
    _write_immunizations(person, last_day)
    return {"alias": f"ward-{number:03d}", "registration": registration, "entries": person.entries}


def _random_identity(dice: Dice) -> dict[str, Any]:
    """Returns a name and a date of birth from the lists."""
    _, youngest, oldest = dice.weighed(_AGES, [weight for weight, _, _ in _AGES])
    born = AS_OF - timedelta(days=dice.whole(int(youngest * _YEAR) + 30, int((oldest + 1) * _YEAR) - 2))
    group = dice.weighed(_SOURCE["names"], [names["weight"] for names in _SOURCE["names"]])
    gender = "female" if dice.chance(0.52) else "male"
    return {
        "first_name": dice.pick(group[gender]),
        "last_name": dice.pick(group["last"]),
        "gender": gender,
        "date_of_birth": born.isoformat(),
        "language": group["language"],
    }


def _registration(person: Person, named: dict[str, Any]) -> dict[str, Any]:
    dice, number, years = person.dice, person.number, person.age_on(AS_OF)
    area = number // 50 % len(_AREAS)
    last = named["last_name"]
    kin = next(names for names in _SOURCE["names"] if names["language"] == named["language"])
    card = {
        **{key: named[key] for key in ("first_name", "last_name", "date_of_birth", "gender", "language")},
        "phone": f"+1-{_AREAS[area]}-555-01{number % 50:02d}" if dice.chance(0.95) else "",
        "address": {
            "street": f"{dice.whole(2, 990)} {dice.pick(_SOURCE['streets'])}",
            "city": "Anytown",
            "state": "CA",
            "zip": f"900{dice.whole(1, 96):02d}",
        },
        "emergency_contact": {
            "name": f"{dice.pick(kin['female'])} {last}".strip(),
            "relationship": "mother"
            if years < _ADULT
            else dice.pick(("spouse", "sister", "daughter" if years > 45 else "friend")),
            "phone": f"+1-{_AREAS[area]}-555-01{50 + number % 50:02d}",
        },
    }
    card |= {key: named[key] for key in ("deceased_at", "date_of_birth_precision") if key in named}
    if dice.chance(0.8):
        name = ".".join(part for part in (_plain(named["first_name"]), _plain(last)) if part)
        card["email"] = f"{name}{number}@example.org"
    if dice.chance(0.9):
        insurer = "Medicare" if years >= 65 else dice.pick(_SOURCE["insurers"])
        card["insurance"] = {
            "provider": insurer,
            "policy_number": f"SBX{number:03d}{dice.whole(1000, 9999)}",
            "group_number": f"GRP{dice.whole(100, 999)}",
        }
    return card


def _plain(name: str) -> str:
    return "".join(letter for letter in anyascii(name).lower() if letter.isalnum())


def _conditions(person: Person) -> list[dict[str, Any]]:
    """Returns none to four conditions that fit age and gender."""
    years = person.age_on(AS_OF)
    fitting = [
        condition
        for condition in _SOURCE["conditions"]
        if condition["ages"][0] + 1 <= years <= condition["ages"][1] and condition.get("gender", person.gender) == person.gender
    ]
    wanted = (
        person.dice.whole(0, 1)
        if years < _ADULT
        else person.dice.whole(0, 2) + (1 if years > 50 else 0) + (1 if years > 70 else 0)
    )
    chosen: list[dict[str, Any]] = []
    while fitting and len(chosen) < wanted:
        condition = person.dice.weighed(fitting, [one["weight"] for one in fitting])
        fitting.remove(condition)
        chosen.append(condition)
    return chosen


def _write_allergies(person: Person, conditions: list[dict[str, Any]]) -> None:
    """Writes the allergies: one in two has none known, one in seven was never asked, the others have one; none to a medicine they
    take."""
    dice = person.dice
    point = dice.between(0, 1, 4)
    asked_on = person.born + timedelta(days=int((AS_OF - person.born).days * 0.6))
    taken = {condition["code"] for condition in conditions}
    if point < 0.5:
        person.note("allergy", _NO_KNOWN_ALLERGY, "active", asked_on.isoformat(), person.doctor)
    elif point < 0.86:
        open_to = [one for one in _SOURCE["allergies"] if not taken & set(one["never_with"])]
        allergy = dice.weighed(open_to, [one["weight"] for one in open_to])
        person.note("allergy", _what(allergy), "active", asked_on.isoformat(), person.doctor, detail=allergy["detail"])


def _write_condition(person: Person, condition: dict[str, Any], last_day: date) -> None:
    """Writes the diagnosis, its medicine, and its laboratory values on one to three dates."""
    dice = person.dice
    earliest = max(person.born + timedelta(days=int(condition["ages"][0] * _YEAR)), date(2015, 1, 5))
    onset = earliest + timedelta(days=dice.whole(0, max(0, (last_day - earliest).days - 200)))
    doctor = condition.get("by", "dr.smith") if condition["ages"][0] >= _ADULT else person.doctor
    over = condition["status"] == "resolved"
    end = {"ended_at": (onset + timedelta(days=dice.whole(10, 14))).isoformat()} if over else {}
    what = ("ICD-10-CM", condition["code"], condition["display"])
    person.note("diagnosis", what, condition["status"], onset.isoformat(), doctor, **end)
    if medicine := condition.get("medication"):
        detail = medicine["detail"] | {"reason": condition["display"]}
        status = "completed" if over else "active"
        person.note("medication", _what(medicine), status, onset.isoformat(), doctor, **end, detail=detail)
    for back in range(dice.whole(1, 3)):
        day = _weekday(last_day - timedelta(days=182 * back + dice.whole(10, 120)))
        for test in condition.get("labs", []) if day > onset else []:
            _write_lab(person, test, day)


def _write_lab(person: Person, test: dict[str, Any], day: date) -> None:
    lowest, highest = test["seen"]
    value = person.dice.between(lowest, highest, test["digits"])
    low, high = test["normal"]
    flag = "low" if low is not None and value < low else "high" if value > high else "normal"
    limits = f"<= {high}" if low is None else f"{low}-{high}"
    what = ("LOINC", test["code"], test["display"])
    detail = {"reference_range": limits, "flag": flag}
    person.note("lab_result", what, "final", _at(day, 16, person.dice), "lab.chen", value=value, unit=test["unit"], detail=detail)


def _write_measurements(person: Person, conditions: list[dict[str, Any]], last_day: date) -> None:
    """Writes weight, height, pulse and, from three years on, blood pressure on one to three dates."""
    dice = person.dice
    size = dice.between(0.93, 1.09, 3)
    adult = (dice.between(155, 186), dice.between(22, 31))
    pressure = next((one["pressure"] for one in conditions if "pressure" in one), [106, 124])
    for back in reversed(range(dice.whole(1, 3))):
        day = _weekday(last_day - timedelta(days=200 * back + dice.whole(5, 90)))
        years = person.age_on(day)
        if years < 0:
            continue
        when = _at(day, 17, dice)
        height, weight = (
            _child(years, size) if years < _ADULT else (adult[0], round(adult[1] * (adult[0] / 100) ** 2 - back * 0.7, 1))
        )
        rows = [("8302-2", "Body height", height, "cm"), ("29463-7", "Body weight", weight, "kg")]
        rows.append(("8867-4", "Heart rate", dice.whole(62, 88) if years > 8 else dice.whole(90, 125), "/min"))
        if years >= 3:
            systolic = dice.whole(*pressure) if years >= _ADULT else dice.whole(90, 98) + int(years)
            rows += [("8480-6", "Systolic blood pressure", systolic, "mm[Hg]")]
            rows += [("8462-4", "Diastolic blood pressure", int(systolic * 0.62), "mm[Hg]")]
        for code, display, value, unit in rows:
            person.note("vital_sign", ("LOINC", code, display), "final", when, "nurse.jones", value=value, unit=unit)


def _child(years: float, size: float) -> tuple[float, float]:
    """Returns height in cm and weight in kg from the growth table, slightly varied."""
    table = _SOURCE["growth"]
    for (low, weight, height), (high, next_weight, next_height) in pairwise(table):
        if years <= high:
            share = (years - low) / (high - low)
            tall = height + share * (next_height - height)
            heavy = weight + share * (next_weight - weight)
            return round(tall * (1 + (size - 1) / 3), 1), round(heavy * size, 1)
    return table[-1][2], table[-1][1]


def _write_immunizations(person: Person, last_day: date) -> None:
    """Writes influenza vaccines in some autumns, measles vaccine by the schedule for children, a tetanus booster for adults."""
    for autumn in (date(2024, 10, 14), date(2025, 10, 13), date(2026, 10, 12)):
        years = person.age_on(autumn)
        if years > 0.55 and autumn < last_day and person.dice.chance(0.6):
            high_dose = ("135", "Influenza, high-dose, trivalent, PF")
            usual = ("140", "Influenza, split virus, trivalent, PF")
            _write_shot(person, high_dose if years >= 65 else usual, autumn)
    if person.age_on(AS_OF) < _ADULT:
        for dose, months in ((1, 12.5), (2, 50)):
            day = _weekday(person.born + timedelta(days=int(months * _YEAR / 12)), later=True)
            if day < last_day:
                _write_shot(person, ("03", "MMR"), day, dose)
    elif person.dice.chance(0.7):
        _write_shot(person, ("115", "Tdap"), _weekday(date(2019, 1, 7) + timedelta(days=person.dice.whole(0, 2000)), later=True))


def _write_shot(person: Person, vaccine: tuple[str, str], day: date, dose: int | None = None) -> None:
    detail: dict[str, Any] = {"lot_number": f"SBX{person.dice.whole(1000, 9999)}"}
    if dose:
        detail["dose_number"] = dose
    person.note("immunization", ("CVX", *vaccine), "completed", _at(day, 18, person.dice), "nurse.jones", detail=detail)


def _what(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["code_system"], row["code"], row["display"]


def _weekday(day: date, *, later: bool = False) -> date:
    """Returns the day itself, or the Friday before (the Monday after) if it falls on a weekend."""
    beyond = day.weekday() - 4
    if beyond <= 0:
        return day
    return day + timedelta(days=3 - beyond) if later else day - timedelta(days=beyond)


def _at(day: date, hour: int, dice: Dice) -> str:
    """Returns a moment in the clinic's morning, in UTC."""
    return datetime.combine(day, time(hour, dice.whole(0, 11) * 5), tzinfo=UTC).isoformat()
