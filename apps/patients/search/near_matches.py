"""Finds patients by names near the typed ones: nicknames, or words with a similar spelling or sound."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from apps.patients.rules import Query
from apps.patients.search import name_forms, search_terms, vocabulary
from apps.patients.search.search_terms import TermRange
from apps.patients.search.sql import COUNTED_UP_TO, LOOKED_AT, NO_MATCHES, PageRequest, SearchResult, Statement, counted, days

NearRange = tuple[TermRange, int]  # with the distance of those in it
Variants = list[tuple[str, int]]  # a word as it was typed, and whole words for it, each with its distance
_MOST_PAIRS = 200  # of two names and what else they may be called


def also_called(query: Query, result: SearchResult, page: PageRequest) -> SearchResult:
    """Returns the exact matches, and after them patients with a nickname of a name in the query, or the reverse.

    These count as exact. With more than 10,000 exact matches they are left out, because users do not read that far.
    """
    near = [] if result.is_estimate else _nicknames(query.spoken)
    if all(len(variants) == 1 for variants in near):
        return result
    rest = PageRequest(page.status, max(0, page.offset - result.total), page.limit - len(result.seqs), page.hidden)
    if query.born:
        more = _nearly_born(query, near, rest, least=1)
    elif len(near) == 1:
        more = _nearly_one(near[0][1:], rest, unless=near[0][0][0])
    else:
        more = _nearly_many(near, rest, least=1)
    total = result.total + more.total
    cut = more.is_estimate or total > COUNTED_UP_TO
    return SearchResult([*result.seqs, *more.seqs], COUNTED_UP_TO if cut else total, is_estimate=cut)


def _nicknames(spoken: Sequence[str]) -> list[Variants]:
    """Returns each word with its nicknames and what it is a nickname of, if a patient has that name."""
    called = [sorted(other for other in name_forms.also_called(word) if not other.startswith(word)) for word in spoken]
    several = len(spoken) > 1  # each pair of two of them costs an index scan, so only existing names are paired
    known = vocabulary.known(other for others in called for other in others) if several else set(called[0]) if called else set()
    near = [
        [(word, 0), *((f"{other} ", 1) for other in others if other in known)]
        for word, others in zip(spoken, called, strict=True)
    ]
    return sorted(near, key=lambda variants: -len(variants[0][0]))


def near_matches(query: Query, page: PageRequest) -> SearchResult:
    """Returns patients who have, for each word of letters, one of the vocabulary with a similar spelling or sound; closest
    first."""
    near = [[(word, 0), *_whole(close)] for word, close in zip(query.spoken, vocabulary.near_words(query.spoken), strict=True)]
    if all(len(variants) == 1 for variants in near):
        return NO_MATCHES
    near.sort(key=lambda variants: -len(variants[0][0]))
    if query.born:
        result = _nearly_born(query, near, page)
    elif len(near) == 1:
        result = _nearly_one(near[0][1:], page)  # patients with a word that begins like it were returned before
    else:
        result = _nearly_many(near, page)
    return SearchResult(result.seqs, result.total, result.is_estimate, fuzzy=result.total > 0)


def _whole(close: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Near words are matched as whole words, not as beginnings."""
    return ((f"{word} ", cost) for word, cost in close.items())


def _alone(variants: Iterable[tuple[str, int]]) -> Iterator[NearRange]:
    return ((search_terms.prefix_range(word), cost) for word, cost in variants)


_HITS = """
SELECT w.seq, near.cost FROM unnest({lows}::text[], {highs}::text[], {likes}::text[], {costs}::int[], {most}::int[])
    AS near (low, high, likeness, cost, most)
CROSS JOIN LATERAL (
    SELECT w.seq FROM patients_searchword w
    WHERE w.word >= near.low AND w.word < near.high AND w.word LIKE near.likeness {shown}
    ORDER BY w.word, w.seq DESC LIMIT near.most) w
"""


def _hits(sql: Statement, near: Sequence[NearRange], reach: int = LOOKED_AT) -> str:
    """Returns the patients in these ranges, with the distance; of one word the newest, no more than `reach`."""
    return _HITS.format(
        lows=sql.bind([term_range.low for term_range, _ in near]),
        highs=sql.bind([term_range.high for term_range, _ in near]),
        likes=sql.bind([term_range.like for term_range, _ in near]),
        costs=sql.bind([cost for _, cost in near]),
        most=sql.bind([reach if term_range.whole else LOOKED_AT for term_range, _ in near]),
        shown=sql.shown("w.seq"),
    )


def _nearly_one(close: Sequence[tuple[str, int]], page: PageRequest, unless: str = "") -> SearchResult:
    """Returns, of each near word, as many patients as the page may need; all are counted. Leaves out patients with a word that
    begins with `unless`."""
    sql = Statement(page)
    sql.leave_out(unless)
    best = f"SELECT seq, min(cost) AS cost FROM ({_hits(sql, list(_alone(close)), page.offset + page.limit)}) h GROUP BY seq"
    looked_at = f"""SELECT w.seq FROM patients_searchword w
        WHERE w.word = ANY({sql.bind([word.rstrip() for word, _ in close])}) {sql.shown("w.seq")} LIMIT {LOOKED_AT}"""
    ((seqs, count),) = sql.rows(
        f"""SELECT ARRAY(SELECT seq FROM ({best}) b ORDER BY cost, seq DESC {sql.window}),
               CASE WHEN (SELECT count(*) FROM ({looked_at}) h) = {LOOKED_AT} THEN {LOOKED_AT}
               ELSE (SELECT count(DISTINCT seq) FROM ({looked_at}) h) END"""
    )
    return counted(seqs, count)


def _nearly_many(near: Sequence[Sequence[tuple[str, int]]], page: PageRequest, least: int = 0) -> SearchResult:
    """The two longest words lead, in every reading; the cost of the others is looked up for each patient who has those.

    At a distance of `least` or more.
    """
    sql = Statement(page)
    pairings = sorted(product(*near[:2]), key=lambda pairing: pairing[0][1] + pairing[1][1])[:_MOST_PAIRS]
    pairs = [(search_terms.pair_range(one, other), cost + more) for (one, cost), (other, more) in pairings]
    lead = _hits(sql, [(term_range, cost) for term_range, cost in pairs if term_range])
    return sql.search_result(
        f"""WITH hits AS MATERIALIZED (SELECT seq, min(cost) AS cost FROM ({lead}) h GROUP BY seq),
        people AS ({_priced(sql, "hits", "h.cost", near[2:], least)})""",
        "cost, seq DESC",
    )


def _nearly_born(query: Query, near: Sequence[Sequence[tuple[str, int]]], page: PageRequest, least: int = 0) -> SearchResult:
    sql = Statement(page)
    return sql.search_result(f"WITH {days(sql, query)}, people AS ({_priced(sql, 'days', '0', near, least)})", "cost, seq DESC")


def _priced(sql: Statement, source: str, cost: str, near: Sequence[Sequence[tuple[str, int]]], least: int) -> str:
    """Returns the rows of a CTE that have, for each of the words, one that is near, with the sum of the distances."""
    prices = [f"({_price(sql, list(_alone(variants)))})" for variants in near]
    total = " + ".join([cost, *(f"price{n}" for n in range(len(prices)))])
    joins = " ".join(f"CROSS JOIN LATERAL {price} AS p{n} (price{n})" for n, price in enumerate(prices))
    return f"SELECT seq, cost FROM (SELECT h.seq, {total} AS cost FROM {source} h {joins}) priced WHERE cost >= {sql.bind(least)}"


def _price(sql: Statement, near: Sequence[NearRange]) -> str:
    """Returns the distance of the patient's closest word from the typed one; NULL if none is near."""
    lows, highs, costs = (
        [term_range.low for term_range, _ in near],
        [term_range.high for term_range, _ in near],
        [cost for _, cost in near],
    )
    return f"""SELECT min(n.cost) FROM patients_searchword e
        JOIN unnest({sql.bind(lows)}::text[], {sql.bind(highs)}::text[], {sql.bind(costs)}::int[]) AS n (low, high, cost)
        ON e.word >= n.low AND e.word < n.high WHERE e.seq = h.seq"""
