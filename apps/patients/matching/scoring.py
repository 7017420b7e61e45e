"""How likely it is that two descriptions are of one person, and why. Pure: no database, no clock.

Every field adds a weight where it agrees and takes one away where it contradicts, in bits, after Fellegi & Sunter 1969 ("A theory
for record linkage", JASA 64:1183): about log2 of how much more often the field agrees in one person's two records than in two
people's. How far fields differ in real duplicates is Just et al. 2016 (PMC4832129: of 398,939 pairs the middle name differs in
58 %, the first name is misspelt in 53 %, the last in 34 %), so a middle name says little and a misspelt name still says much.

    first name 7, last name 8   scaled down by edits or sound; clearly different -7 and -5 (people marry)
    date of birth 13            day and month flipped 9, one digit 7, a year or ten off 6; two of three parts the same -1; else -7
                                (-1 to -4 where name and telephone, e-mail or policy agree, see `_birth_in_doubt`)
    contact 6, address 4        what a household shares counts once, each further piece 1, at most 8; each that differs -1
    middle name 2, gender 1     different -1; male and female -4

The sum less `_EVEN` (two people picked blindly out of 60,000), halved because fields depend on each other, is the exponent of a
logistic curve: 0.5 is even odds. 1.0 is only for records in which nothing differs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

from apps.patients import rules
from apps.patients.chart import dates
from apps.patients.chart.dates import Precision
from apps.patients.matching import contacts, names
from apps.patients.matching.names import NameSimilarity, Newborn, Resemblance

SUGGESTED = 0.5  # worth showing to the caller
WARNED = 0.8  # worth interrupting a registration

_FIRST, _LAST, _EITHER = 7.0, 8.0, 7.5
_FIRST_DIFFERS, _LAST_DIFFERS, _SWAP = -7.0, -5.0, -1.0
_BORN, _FLIPPED, _DIGIT, _YEAR, _BORN_PARTLY, _BORN_ELSE = 13.0, 9.0, 7.0, 6.0, -1.0, -7.0
_BORN_IN_DOUBT, _PLACEHOLDER_MISSPELT, _PLACEHOLDER_FAR = -1.0, -3.0, -4.0
_GENERATION = 15 * 365  # days; a parent and a child who share name and telephone are born further apart
_SAME_MONTH, _SAME_YEAR, _YEARS_CLOSE, _ESTIMATED_WITHIN = 9.0, 6.0, 3.0, 3  # bits (log2 of 960 months, 80 years), years
_HOUSEHOLD_MOST, _CONTACT_LEAST = 8.0, -2.0
_EVEN = 16.0
_ALMOST = 0.99
_TWINS_MOST, _NEWBORN_MOST = 0.6, 0.75


class Reason(StrEnum):
    """What agrees, nearly agrees, or distinguishes two people."""

    SAME_NAME = "same_name"
    MISSPELT_NAME = "misspelt_name"
    SOUNDS_ALIKE = "sounds_alike"
    SWAPPED_NAMES = "swapped_names"
    PART_OF_NAME = "part_of_name"
    OTHER_LAST_NAME = "other_last_name"
    SAME_BIRTH = "same_birth_date"
    BIRTH_FLIPPED = "birth_flipped"
    BIRTH_ONE_DIGIT = "birth_one_digit"
    BIRTH_YEAR_OFF = "birth_year_off"
    SAME_PHONE = "same_phone"
    SAME_EMAIL = "same_email"
    SAME_POLICY = "same_policy"
    SAME_ADDRESS = "same_address"
    OTHER_GENDER = "other_gender"
    POSSIBLE_TWIN = "possible_twin"
    NEWBORN_NAME = "newborn_name"


IN_WORDS: dict[Reason, str] = {
    Reason.SAME_NAME: "same name",
    Reason.MISSPELT_NAME: "name nearly the same",
    Reason.SOUNDS_ALIKE: "name sounds alike",
    Reason.SWAPPED_NAMES: "first and last name swapped",
    Reason.PART_OF_NAME: "one name is part of the other",
    Reason.OTHER_LAST_NAME: "another last name",
    Reason.SAME_BIRTH: "same date of birth",
    Reason.BIRTH_FLIPPED: "day and month of birth flipped",
    Reason.BIRTH_ONE_DIGIT: "one digit of the date of birth differs",
    Reason.BIRTH_YEAR_OFF: "born a year or ten apart",
    Reason.SAME_PHONE: "same telephone",
    Reason.SAME_EMAIL: "same e-mail",
    Reason.SAME_POLICY: "same insurance policy",
    Reason.SAME_ADDRESS: "same address",
    Reason.OTHER_GENDER: "another gender",
    Reason.POSSIBLE_TWIN: "perhaps a twin",
    Reason.NEWBORN_NAME: "a newborn's provisional name",
}


@dataclass(frozen=True, kw_only=True)
class Person:
    """The values by which two records are compared. `phone_e164` only if the number is valid.

    The only name of a person without another is the last name here, in whichever field it was typed.
    """

    first_name: str
    last_name: str
    date_of_birth: date
    precision: str = Precision.DAY  # of the date of birth
    middle_name: str = ""
    gender: str = ""
    phone: str = ""
    phone_e164: str = ""
    email: str = ""
    street: str = ""
    zip: str = ""
    policy: str = ""

    @cached_property
    def first(self) -> tuple[str, ...]:
        return names.folded(self.first_name) if self.last_name else ()

    @cached_property
    def middle(self) -> tuple[str, ...]:
        return names.folded(self.middle_name)

    @cached_property
    def last(self) -> tuple[str, ...]:
        return names.family(self.last_name or self.first_name)

    @property
    def has_one_name(self) -> bool:
        return not (self.first_name and self.last_name)

    @cached_property
    def newborn(self) -> Newborn | None:
        return names.newborn("".join(self.first), "".join(self.middle), self.gender)

    @property
    def name_words(self) -> set[str]:
        """Returns the names for the lookup by sound: each name as one word."""
        return {"".join(name) for name in (self.first, self.last) if name}


@dataclass(frozen=True)
class Likeness:
    """`score` from 0 (two people) to 1 (nothing differs), and its reasons."""

    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class _Finding:
    """The result for one field: bits, the reason, and whether nothing contradicts."""

    bits: float = 0.0
    reasons: tuple[Reason, ...] = ()
    agrees: bool = True


@dataclass(frozen=True)
class _Names:
    """Similarity of the names, each from 0 to 1. `newborn`: one of two is provisional; `siblings`: both are, and contradict."""

    first: float
    last: float
    finding: _Finding
    newborn: bool = False
    siblings: bool = False


def compare(left: Person, right: Person, sounds: Mapping[str, str] | None = None) -> Likeness:
    """Compares two people. `sounds` maps names to how they sound (double metaphone); without it no names sound alike."""
    name_match = _names(left, right, sounds or {})
    contact = _contact(left, right)
    born = _birth_in_doubt(_births(left, right), left, right, name_match, contact)
    findings = (name_match.finding, born, contact, _middle(left, right), _gender(left, right))
    score = 1 / (1 + 2 ** ((_EVEN - sum(finding.bits for finding in findings)) / 2))
    score = 1.0 if all(finding.agrees for finding in findings) else min(score, _ALMOST)
    reasons = tuple(dict.fromkeys(reason for finding in findings for reason in finding.reasons))
    same_day, household = Reason.SAME_BIRTH in reasons, bool(contact.reasons)
    if same_day and _are_siblings(name_match, household, Reason.OTHER_GENDER in reasons):
        score, reasons = min(score, _TWINS_MOST), (*reasons, Reason.POSSIBLE_TWIN)
    elif same_day and name_match.newborn and name_match.last:
        score, reasons = min(score, _NEWBORN_MOST if household else _TWINS_MOST), (*reasons, Reason.NEWBORN_NAME)
    return Likeness(round(score, 2), reasons)


def _are_siblings(name_match: _Names, household: bool, other_gender: bool) -> bool:
    """Returns, for two people with the same birth day and last name, whether they are siblings: provisional names that
    contradict, or one household and clearly different first names (also nearly the same ones, if one is a girl's and one a
    boy's)."""
    if not name_match.last or name_match.newborn:
        return False
    return name_match.siblings or (household and (name_match.first == 0 or (other_gender and name_match.first < 1)))


# Names


def _names(left: Person, right: Person, sounds: Mapping[str, str]) -> _Names:
    """Returns the better result of the names as typed and of first for last."""
    last = names.alike(left.last, right.last, sounds)
    if left.has_one_name or right.has_one_name:
        return _with_one_name(left, right, sounds)
    if left.newborn or right.newborn:
        return _with_newborn(left, right, last)
    first = _given(left, right, sounds)
    straight = _weighed(first, _FIRST, _FIRST_DIFFERS) + _weighed(last, _LAST, _LAST_DIFFERS)
    there, back = names.alike(left.first, right.last, sounds), names.alike(left.last, right.first, sounds)
    swapped = _EITHER * (there.share + back.share) + _SWAP
    if there.share and back.share and swapped > straight:
        reasons = (Reason.SWAPPED_NAMES, *_name_reasons(there, back))
        return _Names(there.share, back.share, _Finding(swapped, reasons, agrees=False))
    the_same = first.share == last.share == 1
    reasons = (Reason.SAME_NAME,) if the_same else _name_reasons(first, last)
    if first.share and not last.share:
        reasons = (*reasons, Reason.OTHER_LAST_NAME)
    return _Names(first.share, last.share, _Finding(straight, reasons, agrees=the_same))


def _with_one_name(left: Person, right: Person, sounds: Mapping[str, str]) -> _Names:
    """Compares a single name with the closest of the other's names, with the weight of a last name."""
    pairs = [(left.last, right.last), (left.last, right.first), (left.first, right.last)]
    closest = max((names.alike(one, other, sounds) for one, other in pairs if one and other), key=lambda name: name.share)
    the_same = closest.share == 1 and left.has_one_name == right.has_one_name
    reasons = (Reason.SAME_NAME,) if the_same else (Reason.PART_OF_NAME,) if closest.share == 1 else _name_reasons(closest)
    return _Names(closest.share, closest.share, _Finding(_weighed(closest, _LAST, _LAST_DIFFERS), reasons, agrees=the_same))


def _given(left: Person, right: Person, sounds: Mapping[str, str]) -> NameSimilarity:
    """Compares first names; one may also be the other's middle name, used as the given name."""
    first = names.alike(left.first, right.first, sounds, initials=True)
    if not first.share and (left.first == right.middle or right.first == left.middle):
        return NameSimilarity(names.MIDDLE_USED, Resemblance.PART)
    return first


def _with_newborn(left: Person, right: Person, last: NameSimilarity) -> _Names:
    """A provisional name says who the mother is and which child it was, not the child's name."""
    bits, reasons = _weighed(last, _LAST, _LAST_DIFFERS), _name_reasons(last)
    if left.newborn is None or right.newborn is None:
        return _Names(0, last.share, _Finding(bits, reasons, agrees=False), newborn=True)
    if left.newborn.is_not(right.newborn):
        return _Names(0, last.share, _Finding(bits + _FIRST_DIFFERS, reasons, agrees=False), siblings=True)
    the_same = left.first == right.first and last.share == 1
    return _Names(1, last.share, _Finding(bits + 1, (Reason.SAME_NAME,) if the_same else reasons, agrees=the_same))


def _weighed(name: NameSimilarity, most: float, differs: float) -> float:
    return most * name.share if name.share else differs


_REASON_OF = {
    Resemblance.MISSPELT: Reason.MISSPELT_NAME,
    Resemblance.SOUND: Reason.SOUNDS_ALIKE,
    Resemblance.PART: Reason.PART_OF_NAME,
}


def _name_reasons(*similarities: NameSimilarity) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(_REASON_OF[name.resemblance] for name in similarities if name.resemblance))


def _middle(left: Person, right: Person) -> _Finding:
    if not left.middle or not right.middle:
        return _Finding(agrees=left.middle == right.middle)
    if left.middle == right.middle:
        return _Finding(2.0)
    initial = names.is_initial("".join(left.middle), "".join(right.middle))
    return _Finding(1.0 if initial else -1.0, agrees=False)


# Birth and gender


def _births(left: Person, right: Person) -> _Finding:
    """Compares whole dates as such. If one is known only to the month or year, the periods must overlap, and weigh less."""
    if left.precision == right.precision == Precision.DAY:
        return _born(left.date_of_birth, right.date_of_birth)
    apart = abs(left.date_of_birth.year - right.date_of_birth.year)
    if Precision.ESTIMATED in (left.precision, right.precision):
        return _Finding(_YEARS_CLOSE if apart <= _ESTIMATED_WITHIN else _BORN_ELSE, agrees=False)
    months = {left.date_of_birth.month, right.date_of_birth.month}
    if apart or (Precision.YEAR not in (left.precision, right.precision) and len(months) > 1):
        return _Finding(_BORN_PARTLY if not apart else _BORN_ELSE, agrees=False)
    same = left.precision == right.precision
    bits = _SAME_YEAR if Precision.YEAR in (left.precision, right.precision) else _SAME_MONTH
    return _Finding(bits, (Reason.SAME_BIRTH,) if same else (), agrees=same)


def _born(left: date, right: date) -> _Finding:
    if left == right:
        return _Finding(_BORN, (Reason.SAME_BIRTH,))
    if (left.month, left.day) == (right.day, right.month) and left.year == right.year:
        return _Finding(_FLIPPED, (Reason.BIRTH_FLIPPED,), agrees=False)
    if dates.one_slip(f"{left:%Y%m%d}", f"{right:%Y%m%d}"):
        return _Finding(_DIGIT, (Reason.BIRTH_ONE_DIGIT,), agrees=False)
    if abs(left.year - right.year) in (1, 10) and (left.month, left.day) == (right.month, right.day):
        return _Finding(_YEAR, (Reason.BIRTH_YEAR_OFF,), agrees=False)
    parts = (left.year == right.year) + (left.month == right.month) + (left.day == right.day)
    return _Finding(_BORN_PARTLY if parts == 2 else _BORN_ELSE, agrees=False)


def _birth_in_doubt(born: _Finding, left: Person, right: Person, name_match: _Names, contact: _Finding) -> _Finding:
    """Reduces the weight of another date of birth if the name and a telephone, e-mail or policy agree.

    Births are estimated, and 1 January is entered if the day or the year is unknown. Families share telephones, so the weight
    stays full between people with different names, and between those who may be parent and child: `_GENERATION` apart.
    """
    if born.bits >= _BORN_PARTLY or not _PERSONAL & set(contact.reasons) or left.newborn or right.newborn:
        return born
    near = abs((left.date_of_birth - right.date_of_birth).days) < _GENERATION
    placeholder = any((day.month, day.day) == (1, 1) for day in (left.date_of_birth, right.date_of_birth))
    if name_match.first == name_match.last == 1 and near:
        return _Finding(_BORN_IN_DOUBT, agrees=False)
    if name_match.first == name_match.last == 1 and placeholder:
        return _Finding(_PLACEHOLDER_FAR, agrees=False)
    if name_match.first and name_match.last and near and placeholder:
        return _Finding(_PLACEHOLDER_MISSPELT, agrees=False)
    return born


def shared_values(person: Person) -> list[str]:
    """Returns the values under whose locks a person is compared and written.

    Two people who may be one have a value in common: the telephone's last digits, the e-mail, the policy, or for births that
    `near_days` connects the day of the month, the year and month, or the year and the digits of month and day. Few others do.
    """
    born, tail = person.date_of_birth, contacts.phone_tail(person.phone_e164 or person.phone)
    blocks = [f"day {born.day}", f"month {born:%Y-%m}", f"digits {born.year} {''.join(sorted(f'{born:%m%d}'))}"]
    shared = {"phone": tail, "email": person.email.upper(), "policy": person.policy.upper()}
    blocks += [f"{kind} {value}" for kind, value in shared.items() if value]
    return blocks


def _gender(left: Person, right: Person) -> _Finding:
    if {left.gender, right.gender} == {"male", "female"}:
        return _Finding(-4.0, (Reason.OTHER_GENDER,), agrees=False)
    return _Finding(1.0 if left.gender == right.gender in ("male", "female") else 0.0, agrees=left.gender == right.gender)


# What a household shares.


def _contact(left: Person, right: Person) -> _Finding:
    """Compares telephone, e-mail, policy and address. A household may share each of them."""
    verdicts = {reason: same(left, right) for reason, (_, same) in _SHARED.items()}
    agreeing = tuple(reason for reason, verdict in verdicts.items() if verdict)
    differing = sum(verdict is False for verdict in verdicts.values())
    bits = max(-float(differing), _CONTACT_LEAST)
    if agreeing:
        bits += min(max(_SHARED[reason][0] for reason in agreeing) + len(agreeing) - 1, _HOUSEHOLD_MOST)
    return _Finding(bits, agreeing, agrees=not differing)


def _same_phone(left: Person, right: Person) -> bool | None:
    if left.phone_e164 and right.phone_e164:
        return left.phone_e164 == right.phone_e164
    one, other = contacts.phone_tail(left.phone), contacts.phone_tail(right.phone)
    if one and other:
        return one == other
    return None


def _same_email(left: Person, right: Person) -> bool | None:
    return _same(left.email.casefold().strip(), right.email.casefold().strip())


def _same_policy(left: Person, right: Person) -> bool | None:
    return _same("".join(rules.words(left.policy)), "".join(rules.words(right.policy)))


def _same_address(left: Person, right: Person) -> bool | None:
    if left.zip and right.zip and left.zip[:5] != right.zip[:5] and left.street and right.street:
        return False
    return _same(contacts.street(left.street), contacts.street(right.street))


def _same(one: str, other: str) -> bool | None:
    """Returns None if one of them is not known."""
    return one == other if one and other else None


_SHARED: dict[Reason, tuple[float, Callable[[Person, Person], bool | None]]] = {
    Reason.SAME_PHONE: (6.0, _same_phone),
    Reason.SAME_EMAIL: (6.0, _same_email),
    Reason.SAME_POLICY: (6.0, _same_policy),
    Reason.SAME_ADDRESS: (4.0, _same_address),
}
_PERSONAL = frozenset({Reason.SAME_PHONE, Reason.SAME_EMAIL, Reason.SAME_POLICY})
