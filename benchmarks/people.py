"""A million people who do not exist: the same ones every time, in blocks that stand alone.

Everything of a block follows from its number, so that blocks are made in any order and in several processes. Values are texts
as COPY reads them; None is NULL.
"""

# ruff: noqa: S311 (nothing here is secret, and all of it must come out the same every time)

import hashlib
import itertools
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache

from apps.patients import rules
from benchmarks import names

VERSION = 1  # a change of what comes out is a new one: data of another are loaded anew
BLOCK = 1_000
FIRST_DAY = datetime(2021, 1, 4, tzinfo=UTC)  # the first patient's record was opened
YEARS = 5
TODAY = date(2026, 1, 5)  # of the generator: ages and what has been are counted from here

# Share of each five years of age, from 0-4 to 95-99 (thousandths, a rich country's pyramid).
PYRAMID = (57, 60, 63, 64, 67, 70, 69, 67, 65, 62, 61, 63, 63, 55, 45, 32, 20, 11, 5, 1)
AREA_CODES = (
    201,
    209,
    212,
    218,
    228,
    256,
    272,
    301,
    312,
    327,
    339,
    353,
    403,
    412,
    415,
    423,
    435,
    447,
    470,
    500,
    508,
    517,
    525,
    557,
    570,
)
CITIES = ("Springfield", "Riverside", "Fairview", "Franklin", "Georgetown", "Salem", "Madison", "Clinton", "San José", "Montréal")
STREETS = ("Main St", "Oak Ave", "Maple Dr", "Cedar Ln", "Park Rd", "Elm St", "Lake View", "Hill Rd")
INSURERS = ("Blue Shield", "Acme Health", "Kaiser", "United Care", "")
GENDERS = ("female", "male", "other", "unknown")

Person = dict[str, str | None]


def persons(block: int, *, first_seq: int, first_mrn: int, of: int) -> Iterator[Person]:
    """The patients of a block, oldest first. `first_seq` and `first_mrn` are the very first patient's; there are `of` in all."""
    dice = random.Random(f"people {VERSION} {block}")
    given, family = _given_names(), _family_names()
    firsts = dice.choices(given[0], cum_weights=given[1], k=BLOCK)
    middles = dice.choices(given[0], cum_weights=given[1], k=BLOCK)
    lasts = dice.choices(family[0], cum_weights=family[1], k=BLOCK)
    seconds = dice.choices(family[0], cum_weights=family[1], k=BLOCK)
    ages = dice.choices(range(len(PYRAMID)), PYRAMID, k=BLOCK)
    for place in range(min(BLOCK, of - block * BLOCK)):
        number = block * BLOCK + place
        opened = FIRST_DAY + timedelta(days=365.25 * YEARS) * (number / of)
        yield {
            "id": str(person_id(number, of)),
            "created_at": opened.isoformat(),
            "updated_at": opened.isoformat(),
            "seq": str(first_seq + number),
            "mrn": mrn(number, first_mrn),
            "first_name": firsts[place],
            "middle_name": _middle(dice, middles[place]),
            "last_name": _last(dice, lasts[place], seconds[place]),
            "date_of_birth": _born(dice, ages[place]).isoformat(),
            "gender": dice.choices(GENDERS, (505, 485, 6, 4))[0],
            "is_active": "f" if dice.random() < 0.06 else "t",
            **_contact(dice, number),
        }


def person_id(number: int, of: int) -> uuid.UUID:
    """The number's id: its time is that of the record."""
    return dated_id(FIRST_DAY + timedelta(days=365.25 * YEARS) * (number / of), b"%d" % number)


def dated_id(at: datetime, name: bytes) -> uuid.UUID:
    """Version 7 (RFC 9562): its time is `at`, the rest is drawn from the name."""
    drawn = int.from_bytes(hashlib.blake2b(name, digest_size=10).digest()) >> 6  # 74 bits
    bits = (int(at.timestamp() * 1000) << 80) | (7 << 76) | (drawn >> 62 << 64) | (2 << 62) | (drawn & (1 << 62) - 1)
    return uuid.UUID(int=bits)


def mrn(number: int, first_mrn: int) -> str:
    """Every twentieth patient brought a number from elsewhere; the others have ours."""
    if number % 20 != 7:
        return rules.mrn_from(first_mrn + number)
    return f"H-{number:07d}-{number % 97:02d}" if number % 40 == 7 else f"KP{number:09d}"


def blocks(rows: int) -> range:
    """The numbers of the blocks that hold so many patients."""
    return range(-(-rows // BLOCK))


def sample(rows: int, count: int, *, first_seq: int, first_mrn: int) -> list[Person]:
    """Patients from all over, without reading them from the database."""
    step = max(1, rows // count)
    numbers = range(step // 2, rows, step)[:count]
    wanted = itertools.groupby(numbers, key=lambda number: number // BLOCK)
    return [
        person
        for block, mine in wanted
        for person in _picked(list(persons(block, first_seq=first_seq, first_mrn=first_mrn, of=rows)), list(mine))
    ]


def _picked(block: list[Person], numbers: list[int]) -> list[Person]:
    return [block[number % BLOCK] for number in numbers]


@cache
def _given_names() -> tuple[list[str], list[float]]:
    return names.given(), names.weights(names.GIVEN_COUNT)


@cache
def _family_names() -> tuple[list[str], list[float]]:
    return names.family(), names.weights(names.FAMILY_COUNT)


def _middle(dice: random.Random, name: str) -> str:
    chance = dice.random()
    return name if chance < 0.3 else f"{name[0]}." if chance < 0.5 else ""


def _last(dice: random.Random, name: str, second: str) -> str:
    chance = dice.random()
    if chance < 0.03:
        return f"{name}-{second}"
    return f"{name} {second}" if chance < 0.05 else name


def _born(dice: random.Random, fives: int) -> date:
    return TODAY - timedelta(days=1 + int((fives * 5 + dice.random() * 5) * 365.25))


def _contact(dice: random.Random, number: int) -> dict[str, str]:
    phone, e164 = _phone(dice)
    insurer = dice.choice(INSURERS)
    return {
        "language": "es" if dice.random() < 0.15 else "en",
        "phone": phone,
        "phone_e164": e164,
        "email": f"person.{number}@example.org" if dice.random() < 0.7 else "",
        "street": f"{dice.randrange(1, 9999)} {dice.choice(STREETS)}",
        "city": dice.choice(CITIES),
        "state": "CA",
        "zip": f"{dice.randrange(90001, 96162)}",
        "insurance_provider": insurer,
        "insurance_policy_number": f"P{dice.randrange(10**9):09d}" if insurer else "",
    }


def _phone(dice: random.Random) -> tuple[str, str]:
    """As written, and in E.164 where it can be dialled; some have none, some only seven digits."""
    chance, code, office, line = dice.random(), dice.choice(AREA_CODES), dice.randrange(220, 900), dice.randrange(10_000)
    if office % 100 == 11:  # 311, 411, 911 are no exchanges
        office += 1
    if chance < 0.05:
        return "", ""
    if chance < 0.07:
        return f"555-{line:04d}", ""
    written = f"({code}) {office}-{line:04d}" if chance < 0.6 else f"{code}-{office}-{line:04d}"
    return written, f"+1{code}{office}{line:04d}"
