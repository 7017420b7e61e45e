"""The statements that find candidates for one person, each an index scan with its own limit, and the sound of names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models.expressions import RawSQL

from apps.patients.chart import dates
from apps.patients.matching.contacts import phone_tail
from apps.patients.matching.scoring import Person

_NAME_MAX = 100  # characters, as the columns have; levenshtein() takes 255


@dataclass(frozen=True)
class Block:
    """A statement that returns the `seq` of candidates."""

    sql: str
    values: tuple[object, ...]


def union(blocks: Sequence[Block]) -> RawSQL:
    """Returns the candidates of all blocks, as the right side of `seq__in`."""
    text = " UNION ".join(f"({block.sql})" for block in blocks)
    return RawSQL(text, [value for block in blocks for value in block.values])  # noqa: S611  # bound


# The closest names, as typed or swapped, are fetched first: on a day that thousands share, no near one is missed.
_DAYS = """
SELECT p.seq FROM patients_patient p WHERE p.date_of_birth = ANY(%s) AND p.merged_into_id IS NULL
ORDER BY least(levenshtein(lower(p.first_name), %s) + levenshtein(lower(p.last_name), %s),
               levenshtein(lower(p.first_name), %s) + levenshtein(lower(p.last_name), %s))
         + CASE WHEN p.date_of_birth = %s THEN 0 ELSE 2 END, p.seq DESC
LIMIT 60
"""


def days(person: Person) -> Block:
    """Returns those who were born that day, or on one that a typing error makes of it."""
    first, last = person.first_name.lower()[:_NAME_MAX], person.last_name.lower()[:_NAME_MAX]
    born = person.date_of_birth
    return Block(_DAYS, (dates.near_days(born), first, last, last, first, born))


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


def contacts(person: Person) -> list[Block]:
    """Returns those with the same telephone number, e-mail or policy."""
    first, last = person.first_name.lower()[:_NAME_MAX], person.last_name.lower()[:_NAME_MAX]
    blocks: list[tuple[str, tuple[object, ...]]] = []
    if tail := phone_tail(person.phone_e164 or person.phone):
        blocks.append((_PHONE, (f"-{tail[::-1]}", f"-{tail[::-1]}~")))
    if person.email:
        blocks.append((_EMAIL, (person.email,)))
    if person.policy:
        blocks.append((_POLICY, (person.policy,)))
    return [Block(_CLOSEST.format(seqs=sql), (*values, first, last, last, first)) for sql, values in blocks]


_BOTH_NAMES = """
SELECT w.seq FROM unnest(%s::text[]) AS near (word)
CROSS JOIN LATERAL (SELECT s.seq FROM patients_searchword s WHERE s.word = near.word ORDER BY s.seq DESC LIMIT 300) w
WHERE (SELECT true FROM patients_searchword e WHERE e.seq = w.seq AND e.word = ANY(%s::text[]) LIMIT 1) LIMIT 40
"""


def names(first: Sequence[str], last: Sequence[str]) -> list[Block]:
    """Returns those who have one of the first and one of the last names, in either order: complete if one of the two is not very
    common."""
    return [Block(_BOTH_NAMES, (first, last)), Block(_BOTH_NAMES, (last, first))]


def sounds(words: Iterable[str]) -> dict[str, str]:
    """Returns how the words sound (double metaphone)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT word, dmetaphone(word) FROM unnest(%s::text[]) AS word", [sorted(words)])
        return dict(cursor.fetchall())
