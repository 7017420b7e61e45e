"""Which recorded patients may be the described person: candidates from the indexes, scored by `scoring`.

Candidates come in blocks, each an index scan with its own limit, so that the cost does not grow with the list:

    days    born that day, or on one that a typing error makes of it; the closest names first
    phone   the last seven digits; mail and policy: the same, case aside; the closest names first
    names   both names spelt or sounding similar, whatever the birth (`thorough`: searches the vocabulary)

One statement finds and fetches them, one returns how their names sound; `thorough` needs a third, before, for the near words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from apps.common import locks
from apps.common.locks import LockName
from apps.patients.chart import dates
from apps.patients.matching import contacts, scoring
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
_NAME_MAX = 100  # characters, as the columns have; levenshtein() takes 255


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


@dataclass(frozen=True)
class _Block:
    """A statement that returns the `seq` of candidates."""

    sql: str
    values: tuple[object, ...]


def likely(person: Person, among: QuerySet[Patient], *, at_least: float, thorough: bool = False) -> list[Match]:
    """Returns the best ten of `among` with a score of `at_least`, the most likely first and of equals the newest."""
    matches = alike(person, list(_candidates(person, among, thorough)), at_least=at_least)
    return sorted(matches, key=lambda match: (-match.score, -match.patient.seq))[:SHOWN]


def alike(person: Person, rows: Sequence[Patient], *, at_least: float) -> list[Match]:
    """Returns the rows with a score of `at_least`."""
    people = {row.pk: person_of(row) for row in rows}
    sounds = _sounds([person, *people.values()]) if rows else {}
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
    blocks = [_days(person), *_contacts(person), *(_names(person) if thorough else ())]
    union = " UNION ".join(f"({block.sql})" for block in blocks)
    return among.filter(seq__in=RawSQL(union, [value for block in blocks for value in block.values]))  # noqa: S611  # bound


def _days(person: Person) -> _Block:
    first, last = person.first_name.lower()[:_NAME_MAX], person.last_name.lower()[:_NAME_MAX]
    born = person.date_of_birth
    return _Block(_DAYS, (dates.near_days(born), first, last, last, first, born))


# The closest names, as typed or swapped, are fetched first: on a day that thousands share, no near one is missed.
_DAYS = """
SELECT p.seq FROM patients_patient p WHERE p.date_of_birth = ANY(%s) AND p.merged_into_id IS NULL
ORDER BY least(levenshtein(lower(p.first_name), %s) + levenshtein(lower(p.last_name), %s),
               levenshtein(lower(p.first_name), %s) + levenshtein(lower(p.last_name), %s))
         + CASE WHEN p.date_of_birth = %s THEN 0 ELSE 2 END, p.seq DESC
LIMIT 60
"""


def _contacts(person: Person) -> list[_Block]:
    first, last = person.first_name.lower()[:_NAME_MAX], person.last_name.lower()[:_NAME_MAX]
    blocks: list[tuple[str, tuple[object, ...]]] = []
    if tail := contacts.phone_tail(person.phone_e164 or person.phone):
        blocks.append((_PHONE, (f"-{tail[::-1]}", f"-{tail[::-1]}~")))
    if person.email:
        blocks.append((_EMAIL, (person.email,)))
    if person.policy:
        blocks.append((_POLICY, (person.policy,)))
    return [_Block(_CLOSEST.format(seqs=sql), (*values, first, last, last, first)) for sql, values in blocks]


# A clinic, a school or "none@example.com" may occur in hundreds of records: those with the closest names are fetched first.
_CLOSEST = """
SELECT p.seq FROM patients_patient p WHERE p.merged_into_id IS NULL AND p.seq = ANY(ARRAY({seqs} LIMIT 1000))
ORDER BY least(levenshtein(lower(p.first_name), %s) + levenshtein(lower(p.last_name), %s),
               levenshtein(lower(p.first_name), %s) + levenshtein(lower(p.last_name), %s)), p.seq DESC
LIMIT 40
"""
_PHONE = "SELECT w.seq FROM patients_searchword w WHERE w.word >= %s AND w.word < %s"
_EMAIL = "SELECT e.seq FROM patients_patient e WHERE upper(e.email) = upper(%s) AND e.email <> ''"
_POLICY = """
SELECT i.seq FROM patients_patient i
WHERE upper(i.insurance_policy_number) = upper(%s) AND i.insurance_policy_number <> ''
"""


def _names(person: Person) -> list[_Block]:
    """Returns those whose names are both near, from the first and from the last name: complete if one of the two is not very
    common."""
    names = ["".join(person.first or person.last), "".join(person.last)]  # a single name is searched as both
    first, last = ([word, *near] for word, near in zip(names, vocabulary.near_words(names), strict=True))
    return [_Block(_BOTH_NAMES, (first, last)), _Block(_BOTH_NAMES, (last, first))]


_BOTH_NAMES = """
SELECT w.seq FROM unnest(%s::text[]) AS near (word)
CROSS JOIN LATERAL (SELECT s.seq FROM patients_searchword s WHERE s.word = near.word ORDER BY s.seq DESC LIMIT 300) w
WHERE (SELECT true FROM patients_searchword e WHERE e.seq = w.seq AND e.word = ANY(%s::text[]) LIMIT 1) LIMIT 40
"""


def _sounds(people: Iterable[Person]) -> dict[str, str]:
    """Returns how the names sound."""
    words = sorted(set().union(*(person.name_words for person in people)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT word, dmetaphone(word) FROM unnest(%s::text[]) AS word", [words])
        return dict(cursor.fetchall())
