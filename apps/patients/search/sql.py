"""The statements of the search under construction, and their results: a page, the number of matches, a statement with its
values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from apps.common import prepared
from apps.patients.rules import Query
from apps.patients.search import search_terms, vocabulary

COUNTED_UP_TO = vocabulary.COMMON
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
