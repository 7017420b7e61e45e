"""Finding people by what somebody typed: a page of matches and how many there are, at the cost of the words' rarity.

The words are looked up first, in an order the index has; patients are fetched last, by key. The planner is left nothing to guess:
each statement walks stretches of one index (`words`), no further than the page and the 10,000 that are counted. What is common
is known beforehand and not even counted (`vocabulary`). Matches come in the order of the matching word, so that whoever is
called exactly what was typed comes first, and under each word the newest first.

Where nothing matches, each word may also be one that is written or sounds nearly like it; the closest come first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Any

from django.db import connection

from apps.common import clock
from apps.patients import rules, vocabulary, words
from apps.patients.rules import Query
from apps.patients.words import Stretch

COUNTED_UP_TO = vocabulary.COMMON
_LOOKED_AT = 12_000  # index rows behind a count: a patient may match one word twice
_RARE = 3_000  # index rows of a word; more are common, whoever they are

_STATUS = {"active": "s.is_active", "inactive": "NOT s.is_active"}

Group = tuple[str, ...]
Near = tuple[Stretch, int]  # with the distance of those in it


@dataclass(frozen=True)
class Found:
    """The `seq` of a page's patients in order, the number of matches (counted up to 10,000), and whether words were bent."""

    seqs: list[int]
    total: int
    is_estimate: bool = False
    fuzzy: bool = False


NOBODY = Found(seqs=[], total=0)


def _counted(seqs: list[int], count: int, *, cut: bool = False) -> Found:
    cut = cut or count > COUNTED_UP_TO
    return Found(seqs, COUNTED_UP_TO if cut else count, is_estimate=cut)


@dataclass(frozen=True)
class Page:
    """Which of the matches are asked for: those of a status, but for the hidden ones, from `offset` on."""

    status: str
    offset: int
    limit: int
    hidden: tuple[int, ...]


@dataclass
class _Statement:
    """A statement in the making: each value is bound under a name of its own."""

    page: Page
    values: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"

    def within(self, prefixes: Sequence[str], word: str) -> str:
        """The condition that `word` begins with one of the prefixes."""
        ranges = [f"({word} >= {self.bind(prefix)} AND {word} < {self.bind(prefix + words.END)})" for prefix in prefixes]
        return "(" + " OR ".join(ranges) + ")"

    def scan(self, prefixes: Sequence[str]) -> str:
        """All index rows of a group of prefixes."""
        return " UNION ALL ".join(
            f"SELECT word, seq FROM patients_searchword WHERE {self.within([prefix], 'word')}" for prefix in prefixes
        )

    def probe(self, prefixes: Sequence[str], seq: str) -> str:
        """The condition that this patient has such a word: a scalar subquery, which the planner cannot turn into a join."""
        return f"AND (SELECT true FROM patients_searchword e WHERE e.seq = {seq} AND {self.within(prefixes, 'e.word')} LIMIT 1)"

    def shown(self, seq: str) -> str:
        """The condition that the patient stands on the list that was asked for; nothing for everybody."""
        hidden = f"AND {seq} <> ALL({self.bind(list(self.page.hidden))})" if self.page.hidden else ""
        status = self.page.status
        return hidden + (f" AND (SELECT {_STATUS[status]} FROM patients_patient s WHERE s.seq = {seq})" if status else "")

    @property
    def window(self) -> str:
        return f"OFFSET {self.bind(self.page.offset)} LIMIT {self.bind(self.page.limit)}"

    @property
    def reach(self) -> str:
        """How many rows there are up to the end of the page."""
        return self.bind(self.page.offset + self.page.limit)

    def rows(self, sql: str) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(sql, self.values)
            return cursor.fetchall()

    def found_among(self, hits: str, unless: str = "false") -> Found | None:
        """A page and the count of index rows, where a patient counts once, at the first of his; None where `unless` is true."""
        page = f"SELECT seq FROM hits GROUP BY seq ORDER BY min(word), seq DESC {self.window}"
        ((void, seqs, count, looked_at),) = self.rows(
            f"""WITH hits AS MATERIALIZED ({hits} LIMIT {_LOOKED_AT})
            SELECT void, CASE WHEN NOT void THEN ARRAY({page}) END,
                   CASE WHEN NOT void THEN (SELECT count(DISTINCT seq) FROM hits) END,
                   CASE WHEN NOT void THEN (SELECT count(*) FROM hits) END
            FROM (SELECT {unless} AS void OFFSET 0) first"""
        )
        return None if void else _counted(seqs, count, cut=looked_at == _LOOKED_AT)

    def found(self, people: str, order: str) -> Found:
        """A page and the count of a CTE called `people`."""
        page = f"SELECT seq FROM people ORDER BY {order} {self.window}"
        ((seqs, count),) = self.rows(f"{people} SELECT ARRAY({page}), (SELECT count(*) FROM people)")
        return _counted(seqs, count)


def find(text: str, *, status: str = "", offset: int = 0, limit: int = 20, hidden: Sequence[int] = ()) -> Found:
    """A page of those whom every word of the text fits; nearly fits, where it fits nobody.

    `status` is active, inactive, or empty for everybody. `hidden` are the `seq` of patients who are neither shown nor counted.
    """
    query = rules.read_query(text, clock.today())
    if query.is_empty:
        return NOBODY
    page = Page(status, offset, limit, tuple(hidden))
    found = _exactly(query, page)
    return found if found.total else _nearly(query, page)


def _exactly(query: Query, page: Page) -> Found:
    groups = words.needed(query.words)
    if query.born:
        return _born(query, groups, page)
    if len(groups) == 1:
        return _one_word(groups[0], page)
    names = [group[-1] for group in groups]
    stretch = words.together(*names[:2])
    if stretch is None or any(len(group) > 2 or not group[-1][0].isalnum() for group in groups):
        return _many_words(groups, page)
    return _names(groups, stretch, page)


# --- Stretches of the index, in its order ---

# For each prefix the patients of the page and how many there are: whoever has several such words is taken at the first of them.
# What is common, less what was removed since, is not counted, unless a status is asked for.
_ALONG = """
SELECT ARRAY(SELECT w.seq FROM patients_searchword w
             WHERE w.word >= asked.low AND w.word < asked.low || '~' AND w.shared < length(asked.low) {shown}
             ORDER BY w.word, w.seq DESC {window}),
       CASE WHEN {any} AND (
           SELECT c.least - (SELECT count(*) FROM patients_removedword r WHERE r.word >= asked.low AND r.word < asked.low || '~')
           FROM patients_commonprefix c WHERE c.prefix = asked.low) > {beyond}
       THEN {enough} ELSE (
           SELECT count(*) FROM (
               SELECT 1 FROM patients_searchword w
               WHERE w.word >= asked.low AND w.word < asked.low || '~' AND w.shared < length(asked.low) {shown}
               ORDER BY w.word, w.seq DESC LIMIT {enough}) counted)
       END
FROM unnest({prefixes}::text[]) WITH ORDINALITY AS asked (low, n) ORDER BY n
"""


def _along(prefixes: Sequence[str], page: Page) -> list[tuple[list[int], int]]:
    """For each prefix, the page's patients and the number of all, which is not counted beyond 10,001."""
    make = _Statement(page)
    return make.rows(
        _ALONG.format(
            shown=make.shown("w.seq"),
            window=make.window,
            any="false" if page.status else "true",
            beyond=COUNTED_UP_TO + len(page.hidden),
            enough=COUNTED_UP_TO + 1,
            prefixes=make.bind(list(prefixes)),
        )
    )


def _one_word(prefixes: Group, page: Page) -> Found:
    """The word may stand for several things (a telephone number, its end, an MRN), but nearly always does for one."""
    prefixes = tuple(sorted(prefixes))
    fitting = [(seqs, count) for seqs, count in _along(prefixes, page) if count]
    if not fitting:
        return NOBODY
    if len(fitting) == 1:
        return _counted(*fitting[0])
    first, reached = fitting[0]
    if reached >= page.offset + page.limit and max(count for _, count in fitting) > COUNTED_UP_TO:
        return _counted(first, COUNTED_UP_TO, cut=True)
    if page.offset == 0 and all(len(seqs) == count for seqs, count in fitting):
        people = list(dict.fromkeys(chain.from_iterable(seqs for seqs, _ in fitting)))
        return Found(people[: page.limit], len(people))
    return _several_things(prefixes, page)


def _several_things(prefixes: Group, page: Page) -> Found:
    """Each range walked in its order, no further than the page; each patient is shown at the first word that matches."""
    make = _Statement(page)
    ranges = " UNION ALL ".join(
        f"""(SELECT w.word, w.seq FROM patients_searchword w WHERE {make.within([prefix], "w.word")}
             AND w.word = (SELECT min(e.word) FROM patients_searchword e
                           WHERE e.seq = w.seq AND {make.within(prefixes, "e.word")})
             {make.shown("w.seq")} ORDER BY w.word, w.seq DESC LIMIT {make.reach})"""
        for prefix in prefixes
    )
    shown = f"SELECT seq FROM ({ranges}) w ORDER BY word, seq DESC {make.window}"
    counted = f"""
        SELECT count(DISTINCT seq), count(*) FROM
        (SELECT w.seq FROM ({make.scan(prefixes)}) w WHERE true {make.shown("w.seq")} LIMIT {_LOOKED_AT}) looked_at"""
    ((seqs, distinct, looked_at),) = make.rows(f"SELECT ARRAY({shown}), c.* FROM ({counted}) c")
    return _counted(seqs, distinct, cut=looked_at == _LOOKED_AT)


def _names(groups: Sequence[Group], stretch: Stretch, page: Page) -> Found:
    """Two names lead, as one stretch; further words are probed for each who stands in it.

    A word of letters may begin an MRN too, which is in no stretch of names; it hardly ever does, so it is only made sure of.
    """
    numbers = [group[0] for group in groups[:2] if len(group) > 1]
    if stretch.like == "%" and len(groups) == 2:
        along, *rest = _along([stretch.low, *numbers], page)
        return _many_words(groups, page) if any(count for _, count in rest) else _counted(*along)
    make = _Statement(page)
    probes = " ".join(make.probe(group, "w.seq") for group in groups[2:])
    hits = f"""SELECT w.seq, w.word FROM patients_searchword w
        WHERE {make.within([stretch.low], "w.word")} AND w.word LIKE {make.bind(stretch.like)} {probes} {make.shown("w.seq")}
        ORDER BY w.word, w.seq DESC"""
    first = [f"(SELECT word FROM ({make.scan([number])}) n ORDER BY word LIMIT 1)" for number in numbers]
    return make.found_among(hits, unless=f"coalesce({', '.join([*first, 'NULL'])}) IS NOT NULL") or _many_words(groups, page)


# --- Words of any kind ---


def _many_words(groups: Sequence[Group], page: Page) -> Found:
    """The rarest word leads, of common ones the longest. The others are probed for each of its patients in their order."""
    counts = _capped_counts(groups, page)
    if 0 in counts:
        return NOBODY
    leader, *others = [groups[place] for place in sorted(range(len(groups)), key=counts.__getitem__)]
    make = _Statement(page)
    probes = " ".join(make.probe(prefixes, "w.seq") for prefixes in others)
    hits = f"""SELECT w.seq, w.word FROM ({make.scan(leader)}) w WHERE true {probes} {make.shown("w.seq")}
        ORDER BY w.word, w.seq DESC"""
    return make.found_among(hits) or NOBODY


def _capped_counts(groups: Sequence[Group], page: Page) -> list[int]:
    make = _Statement(page)
    counts = [
        f"(SELECT count(*) FROM (SELECT 1 FROM ({make.scan(prefixes)}) w LIMIT {_RARE + 1}) c{n})"
        for n, prefixes in enumerate(groups)
    ]
    return list(make.rows(f"SELECT {', '.join(counts)}")[0])


def _born(query: Query, groups: Sequence[Group], page: Page) -> Found:
    """The few who were born on the day lead; their words are probed."""
    make = _Statement(page)
    tests = " ".join(make.probe(prefixes, "d.seq") for prefixes in groups)
    people = f"WITH {_days(make, query)}, people AS (SELECT d.seq FROM days d WHERE true {tests})"
    return make.found(people, "seq DESC")


def _days(make: _Statement, query: Query) -> str:
    """A CTE of those on the list who were born on one of the days."""
    return f"""days AS MATERIALIZED (
        SELECT p.seq FROM patients_patient p WHERE p.date_of_birth = ANY({make.bind(list(query.born))})
        AND p.merged_into_id IS NULL {make.shown("p.seq")})"""


# --- Nearly ---


def _nearly(query: Query, page: Page) -> Found:
    """As before, with each word of letters bent to the words of the vocabulary that are close to it."""
    near = [[(word, 0), *_whole(close)] for word, close in zip(query.spoken, vocabulary.near_words(query.spoken), strict=True)]
    if all(len(bent) == 1 for bent in near):
        return NOBODY
    near.sort(key=lambda bent: -len(bent[0][0]))
    if query.born:
        found = _nearly_born(query, near, page)
    elif len(near) == 1:
        found = _nearly_one(near[0][1:], page)  # who has a word that begins like it was asked for before
    else:
        found = _nearly_many(near, page)
    return Found(found.seqs, found.total, found.is_estimate, fuzzy=found.total > 0)


def _whole(close: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Near words are meant as they are, not as beginnings."""
    return ((f"{word} ", cost) for word, cost in close.items())


def _alone(bent: Iterable[tuple[str, int]]) -> Iterator[Near]:
    return ((words.beginning(word), cost) for word, cost in bent)


_HITS = """
SELECT w.seq, near.cost FROM unnest({lows}::text[], {highs}::text[], {likes}::text[], {costs}::int[], {most}::int[])
    AS near (low, high, likeness, cost, most)
CROSS JOIN LATERAL (
    SELECT w.seq FROM patients_searchword w
    WHERE w.word >= near.low AND w.word < near.high AND w.word LIKE near.likeness {shown}
    ORDER BY w.word, w.seq DESC LIMIT near.most) w
"""


def _hits(make: _Statement, near: Sequence[Near], reach: int = _LOOKED_AT) -> str:
    """Who stands in these stretches, with the distance; of one word the newest, no more than `reach`."""
    return _HITS.format(
        lows=make.bind([stretch.low for stretch, _ in near]),
        highs=make.bind([stretch.high for stretch, _ in near]),
        likes=make.bind([stretch.like for stretch, _ in near]),
        costs=make.bind([cost for _, cost in near]),
        most=make.bind([reach if stretch.whole else _LOOKED_AT for stretch, _ in near]),
        shown=make.shown("w.seq"),
    )


def _nearly_one(close: Sequence[tuple[str, int]], page: Page) -> Found:
    """Of each near word as many as the page may need; all are counted."""
    make = _Statement(page)
    best = f"SELECT seq, min(cost) AS cost FROM ({_hits(make, list(_alone(close)), page.offset + page.limit)}) h GROUP BY seq"
    looked_at = f"""SELECT w.seq FROM patients_searchword w
        WHERE w.word = ANY({make.bind([word.rstrip() for word, _ in close])}) {make.shown("w.seq")} LIMIT {_LOOKED_AT}"""
    ((seqs, count),) = make.rows(
        f"""SELECT ARRAY(SELECT seq FROM ({best}) b ORDER BY cost, seq DESC {make.window}),
               CASE WHEN (SELECT count(*) FROM ({looked_at}) h) = {_LOOKED_AT} THEN {_LOOKED_AT}
               ELSE (SELECT count(DISTINCT seq) FROM ({looked_at}) h) END"""
    )
    return _counted(seqs, count)


def _nearly_many(near: Sequence[Sequence[tuple[str, int]]], page: Page) -> Found:
    """The two longest words lead, in every way they may be meant; what the others cost is looked up for each who has those."""
    make = _Statement(page)
    pairs = [(words.together(one, other), cost + more) for (one, cost), (other, more) in product(*near[:2])]
    lead = _hits(make, [(stretch, cost) for stretch, cost in pairs if stretch])
    return make.found(
        f"""WITH hits AS MATERIALIZED (SELECT seq, min(cost) AS cost FROM ({lead}) h GROUP BY seq),
        people AS ({_priced(make, "hits", "h.cost", near[2:])})""",
        "cost, seq DESC",
    )


def _nearly_born(query: Query, near: Sequence[Sequence[tuple[str, int]]], page: Page) -> Found:
    make = _Statement(page)
    return make.found(f"WITH {_days(make, query)}, people AS ({_priced(make, 'days', '0', near)})", "cost, seq DESC")


def _priced(make: _Statement, source: str, cost: str, near: Sequence[Sequence[tuple[str, int]]]) -> str:
    """Those of a CTE who have, for each of the words, one that is near, with the sum of the distances."""
    prices = [f"({_price(make, list(_alone(bent)))})" for bent in near]
    total = " + ".join([cost, *(f"price{n}" for n in range(len(prices)))])
    joins = " ".join(f"CROSS JOIN LATERAL {price} AS p{n} (price{n})" for n, price in enumerate(prices))
    return f"SELECT seq, cost FROM (SELECT h.seq, {total} AS cost FROM {source} h {joins}) priced WHERE cost IS NOT NULL"


def _price(make: _Statement, near: Sequence[Near]) -> str:
    """How far the patient's closest word is from what was asked; NULL if none is near."""
    lows, highs, costs = ([stretch.low for stretch, _ in near], [stretch.high for stretch, _ in near], [cost for _, cost in near])
    return f"""SELECT min(n.cost) FROM patients_searchword e
        JOIN unnest({make.bind(lows)}::text[], {make.bind(highs)}::text[], {make.bind(costs)}::int[]) AS n (low, high, cost)
        ON e.word >= n.low AND e.word < n.high WHERE e.seq = h.seq"""
