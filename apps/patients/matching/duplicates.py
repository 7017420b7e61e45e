"""Which recorded patients may be the described person: candidates from the indexes, scored by `scoring`.

Candidates come in blocks, each an index scan with its own limit, so that the cost does not grow with the list:

    days    born that day, or on one that a typing error makes of it; the closest names first
    phone   the last seven digits; mail and policy: the same, case aside; the closest names first
    names   both names spelt or sounding similar, whatever the birth (`thorough`: searches the vocabulary)

One statement finds and fetches them, one returns how their names sound; `thorough` needs a third, before, for the near words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from apps.common import locks
from apps.common.locks import LockName
from apps.patients.matching import scoring, sql
from apps.patients.matching.scoring import Person, Reason
from apps.patients.models import Patient
from apps.patients.search import vocabulary

SHOWN = 10
COMPARED = frozenset(
    {
        "first_name",
        "middle_name",
        "last_name",
        "date_of_birth",
        "date_of_birth_precision",
        "gender",
        "phone",
        "email",
        "street",
        "zip",
        "insurance_policy_number",
    }
)  # the compared columns


@dataclass(frozen=True)
class Match:
    """A recorded patient who may be the person, how likely, and why."""

    patient: Patient
    score: float
    reasons: tuple[Reason, ...]

    @property
    def percent(self) -> int:
        return round(self.score * 100)

    @property
    def reasons_in_words(self) -> list[str]:
        return [scoring.IN_WORDS[reason] for reason in self.reasons]


def likely(person: Person, among: QuerySet[Patient], *, at_least: float, thorough: bool = False) -> list[Match]:
    """Returns the best ten of `among` with a score of `at_least`, the most likely first and of equals the newest."""
    matches = alike(person, list(_candidates(person, among, thorough)), at_least=at_least)
    return sorted(matches, key=lambda match: (-match.score, -match.patient.seq))[:SHOWN]


def alike(person: Person, rows: Sequence[Patient], *, at_least: float) -> list[Match]:
    """Returns the rows with a score of `at_least`."""
    people = {row.pk: person_of(row) for row in rows}
    sounds = sql.sounds(_name_words([person, *people.values()])) if rows else {}
    scored = [(row, scoring.compare(person, people[row.pk], sounds)) for row in rows]
    return [Match(row, likeness.score, likeness.reasons) for row, likeness in scored if likeness.score >= at_least]


def person_of(row: Patient) -> Person:
    """Returns the patient in the form that is compared."""
    return Person(
        first_name=row.first_name,
        middle_name=row.middle_name,
        last_name=row.last_name,
        date_of_birth=row.date_of_birth,
        precision=row.date_of_birth_precision,
        gender=row.gender,
        phone=row.phone,
        phone_e164=row.phone_e164,
        email=row.email,
        street=row.street,
        zip=row.zip,
        policy=row.insurance_policy_number,
    )


def lock_likely_records(person: Person) -> None:
    """Waits for all concurrent writers of a record that may be this person's, and blocks them until the transaction ends.

    If two users register one person at the same moment, the second then sees the first one's record. Locks are taken in order,
    after those of patients' rows, so no deadlock occurs.
    """
    locks.lock_all(LockName.LIKELY_DUPLICATES, scoring.shared_values(person))


def _candidates(person: Person, among: QuerySet[Patient], thorough: bool) -> QuerySet[Patient]:
    blocks = [sql.days(person), *sql.contacts(person)]
    if thorough:
        names = ["".join(person.first or person.last), "".join(person.last)]  # a single name is searched as both
        first, last = ([word, *near] for word, near in zip(names, vocabulary.near_words(names), strict=True))
        blocks += sql.names(first, last)
    return among.filter(seq__in=sql.union(blocks))


def _name_words(people: Iterable[Person]) -> set[str]:
    return set().union(*(person.name_words for person in people))
