"""How many duplicates are found: 150 registered people, 600 in the long run, born within eleven years, each registered again with
a typing error, a mishearing or a mix-up.

Deterministic. `pytest -s` prints recall by kind of slip, and precision at the warning threshold.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

import pytest

from apps.access.actor import SYSTEM
from apps.common.ids import new_id
from apps.patients import rules, selectors, services
from apps.patients.chart import dates
from apps.patients.matching import duplicates, scoring
from apps.patients.matching.scoring import WARNED, Person
from apps.patients.models import Patient

pytestmark = pytest.mark.django_db

GIRLS = [
    "Maria",
    "Jennifer",
    "Catherine",
    "Olivia",
    "Elizabeth",
    "Sarah",
    "Margaret",
    "Guadalupe",
    "Priya",
    "Mei",
    "Fatima",
    "Yolanda",
    "Theresa",
    "Rebecca",
    "Stephanie",
    "Michelle",
    "Anna",
    "Emma",
    "Sofia",
    "Isabella",
    "Charlotte",
    "Amelia",
    "Harper",
    "Evelyn",
    "Abigail",
    "Natalie",
    "Victoria",
    "Hannah",
    "Lillian",
    "Zoe",
    "Penelope",
    "Nora",
]
BOYS = [
    "John",
    "Michael",
    "Christopher",
    "José",
    "William",
    "Stephen",
    "Geoffrey",
    "Philip",
    "Mohammed",
    "Wei",
    "Rajesh",
    "Nicholas",
    "Anthony",
    "Frederick",
    "Jonathan",
    "Marcus",
    "Liam",
    "Noah",
    "Ethan",
    "Mateo",
    "Alexander",
    "Benjamin",
    "Theodore",
    "Samuel",
    "Sebastian",
    "Gabriel",
    "Julian",
    "Dmitri",
    "Patrick",
    "Vincent",
    "Lawrence",
    "Eric",
]
LAST = [
    "Smith",
    "Johnson",
    "Garcia",
    "O'Brien",
    "Nguyen",
    "Martinez",
    "Robertson",
    "Schmidt",
    "Müller",
    "Kowalski",
    "Hernandez",
    "Petersen",
    "Thompson",
    "Anderson",
    "Robinson",
    "Phillips",
    "Mitchell",
    "Campbell",
    "Rodriguez",
    "Ramirez",
    "Gonzalez",
    "Washington",
    "Jefferson",
    "Fitzgerald",
    "MacDonald",
    "Papadopoulos",
    "Yamamoto",
    "Okonkwo",
    "Abdullah",
    "Patel",
    "Kim",
    "Chen",
    "Lopez",
    "Murphy",
    "Sullivan",
    "Bennett",
    "Griffin",
    "Hoffman",
    "Keller",
    "Dubois",
    "Rossi",
    "Novak",
    "Silva",
    "Santos",
    "Fischer",
    "Lindqvist",
    "Van-Dyke",
    "Castillo",
    "Delgado",
    "Stewart",
    "Crawford",
    "Whitaker",
    "Harrington",
    "Blackwell",
    "Montgomery",
    "Pemberton",
]
SOUNDING = [("Catherine", "Kathryn"), ("Stephen", "Steven"), ("Geoffrey", "Jeffrey"), ("Philip", "Filip"), ("Eric", "Erik")]
SOUNDING += [("Sofia", "Sophia"), ("Zoe", "Zoey"), ("Theresa", "Teresa"), ("Rebecca", "Rebekah"), ("Michael", "Mikael")]
STREETS = ["Oak Street", "Main Street", "Elm Avenue", "Lake Drive", "Hill Road", "Mission Boulevard"]


def person(dice: random.Random, number: int) -> Person:
    gender = dice.choice(["male", "female"])
    phone = f"(213) {dice.randrange(200, 999)}-{number:04d}" if dice.random() < 0.8 else ""
    first = dice.choice(GIRLS if gender == "female" else BOYS)
    return Person(
        first_name=first,
        middle_name=dice.choice(["", "", "A", "Lee", "Marie" if gender == "female" else "James"]),
        last_name=dice.choice(LAST),
        date_of_birth=date(1980, 1, 1) + timedelta(days=dice.randrange(4_000)),
        gender=gender,
        phone=phone,
        phone_e164=rules.e164(phone, "US"),
        email=f"{rules.fold(first)}{number}@mail.test" if dice.random() < 0.5 else "",
        street=f"{dice.randrange(1, 999)} {dice.choice(STREETS)}" if dice.random() < 0.7 else "",
        zip=f"{dice.randrange(90001, 90099)}",
        policy=f"BC{number:06d}" if dice.random() < 0.6 else "",
    )


def on_record(people: list[Person]) -> list[Patient]:
    rows = []
    for number, one in enumerate(people):
        values = asdict(one)
        values["insurance_policy_number"] = values.pop("policy")
        values["date_of_birth_precision"] = values.pop("precision")
        rows.append(Patient(id=new_id(), mrn=f"C{number}", **values))
    Patient.objects.bulk_create(rows)
    saved = list(Patient.objects.order_by("mrn"))
    services.write_search_words(saved)
    by_mrn = {row.mrn: row for row in saved}
    return [by_mrn[f"C{number}"] for number in range(len(people))]


# One person, met again


def edited(dice: random.Random, name: str) -> str:
    """A letter left out, doubled, changed, or swapped with the next."""
    place = dice.randrange(len(name) - 1)
    slips = [
        name[:place] + name[place + 1 :],
        name[:place] + name[place] + name[place:],
        name[:place] + dice.choice("aeioumnrst") + name[place + 1 :],
        name[:place] + name[place + 1] + name[place] + name[place + 2 :],
    ]
    return dice.choice([slip for slip in slips if slip != name])


def bare(one: Person) -> Person:
    """Returns the person as registered in a hurry: five fields."""
    return replace(one, middle_name="", email="", street="", zip="", policy="")


def misspelt_first(dice: random.Random, one: Person) -> Person:
    return replace(bare(one), first_name=edited(dice, one.first_name))


def misspelt_last(dice: random.Random, one: Person) -> Person:
    return replace(bare(one), last_name=edited(dice, one.last_name), phone="", phone_e164="")


def misspelt_twice(dice: random.Random, one: Person) -> Person:
    names = {"first_name": edited(dice, one.first_name), "last_name": edited(dice, one.last_name)}
    return replace(one, **names, email="", policy="")


def two_edits(dice: random.Random, one: Person) -> Person:
    longer = "first_name" if len(one.first_name) > len(one.last_name) else "last_name"
    return replace(bare(one), **{longer: edited(dice, edited(dice, getattr(one, longer)))})


def misheard(dice: random.Random, one: Person) -> Person:
    heard = dict(SOUNDING) | {right: left for left, right in SOUNDING}
    return replace(bare(one), first_name=heard.get(one.first_name, one.first_name.replace("i", "y")), phone="", phone_e164="")


def swapped(dice: random.Random, one: Person) -> Person:
    return replace(bare(one), first_name=one.last_name, last_name=one.first_name, phone="", phone_e164="")


def swapped_and_misspelt(dice: random.Random, one: Person) -> Person:
    return replace(bare(one), first_name=edited(dice, one.last_name), last_name=one.first_name)


def flipped(dice: random.Random, one: Person) -> Person:
    born = one.date_of_birth
    born = born.replace(month=born.day, day=born.month) if born.day <= 12 else born
    return replace(bare(one), date_of_birth=born, phone="", phone_e164="")


def one_digit(dice: random.Random, one: Person) -> Person:
    near = [day for day in dates.near_days(one.date_of_birth)[1:] if day <= date(2026, 1, 1)]
    return replace(bare(one), date_of_birth=dice.choice(near), phone="", phone_e164="")


def flipped_and_misspelt(dice: random.Random, one: Person) -> Person:
    return misspelt_first(dice, flipped(dice, one))


def married(dice: random.Random, one: Person) -> Person:
    return replace(one, last_name=dice.choice([name for name in LAST if name != one.last_name]), email="", street="", policy="")


def misspelt_and_one_digit(dice: random.Random, one: Person) -> Person:
    return misspelt_first(dice, one_digit(dice, one))


def double_name(dice: random.Random, one: Person) -> Person:
    return replace(bare(one), last_name=f"{one.last_name}-{dice.choice(LAST)}", phone="", phone_e164="")


def estimated_birth(dice: random.Random, one: Person) -> Person:
    """The birth is unknown: the record has 1 January of a year nearby."""
    return replace(bare(one), date_of_birth=date(one.date_of_birth.year + dice.choice([-4, -3, -2, 2, 3, 4]), 1, 1))


def another_birth(dice: random.Random, one: Person) -> Person:
    return replace(bare(one), date_of_birth=one.date_of_birth + timedelta(days=dice.randrange(800, 4_500)))


_NEEDS_PHONE = (married, estimated_birth, another_birth)

SLIPS: list[Callable[[random.Random, Person], Person]] = [
    misspelt_first,
    misspelt_last,
    misspelt_twice,
    two_edits,
    misheard,
    swapped,
    swapped_and_misspelt,
    flipped,
    one_digit,
    flipped_and_misspelt,
    misspelt_and_one_digit,
    married,
    double_name,
    estimated_birth,
    another_birth,
]


# Other people


def twin(dice: random.Random, one: Person) -> Person:
    name = dice.choice([name for name in GIRLS + BOYS if name != one.first_name])
    return replace(one, first_name=name, gender="female" if name in GIRLS else "male", middle_name="", email="")


def namesake(dice: random.Random, one: Person) -> Person:
    born = one.date_of_birth + timedelta(days=dice.randrange(1_500, 8_000))
    return replace(bare(one), date_of_birth=born, phone=f"(310) 555-{dice.randrange(1000, 9999)}", phone_e164="")


def child_of_one_name(dice: random.Random, one: Person) -> Person:
    born = one.date_of_birth + timedelta(days=dice.randrange(7_000, 14_000))
    return replace(one, date_of_birth=born, middle_name="", email="")


def sibling(dice: random.Random, one: Person) -> Person:
    return replace(twin(dice, one), date_of_birth=one.date_of_birth + timedelta(days=dice.randrange(400, 3_000)))


OTHERS: list[Callable[[random.Random, Person], Person]] = [twin, namesake, child_of_one_name, sibling]


def met_again(people: list[Person], kinds: list, each: int) -> Iterator[tuple[int, str, Person]]:
    """Each person in `each` of the kinds, in turn."""
    dice = random.Random(1969)
    for number, one in enumerate(people):
        for turn in range(each):
            kind = kinds[(number * each + turn) % len(kinds)]
            again = kind(dice, one)
            if again != one and (kind not in _NEEDS_PHONE or one.phone):
                yield number, kind.__name__, again


def warned(again: Person) -> list[Patient]:
    return [match.patient for match in selectors.likely_matches(visible_to=SYSTEM, person=again)]


@pytest.mark.parametrize("population", [150, pytest.param(600, marks=pytest.mark.full)])
def test_misspelt_swapped_and_flipped_people_are_found_and_others_interrupt_no_registration(population: int) -> None:
    dice = random.Random(2016)
    people = [person(dice, number) for number in range(population)]
    rows = on_record(people)
    met, detected, right, wrong = Counter(), Counter(), Counter(), Counter()
    for number, kind, again in met_again(people, SLIPS, 2):
        best = selectors.possible_matches(visible_to=SYSTEM, person=again)[:3]
        met[kind] += 1
        detected[kind] += rows[number].pk in {match.patient.pk for match in best}
        interrupting = warned(again)
        right[kind] += rows[number] in interrupting
        wrong[kind] += len([row for row in interrupting if row != rows[number]])
    for _, kind, other in met_again(people, OTHERS, 1):
        met[kind] += 1
        wrong[kind] += len(warned(other))
    recall = detected.total() / sum(met[kind] for kind in detected)
    precision = right.total() / (right.total() + wrong.total())
    for kind, number in met.items():
        print(
            f"{kind:22} met {number:4}  in the first three {detected[kind]:4}  warned of {right[kind]:4}  wrongly {wrong[kind]:3}"
        )
    print(f"recall in the first three {recall:.4f}, precision of the warning {precision:.4f} (score >= {WARNED})")
    assert recall >= 0.95
    assert precision >= 0.9
    for kind in ("estimated_birth", "another_birth"):
        assert right[kind] == met[kind], kind


def test_newborns_of_one_mother_do_not_warn_of_each_other_and_are_shown_when_they_are_named() -> None:
    mother: Any = {"last_name": "Okonkwo", "date_of_birth": date(2025, 11, 3), "phone": "(213) 373-4253"}
    first, second = [Person(first_name=f"Baby {letter}", gender="female", **mother) for letter in "AB"]
    (row,) = on_record([first])
    assert warned(second) == []
    named = Person(first_name="Adaeze", gender="female", **mother)
    (match,) = selectors.possible_matches(visible_to=SYSTEM, person=named)
    assert match.patient == row
    assert scoring.Reason.NEWBORN_NAME in match.reasons
    assert warned(named) == []
    assert duplicates.person_of(row) == first
