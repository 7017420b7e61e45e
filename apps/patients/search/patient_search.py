"""Finds patients by a typed text: a page of matches and their number, at a cost that depends on the rarity of the words.

The words are looked up first, in an order of the index; patients are fetched last, by key. No statement depends on planner
estimates: each scans ranges of one index (`search_terms`), no further than the page and the 10,000 that are counted. Common words
are known beforehand and not even counted (`vocabulary`). Matches come in the order of the matching word, so that patients with
exactly the typed name come first, and under each word the newest first.

If nothing matches, each word may also be one with a similar spelling or sound; the closest come first.
"""

from collections.abc import Sequence
from itertools import chain

from django.conf import settings

from apps.common import clock
from apps.patients import rules
from apps.patients.rules import Query
from apps.patients.search import near_matches, search_terms
from apps.patients.search.search_terms import TermRange
from apps.patients.search.sql import (
    COUNTED_UP_TO,
    LOOKED_AT,
    NO_MATCHES,
    Group,
    PageRequest,
    SearchResult,
    Statement,
    counted,
    days,
)

_RARE = 3_000  # index rows of a word; above that the word is common


def find(text: str, *, status: str = "", offset: int = 0, limit: int = 20, hidden: Sequence[int] = ()) -> SearchResult:
    """Returns a page of patients who match every word of the text; near matches if there are no others.

    A word matches as the beginning of a name, as a whole nickname of one, or as the name of a nickname; the beginnings come
    first. `status` is active, inactive, or empty for all. `hidden` are the `seq` of patients who are neither shown nor counted.
    """
    query = rules.read_query(text, clock.today(), settings.CLINIC_COUNTRY)
    if query.is_empty:
        return NO_MATCHES
    page = PageRequest(status, offset, limit, tuple(hidden))
    for reading in (*query.others[:1], query) if query.is_unspaced else (query, *query.others):
        result = near_matches.also_called(reading, _exactly(reading, page), page)
        if result.total:
            return result
    return near_matches.near_matches(query, page)


def _exactly(query: Query, page: PageRequest) -> SearchResult:
    groups = search_terms.needed(query.words)
    if query.born:
        return _born(query, groups, page)
    if len(groups) == 1:
        return _one_word(groups[0], page)
    names = [group[-1] for group in groups]
    term_range = search_terms.pair_range(*names[:2])
    if term_range is None or any(len(group) > 2 or not group[-1][0].isalnum() for group in groups):
        return _many_words(groups, page)
    return _names(groups, term_range, page)


# --- Ranges of the index, in its order ---

# For each prefix the patients of the page and the total: a patient with several such words is taken at the first of them.
# A common prefix, less the words removed since, is not counted, unless a status is requested.
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


def _along(prefixes: Sequence[str], page: PageRequest) -> list[tuple[list[int], int]]:
    """Returns for each prefix the page's patients and the total, which is not counted beyond 10,001."""
    sql = Statement(page)
    return sql.rows(
        _ALONG.format(
            shown=sql.shown("w.seq"),
            window=sql.window,
            any="false" if page.status else "true",
            beyond=COUNTED_UP_TO + len(page.hidden),
            enough=COUNTED_UP_TO + 1,
            prefixes=sql.bind(list(prefixes)),
        ),
        is_prepared=True,  # the ranges come from an array, so the planner never knew them; planning took longer than the search
    )


def _one_word(prefixes: Group, page: PageRequest) -> SearchResult:
    """The word may mean several things (a telephone number, its end, an MRN), but nearly always means one."""
    prefixes = tuple(sorted(prefixes))
    fitting = [(seqs, count) for seqs, count in _along(prefixes, page) if count]
    if not fitting:
        return NO_MATCHES
    if len(fitting) == 1:
        return counted(*fitting[0])
    first, reached = fitting[0]
    if reached >= page.offset + page.limit and max(count for _, count in fitting) > COUNTED_UP_TO:
        return counted(first, COUNTED_UP_TO, cut=True)
    if page.offset == 0 and all(len(seqs) == count for seqs, count in fitting):
        people = list(dict.fromkeys(chain.from_iterable(seqs for seqs, _ in fitting)))
        return SearchResult(people[: page.limit], len(people))
    return _several_things(prefixes, page)


def _several_things(prefixes: Group, page: PageRequest) -> SearchResult:
    """Scans each range in its order, no further than the page; each patient is shown at the first matching word."""
    sql = Statement(page)
    ranges = " UNION ALL ".join(
        f"""(SELECT w.word, w.seq FROM patients_searchword w WHERE {sql.within([prefix], "w.word")}
             AND w.word = (SELECT min(e.word) FROM patients_searchword e
                           WHERE e.seq = w.seq AND {sql.within(prefixes, "e.word")})
             {sql.shown("w.seq")} ORDER BY w.word, w.seq DESC LIMIT {sql.reach})"""
        for prefix in prefixes
    )
    shown = f"SELECT seq FROM ({ranges}) w ORDER BY word, seq DESC {sql.window}"
    totals = f"""
        SELECT count(DISTINCT seq), count(*) FROM
        (SELECT w.seq FROM ({sql.scan(prefixes)}) w WHERE true {sql.shown("w.seq")} LIMIT {LOOKED_AT}) looked_at"""
    ((seqs, distinct, looked_at),) = sql.rows(f"SELECT ARRAY({shown}), c.* FROM ({totals}) c")
    return counted(seqs, distinct, cut=looked_at == LOOKED_AT)


def _names(groups: Sequence[Group], term_range: TermRange, page: PageRequest) -> SearchResult:
    """Two names lead, as one range; further words are probed for each patient in it.

    A word of letters may begin an MRN too, which is in no range of names; that is rare, so it is only checked.
    """
    numbers = [group[0] for group in groups[:2] if len(group) > 1]
    if term_range.like == "%" and len(groups) == 2:
        along, *rest = _along([term_range.low, *numbers], page)
        return _many_words(groups, page) if any(count for _, count in rest) else counted(*along)
    sql = Statement(page)
    probes = " ".join(sql.probe(group, "w.seq") for group in groups[2:])
    hits = f"""SELECT w.seq, w.word FROM patients_searchword w
        WHERE {sql.within([term_range.low], "w.word")} AND w.word LIKE {sql.bind(term_range.like)} {probes} {sql.shown("w.seq")}
        ORDER BY w.word, w.seq DESC"""
    first = [f"(SELECT word FROM ({sql.scan([number])}) n ORDER BY word LIMIT 1)" for number in numbers]
    return sql.found_among(hits, unless=f"coalesce({', '.join([*first, 'NULL'])}) IS NOT NULL") or _many_words(groups, page)


# --- Words of any kind ---


def _many_words(groups: Sequence[Group], page: PageRequest) -> SearchResult:
    """The rarest word leads, of common ones the longest. The others are probed for each of its patients in order."""
    counts = _capped_counts(groups, page)
    if 0 in counts:
        return NO_MATCHES
    leader, *others = [groups[place] for place in sorted(range(len(groups)), key=counts.__getitem__)]
    sql = Statement(page)
    probes = " ".join(sql.probe(prefixes, "w.seq") for prefixes in others)
    hits = f"""SELECT w.seq, w.word FROM ({sql.scan(leader)}) w WHERE true {probes} {sql.shown("w.seq")}
        ORDER BY w.word, w.seq DESC"""
    return sql.found_among(hits) or NO_MATCHES


def _capped_counts(groups: Sequence[Group], page: PageRequest) -> list[int]:
    sql = Statement(page)
    counts = [
        f"(SELECT count(*) FROM (SELECT 1 FROM ({sql.scan(prefixes)}) w LIMIT {_RARE + 1}) c{n})"
        for n, prefixes in enumerate(groups)
    ]
    return list(sql.rows(f"SELECT {', '.join(counts)}")[0])


def _born(query: Query, groups: Sequence[Group], page: PageRequest) -> SearchResult:
    """The few patients born on the day lead; their words are probed. Those whose number the date may be are added."""
    sql = Statement(page)
    tests = " ".join(sql.probe(prefixes, "d.seq") for prefixes in groups)
    matches = f"SELECT d.seq FROM days d WHERE true {tests}"
    if query.numbers:
        matches += f" UNION (SELECT w.seq FROM ({sql.scan(query.numbers)}) w WHERE true {sql.shown('w.seq')} LIMIT {LOOKED_AT})"
    people = f"WITH {days(sql, query)}, people AS ({matches})"
    return sql.search_result(people, "seq DESC")
