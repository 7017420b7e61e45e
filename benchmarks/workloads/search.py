"""Ten kinds of search terms, each next to the cheapest possible statement on the same tables of words."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import psycopg

from apps.patients import rules
from benchmarks import names, patient_tables, statements
from benchmarks.load import Loaded
from benchmarks.measure import Cost, Request, percentile
from benchmarks.outcome import Row, against, answered, at_most, grows
from benchmarks.stage import Stage
from benchmarks.workloads.reading import FIRST
from hims.launch.errors import CannotStart

TERMS = 8  # of each class
REPEATS = 15  # of each statement where SQL alone is timed
_COMMON = 60  # ranks that count as common

CLASSES = (
    *("1 letter", "2 letters", "common name", "rare surname", "exact MRN"),
    *("end of MRN", "no match", "two words", "john do", "adversarial"),
)


@dataclass(frozen=True)
class Timed:
    """The SQL of a class: half of its statements were done within p50 ms; `found` is the median total."""

    p50: float
    p95: float
    total: float


def terms(loaded: Loaded) -> Mapping[str, Sequence[str]]:
    """The terms of each class; those that name a patient name one who is there."""
    people = loaded.sample(TERMS * 40)
    common = {word for name in names.family()[:_COMMON] + names.given()[:_COMMON] for word in rules.words(name)}
    rare = [word for one in people for word in rules.words(one["last_name"] or "") if word not in common][:TERMS]
    some = people[:: len(people) // TERMS][:TERMS]
    full = [f"{rules.fold(one['first_name'] or '')} {rules.fold(one['last_name'] or '')[:3]}" for one in some]
    return {
        "1 letter": list("amsjkz"),
        "2 letters": ["ma", "jo", "sm", "ga", "li", "br", "zo"],
        "common name": ["john", "smith", "mary", "garcia", "jones", "robert"],
        "rare surname": rare,
        "exact MRN": [one["mrn"] or "" for one in some],
        "end of MRN": [(one["mrn"] or "")[-6:] for one in some],
        "no match": ["zzyzxq", "qqqqqq", "xwvutsr", "bczdfgh"],
        "two words": full,
        "john do": ["john do", "doe joh", "mary sm"],
        "adversarial": ["mrn00000", "mrn0000"],
    }


def run(stage: Stage) -> list[Row]:
    chosen = [name for name in CLASSES if not stage.options.classes or name in stage.options.classes]
    if not chosen:
        raise CannotStart(f"No such class of search terms; known are {', '.join(CLASSES)}.")
    search_terms, few = terms(stage.loaded), terms(stage.loaded_small)
    with psycopg.connect(stage.address, autocommit=True) as database:
        sql = {name: _sql(stage, database, search_terms[name]) for name in chosen}
    floors = {name: [_floor(term) for term in search_terms[name]] for name in chosen}
    rows = []
    for name in chosen:
        hims, small = stage.hims(_requests(search_terms[name])), stage.hims_small(_requests(few[name]))
        costs = stage.in_turn({"hims": hims, "floor": stage.bare(floors[name]), "small": small, "list": stage.hims([FIRST])})
        rows.append(_row(name, costs, sql[name]))
    worst = max(sql, key=lambda name: sql[name].p95)
    checks = [at_most("SQL p95 of the worst class", sql[worst].p95, 5, " ms")]
    return [*rows, Row(f"search, SQL alone ({worst})", checks=checks, notes=[_sql_note(sql)])]


def _row(name: str, costs: Mapping[str, Cost], sql: Timed) -> Row:
    growth = costs["hims"].total / costs["small"].total
    checks = [*answered(*costs.values()), against("the list of the same run", costs["hims"], costs["list"], 1.5)]
    checks.append(grows(growth, 1.2**2))  # a hundredth: 1.2 for each ten times as many
    return Row(f"search, {name}", costs["hims"], costs["floor"], growth, checks, [f"a term finds {sql.total:g} (median)."])


def _requests(search_terms: Sequence[str]) -> list[Request]:
    return [Request(f"/v1/patients?search={quote(term)}&page=1&limit=20") for term in search_terms]


def _sql(stage: Stage, database: psycopg.Connection, search_terms: Sequence[str]) -> Timed:
    """The statements that HIMS sends for these terms, each timed several times in turn."""
    answers = [statements.capture(request.path, stage.token) for request in _requests(search_terms)]
    took = [statements.timed(database, answer.work) for _ in range(REPEATS) for answer in answers]
    total = statistics.median(answer.data["data"]["pagination"]["total"] for answer in answers)
    return Timed(percentile(took, 50), percentile(took, 95), total)


def _floor(term: str) -> Request:
    """What the floor is asked for this term."""
    way, values = patient_tables.search_of(term)
    return Request(f"/{way}?{urlencode([('v', value) for value in values])}")


def _sql_note(sql: Mapping[str, Timed]) -> str:
    return (
        "SQL of a search, p50 / p95 ms: " + ", ".join(f"{name} {one.p50:.2f} / {one.p95:.2f}" for name, one in sql.items()) + "."
    )
