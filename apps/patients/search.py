"""Finding people by what somebody typed: a page of matches and how many there are, at the cost of the words' rarity.

The words are looked up first, in an order the index has; patients are fetched last, by key. The planner is left nothing to guess:
what it would weigh (how rare is this word?) is counted before, capped. Matches come in the order of the matching word, so
that whoever is called exactly what was typed comes first, and under each word the newest first.

Where nothing matches, each word may also be one that is written or sounds nearly like it (`NameWord`); the closest come first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from apps.common import clock
from apps.patients import rules
from apps.patients.rules import Query

COUNTED_UP_TO = 10_000
_LOOKED_AT = 12_000  # index rows behind a count: a patient may match one word twice
_RARE = 3_000  # below it, the other words are looked up for each match; above, all are fetched and intersected
_NEAR_WORDS = 20
_END = "~"  # sorts behind everything a search word is made of

_STATUS = {"": "", "active": "AND p.is_active", "inactive": "AND NOT p.is_active"}


@dataclass(frozen=True)
class Found:
    """The `seq` of a page's patients in order, the number of matches (counted up to 10,000), and whether words were bent."""

    seqs: list[int]
    total: int
    is_estimate: bool = False
    fuzzy: bool = False


NOBODY = Found(seqs=[], total=0)


@dataclass
class _Statement:
    """A statement in the making: each value is bound under a name of its own."""

    values: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"

    def within(self, prefixes: Sequence[str], word: str) -> str:
        """The condition that `word` begins with one of the prefixes."""
        ranges = [f"({word} >= {self.bind(prefix)} AND {word} < {self.bind(prefix + _END)})" for prefix in prefixes]
        return "(" + " OR ".join(ranges) + ")"

    def scan(self, prefixes: Sequence[str]) -> str:
        """All index rows of a group of prefixes."""
        return " UNION ALL ".join(
            f"SELECT word, seq FROM patients_searchword WHERE {self.within([prefix], 'word')}" for prefix in prefixes
        )

    def probe(self, prefixes: Sequence[str], seq: str) -> str:
        """The condition that this patient has such a word: a scalar subquery, which the planner cannot turn into a join."""
        return f"(SELECT true FROM patients_searchword e WHERE e.seq = {seq} AND {self.within(prefixes, 'e.word')} LIMIT 1)"

    def has_status(self, status: str, seq: str) -> str:
        """The condition that the patient stands on the list of that status; nothing for everybody."""
        return f"AND (SELECT true FROM patients_patient p WHERE p.seq = {seq} {_STATUS[status]})" if status else ""

    def without(self, hidden: Sequence[int], seq: str) -> str:
        """The condition that the patient is none of those hidden from whoever asks; nothing where nobody is."""
        return f"AND {seq} <> ALL({self.bind(list(hidden))}::bigint[])" if hidden else ""

    def rows(self, sql: str) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(sql, self.values)
            return cursor.fetchall()


def find(text: str, *, status: str = "", offset: int = 0, limit: int = 20, hidden: Sequence[int] = ()) -> Found:
    """A page of those whom every word of the text fits; nearly fits, where it fits nobody.

    `status` is active, inactive, or empty for everybody. `hidden` are patients by `seq` who are left out of page and total.
    """
    query = rules.read_query(text, clock.today())
    if query.is_empty:
        return NOBODY
    found = _exactly(query, status, offset, limit, hidden)
    return found if found.total else _nearly(query, status, offset, limit, hidden)


def _exactly(query: Query, status: str, offset: int, limit: int, hidden: Sequence[int]) -> Found:
    if query.born:
        return _born(query, status, offset, limit, hidden)
    if len(query.words) == 1:
        return _one_word(query.words[0], status, offset, limit, hidden)
    return _many_words(query.words, status, offset, limit, hidden)


def _one_word(prefixes: Sequence[str], status: str, offset: int, limit: int, hidden: Sequence[int]) -> Found:
    """Each range walked in its order, no further than the page; each patient is shown at the first word that matches."""
    make = _Statement()
    ranges = " UNION ALL ".join(
        f"""(SELECT w.word, w.seq FROM patients_searchword w WHERE {make.within([prefix], "w.word")}
             AND w.word = (SELECT min(e.word) FROM patients_searchword e
                           WHERE e.seq = w.seq AND {make.within(prefixes, "e.word")})
             {make.has_status(status, "w.seq")} {make.without(hidden, "w.seq")}
             ORDER BY w.word, w.seq DESC LIMIT {make.bind(offset + limit)})"""
        for prefix in prefixes
    )
    page = f"SELECT seq FROM ({ranges}) w ORDER BY word, seq DESC OFFSET {make.bind(offset)} LIMIT {make.bind(limit)}"
    counted = f"""
        SELECT count(DISTINCT seq), count(*) FROM
        (SELECT w.seq FROM ({make.scan(prefixes)}) w
         WHERE true {make.has_status(status, "w.seq")} {make.without(hidden, "w.seq")}
         LIMIT {_LOOKED_AT}) looked_at"""
    ((seqs, distinct, looked_at),) = make.rows(f"SELECT ARRAY({page}), c.* FROM ({counted}) c")
    cut = looked_at == _LOOKED_AT or distinct > COUNTED_UP_TO
    return Found(seqs, COUNTED_UP_TO if cut else distinct, is_estimate=cut)


def _many_words(groups: Sequence[Sequence[str]], status: str, offset: int, limit: int, hidden: Sequence[int]) -> Found:
    """The rarest word leads. The others are probed for each of its patients, or intersected where even it is common."""
    counts = _capped_counts(groups)
    if 0 in counts:
        return NOBODY
    order = sorted(range(len(groups)), key=counts.__getitem__)
    leader, others = groups[order[0]], [groups[position] for position in order[1:]]
    make = _Statement()
    if counts[order[0]] <= _RARE:
        ahead, tests = "", " AND ".join(make.probe(prefixes, "w.seq") for prefixes in others)
    else:
        ahead = "".join(f"o{n} AS MATERIALIZED ({make.scan(prefixes)}), " for n, prefixes in enumerate(others))
        tests = " AND ".join(f"w.seq IN (SELECT seq FROM o{n})" for n in range(len(others)))
    people = f"""WITH {ahead} hits AS MATERIALIZED (
            SELECT w.seq, w.word FROM ({make.scan(leader)}) w WHERE {tests} {make.has_status(status, "w.seq")}
            {make.without(hidden, "w.seq")}),
        people AS (SELECT seq, min(word) AS word FROM hits GROUP BY seq)"""
    return _page_of(make, people, "word, seq DESC", offset, limit)


def _born(query: Query, status: str, offset: int, limit: int, hidden: Sequence[int]) -> Found:
    """The few who were born on the day lead; their words are probed."""
    make = _Statement()
    tests = " AND ".join(make.probe(prefixes, "d.seq") for prefixes in query.words) or "true"
    return _page_of(
        make,
        f"""WITH days AS MATERIALIZED (
            SELECT p.seq FROM patients_patient p WHERE p.date_of_birth = ANY({make.bind(list(query.born))})
            AND p.merged_into_id IS NULL {_STATUS[status]} {make.without(hidden, "p.seq")}),
        people AS (SELECT d.seq, '' AS word FROM days d WHERE {tests})""",
        "seq DESC",
        offset,
        limit,
    )


def _page_of(make: _Statement, people: str, order: str, offset: int, limit: int) -> Found:
    """A page and the count of a CTE called `people`."""
    page = f"SELECT seq FROM people ORDER BY {order} OFFSET {make.bind(offset)} LIMIT {make.bind(limit)}"
    ((seqs, count),) = make.rows(f"{people} SELECT ARRAY({page}), (SELECT count(*) FROM people)")
    cut = count > COUNTED_UP_TO
    return Found(seqs, COUNTED_UP_TO if cut else count, is_estimate=cut)


def _capped_counts(groups: Sequence[Sequence[str]]) -> list[int]:
    make = _Statement()
    counts = [
        f"(SELECT count(*) FROM (SELECT 1 FROM ({make.scan(prefixes)}) w LIMIT {_RARE + 1}) c{n})"
        for n, prefixes in enumerate(groups)
    ]
    return list(make.rows(f"SELECT {', '.join(counts)}")[0])


# Words of the vocabulary within two edits, and those that sound alike. Short words have too many neighbours at two edits.
_NEAR = """
SELECT asked.n, near.word
FROM unnest(%(words)s::text[]) WITH ORDINALITY AS asked (word, n)
CROSS JOIN LATERAL (
    SELECT v.word FROM patients_nameword v
    WHERE length(v.word) BETWEEN length(asked.word) - 2 AND length(asked.word) + 2
      AND levenshtein_less_equal(v.word, asked.word, 2) <= 2
    UNION
    SELECT v.word FROM patients_nameword v WHERE v.sound = dmetaphone(asked.word) AND v.sound <> ''
) near
"""


def near_words(asked: Sequence[str]) -> list[dict[str, int]]:
    """For each word, the closest words of the vocabulary with their distance (see `rules.distance`), at most twenty."""
    make = _Statement({"words": list(asked)})
    near: list[dict[str, int]] = [{} for _ in asked]
    for number, word in make.rows(_NEAR):
        near[number - 1][word] = rules.distance(asked[number - 1], word)
    return [dict(sorted(words.items(), key=lambda item: (item[1], item[0]))[:_NEAR_WORDS]) for words in near]


def _nearly(query: Query, status: str, offset: int, limit: int, hidden: Sequence[int]) -> Found:
    """As before, with each word of letters bent to the words of the vocabulary that are close to it."""
    if not query.spoken:
        return NOBODY
    make = _Statement()
    groups = [_bent(make, word, near) for word, near in zip(query.spoken, near_words(query.spoken), strict=True)]
    joins = " ".join(f"JOIN g{n} USING (seq)" for n in range(1, len(groups)))
    cost = " + ".join(f"g{n}.cost" for n in range(len(groups)))
    born = f"AND p.date_of_birth = ANY({make.bind(list(query.born))})" if query.born else ""
    test = (
        f"AND EXISTS (SELECT 1 FROM patients_patient p WHERE p.seq = g0.seq {_STATUS[status]} {born})" if status or born else ""
    )
    test = f"WHERE true {make.without(hidden, 'g0.seq')} {test}"
    ctes = ", ".join(f"g{n} AS MATERIALIZED ({group})" for n, group in enumerate(groups))
    found = _page_of(
        make, f"WITH {ctes}, people AS (SELECT seq, {cost} AS cost FROM g0 {joins} {test})", "cost, seq DESC", offset, limit
    )
    return Found(found.seqs, found.total, found.is_estimate, fuzzy=found.total > 0)


def _bent(make: _Statement, word: str, near: dict[str, int]) -> str:
    """Patients by their distance from one word: 0 for those who have it or begin with it."""
    words, costs = make.bind(list(near)), make.bind(list(near.values()))
    return f"""
        SELECT seq, min(cost) AS cost FROM (
            SELECT w.seq, 0 AS cost FROM ({make.scan([word])}) w
            UNION ALL
            SELECT w.seq, n.cost FROM unnest({words}::text[], {costs}::int[]) AS n (word, cost)
            JOIN patients_searchword w ON w.word = n.word
        ) either GROUP BY seq"""
