"""The statements of the search: under construction, with their values and results, and those of the vocabulary and the search
words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from apps.common import prepared
from apps.patients.rules import Query
from apps.patients.search import search_terms

COUNTED_UP_TO = 10_000  # patients; a search reports no larger number
LONGEST = 100  # letters of a word
_PREFIX_COUNTED = 15_000  # a common beginning is counted up to this: as many fewer may have it before it must be recounted
LOOKED_AT = 12_000  # index rows of a count: a patient may match one word twice

_STATUS = {"active": "s.is_active", "inactive": "NOT s.is_active"}

Group = tuple[str, ...]


@dataclass(frozen=True)
class SearchResult:
    """The `seq` of a page's patients in order, the number of matches (counted up to 10,000), and whether near words were used."""

    seqs: list[int]
    total: int
    is_estimate: bool = False
    fuzzy: bool = False


NO_MATCHES = SearchResult(seqs=[], total=0)


def counted(seqs: list[int], count: int, *, cut: bool = False) -> SearchResult:
    cut = cut or count > COUNTED_UP_TO
    return SearchResult(seqs, COUNTED_UP_TO if cut else count, is_estimate=cut)


@dataclass(frozen=True)
class PageRequest:
    """The requested matches: those of a status, without the hidden ones, from `offset` on."""

    status: str
    offset: int
    limit: int
    hidden: tuple[int, ...]


@dataclass
class Statement:
    """A statement under construction: each value is bound under its own name."""

    page: PageRequest
    values: dict[str, Any] = field(default_factory=dict)
    left_out: str = ""  # a prefix: patients with such a word are not shown

    def bind(self, value: Any) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"

    def within(self, prefixes: Sequence[str], word: str) -> str:
        """Returns the condition that `word` begins with one of the prefixes."""
        ranges = [f"({word} >= {self.bind(prefix)} AND {word} < {self.bind(prefix + search_terms.END)})" for prefix in prefixes]
        return "(" + " OR ".join(ranges) + ")"

    def scan(self, prefixes: Sequence[str]) -> str:
        """Returns all index rows of a group of prefixes."""
        return " UNION ALL ".join(
            f"SELECT word, seq FROM patients_searchword WHERE {self.within([prefix], 'word')}" for prefix in prefixes
        )

    def probe(self, prefixes: Sequence[str], seq: str) -> str:
        """Returns the condition that this patient has such a word: a scalar subquery, which the planner cannot turn into a
        join."""
        return f"AND (SELECT true FROM patients_searchword e WHERE e.seq = {seq} AND {self.within(prefixes, 'e.word')} LIMIT 1)"

    def shown(self, seq: str) -> str:
        """Returns the condition that the patient is on the requested list; empty for all."""
        hidden = f"AND {seq} <> ALL({self.bind(list(self.page.hidden))})" if self.page.hidden else ""
        if self.left_out:
            hidden += (
                f" AND {seq} NOT IN (SELECT o.seq FROM patients_searchword o WHERE {self.within([self.left_out], 'o.word')})"
            )
        status = self.page.status
        return hidden + (f" AND (SELECT {_STATUS[status]} FROM patients_patient s WHERE s.seq = {seq})" if status else "")

    def leave_out(self, prefix: str) -> None:
        """Leaves out patients who have a word with this beginning."""
        self.left_out = prefix

    @property
    def window(self) -> str:
        """The limit is a number in the statement: PostgreSQL plans a limit that it does not know for a tenth of the table."""
        offset = f" OFFSET {self.bind(self.page.offset)}" if self.page.offset else ""
        return f"LIMIT {self.page.limit:d}{offset}"

    @property
    def reach(self) -> str:
        """Returns the number of rows up to the end of the page."""
        return self.bind(self.page.offset + self.page.limit)

    def rows(self, sql: str, *, is_prepared: bool = False) -> list[tuple[Any, ...]]:
        """Runs the statement. `is_prepared` is for one whose plan is the same for all values: it is planned once."""
        with prepared.cursor() if is_prepared else connection.cursor() as cursor:
            cursor.execute(sql, self.values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def found_among(self, hits: str, unless: str = "false") -> SearchResult | None:
        """Returns a page and the count of index rows, in which a patient counts once, at their first row; None if `unless` is
        true."""
        page = f"SELECT seq FROM hits GROUP BY seq ORDER BY min(word), seq DESC {self.window}"
        ((void, seqs, count, looked_at),) = self.rows(
            f"""WITH hits AS MATERIALIZED ({hits} LIMIT {LOOKED_AT})
            SELECT void, CASE WHEN NOT void THEN ARRAY({page}) END,
                   CASE WHEN NOT void THEN (SELECT count(DISTINCT seq) FROM hits) END,
                   CASE WHEN NOT void THEN (SELECT count(*) FROM hits) END
            FROM (SELECT {unless} AS void OFFSET 0) first"""
        )
        return None if void else counted(seqs, count, cut=looked_at == LOOKED_AT)

    def search_result(self, people: str, order: str) -> SearchResult:
        """Returns a page and the count of a CTE called `people`."""
        page = f"SELECT seq FROM people ORDER BY {order} {self.window}"
        ((seqs, count),) = self.rows(f"{people} SELECT ARRAY({page}), (SELECT count(*) FROM people)")
        return counted(seqs, count)


def days(sql: Statement, query: Query) -> str:
    """Returns a CTE of patients on the list who were born on one of the days."""
    return f"""days AS MATERIALIZED (
        SELECT p.seq FROM patients_patient p WHERE p.date_of_birth = ANY({sql.bind(list(query.born))})
        AND p.merged_into_id IS NULL {sql.shown("p.seq")})"""


# Words within two edits have a deletion in common (the idea is SymSpell's). A word that sounds alike but has
# hardly a letter in common is no near word (as in `names.alike`). Two neighbours swapped are one edit, levenshtein() says two.
_NEAR = """
SELECT {n}, word, min(cost) FROM (
    SELECT v.word, CASE WHEN strpos(%(swaps{n})s, ' ' || v.word || ' ') > 0 THEN 1
                        ELSE levenshtein(v.word, %(word{n})s) END AS cost
    FROM patients_nameword v
    WHERE patients_deletions(v.word) && patients_deletions(%(word{n})s) AND levenshtein_less_equal(v.word, %(word{n})s, 2) <= 2
    UNION ALL
    SELECT v.word, levenshtein(v.word, %(word{n})s) FROM patients_nameword v
    WHERE v.sound = dmetaphone(%(word{n})s) AND v.sound <> ''
      AND levenshtein(v.word, %(word{n})s) <= 0.6 * greatest(length(v.word), length(%(word{n})s))
) near GROUP BY word ORDER BY 3, 2 LIMIT {most}
"""


def near_words(count: int, values: Mapping[str, str], *, most: int) -> list[tuple[int, str, int]]:
    """Returns the number of the searched word, a close word of the vocabulary and their distance: at most `most` of each.

    `values` has for each number n the word as `word{n}` and what its swapped neighbours make, between blanks, as `swaps{n}`.
    """
    texts = [f"SELECT * FROM ({_NEAR.format(n=n, most=most)}) of{n}" for n in range(count)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(texts), values)
        return list(cursor.fetchall())


# A beginning grows by a letter as long as it is common; each is counted along the index, as far as necessary. All in one
# statement, which sees one moment: a word removed before it is not counted, one removed after it is in `removedword`.
NOTE_COMMON = f"""
WITH RECURSIVE letters AS (SELECT chr(code) AS letter FROM generate_series(32, 122) AS code WHERE chr(code) ~ '[a-z0-9 #+=^-]'),
grown (prefix, least) AS (
    SELECT '', 0::bigint
    UNION ALL
    SELECT next.prefix, next.least FROM grown CROSS JOIN letters CROSS JOIN LATERAL (
        SELECT grown.prefix || letter AS prefix, (
            SELECT count(*) FROM (
                SELECT 1 FROM patients_searchword w
                WHERE w.word >= grown.prefix || letter AND w.word < grown.prefix || letter || '~'
                  AND w.shared <= length(grown.prefix) ORDER BY w.word LIMIT {_PREFIX_COUNTED}) counted) AS least
        OFFSET 0) next
    WHERE next.least > {COUNTED_UP_TO} AND length(next.prefix) <= {LONGEST}),
common AS MATERIALIZED (SELECT * FROM grown WHERE prefix <> ''),
removed AS (DELETE FROM patients_removedword),
rare AS (DELETE FROM patients_commonprefix WHERE prefix NOT IN (SELECT prefix FROM common))
INSERT INTO patients_commonprefix (prefix, least) SELECT prefix, least FROM common
ON CONFLICT (prefix) DO UPDATE SET least = excluded.least
"""


def note_common() -> int:
    """Records which beginnings more than 10,000 patients have. Returns how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE_COMMON)
        return int(cursor.rowcount)


_REMOVED = """
DELETE FROM patients_searchword w USING unnest(%s::bigint[], %s::text[]) AS old (seq, word)
WHERE w.seq = old.seq AND w.word = old.word
"""


def remove_words(rows: Iterable[tuple[int, str]]) -> None:
    """Removes these words of patients, each given by the patient's `seq`."""
    seqs, words = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_REMOVED, [list(seqs), list(words)])


# In order, so that two registrations with the same new words wait for each other without a deadlock.
_VOCABULARY = """
INSERT INTO patients_nameword (word, sound) SELECT word, dmetaphone(word) FROM unnest(%s::text[]) AS word ORDER BY word
ON CONFLICT DO NOTHING
"""


def add_to_vocabulary(words: Iterable[str]) -> None:
    """Adds the words of names that the vocabulary does not have yet, with how they sound."""
    with connection.cursor() as cursor:
        cursor.execute(_VOCABULARY, [sorted(words)])
