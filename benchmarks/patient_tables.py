"""How patients are stored, searched and counted: all that this package knows of the tables of `apps.patients`.

Columns come from the models. The statements are the floors': what a program of a few lines would send for the same answer.
"""

# ruff: noqa: S608 (table and column names of our own models)

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.db import models
from django.db.models import expressions

from apps.patients import migrations, rules
from apps.patients.apps import ROW_COUNTER
from apps.patients.lists import patient_queries
from apps.patients.models import CommonPrefix, NameWord, Patient, SearchWord
from apps.patients.search import search_terms, sql, vocabulary
from benchmarks import people
from benchmarks.people import Person

SEQUENCES = {"first_seq": "patient_seq", "first_mrn": "patient_mrn_seq"}

PATIENTS = Patient._meta.db_table
WORDS = SearchWord._meta.db_table
VOCABULARY = NameWord._meta.db_table
COMMON = CommonPrefix._meta.db_table
WORD_COLUMNS = ("word", "shared", "seq")


def text(value: Any) -> str:
    if value is None or isinstance(value, expressions.DatabaseDefault):
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def columns(model: type[models.Model]) -> dict[str, str]:
    """Each column of a model with its default, as COPY reads it."""
    return {field.column: text(field.get_default()) for field in model._meta.concrete_fields if field.column}


PATIENT_COLUMNS = columns(Patient)


def patient_line(person: Person) -> str:
    """A patient as a line of COPY. The generator writes no tab and no backslash."""
    return "\t".join([text(person.get(name, default)) for name, default in PATIENT_COLUMNS.items()]) + "\n"


def word_lines(person: Person) -> str:
    """The words to find a patient by, from the rule the services use, as lines of COPY."""
    search_words = rules.search_words(
        names=[person["first_name"] or "", person["middle_name"] or "", person["last_name"] or ""],
        mrn=person["mrn"] or "",
        phones=rules.phone_forms(person["phone"] or "", person["phone_e164"] or ""),
    )
    return "".join([f"{word}\t{shared}\t{person['seq']}\n" for word, shared in search_terms.rows(search_words)])


def fingerprint() -> str:
    """Changes when what would be loaded changes: the generator, the tables, or the rule of the words."""
    parts = [str(people.VERSION), *(word_lines(person) for person in people.sample(1_000, 5, first_seq=1, first_mrn=1))]
    parts += [path.read_text() for path in sorted(Path(migrations.__path__[0]).glob("*.py"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


# --- The floors' statements. `%s` are given in the order of the query string; each answers one JSON text. ---

_LISTED = ", ".join(f"p.{name}" for name in patient_queries.LIST_COLUMNS)
_PAGE = "SELECT json_build_object('patients', coalesce(json_agg(t), '[]'), 'total', %s)::text FROM (%s) t"


def _page(total: str, rows: str) -> str:
    return _PAGE % (total, rows)


LIST = _page(
    "(SELECT rows FROM bench.row_count)",
    f"SELECT {_LISTED} FROM {PATIENTS} p ORDER BY p.seq DESC LIMIT 20",
)
BEFORE = _page(  # a page by its key: what a deep page costs if its start is known
    "(SELECT rows FROM bench.row_count)",
    f"SELECT {_LISTED} FROM {PATIENTS} p WHERE p.seq <= %s::bigint ORDER BY p.seq DESC LIMIT 20",
)
DETAIL = f"SELECT row_to_json(p)::text FROM {PATIENTS} p WHERE p.id = %s::uuid"

# A stretch of the index from the front. Of one word, each patient at the first that matches, and no count of what is common.
_RANGE = "w.word >= %s AND w.word < %s"
_FIRSTS = f"FROM {WORDS} w WHERE {_RANGE} AND w.shared < %s::int ORDER BY word, seq DESC"
_COUNT = f"SELECT count(*) FROM (SELECT 1 {_FIRSTS} LIMIT {vocabulary.COMMON + 1}) c"
_ONE_TOTAL = f"CASE WHEN EXISTS (SELECT FROM {COMMON} WHERE prefix = %s) THEN {vocabulary.COMMON} ELSE ({_COUNT}) END"
_PAIRS = f"SELECT w.seq, min(w.word) AS word FROM {WORDS} w WHERE {_RANGE} AND w.word LIKE %s GROUP BY w.seq"
_IN_ORDER = (
    f"SELECT {_LISTED} FROM (SELECT seq, word {{hits}} ORDER BY word, seq DESC LIMIT 20) n JOIN {PATIENTS} p USING (seq) "
    "ORDER BY n.word, n.seq DESC"
)

SEARCH = {
    "one": _page(_ONE_TOTAL, _IN_ORDER.format(hits=f"FROM (SELECT word, seq {_FIRSTS} LIMIT 20) h")),
    "pair": f"WITH people AS MATERIALIZED ({_PAIRS}) "
    + _page("(SELECT count(*) FROM people)", _IN_ORDER.format(hits="FROM people")),
}


def search_of(term: str) -> tuple[str, list[str]]:
    """The statement that answers this search term, and its values."""
    words_meant = [_meant(prefixes, term) for prefixes in rules.read_query(term, people.TODAY).words]
    stretch = search_terms.pair_range(*words_meant) if len(words_meant) == 2 else search_terms.prefix_range(*words_meant)
    assert stretch is not None
    if stretch.like != "%" or len(words_meant) == 2:
        return "pair", [stretch.low, stretch.high, stretch.like]
    within = [stretch.low, stretch.high, str(len(stretch.low))]
    return "one", [stretch.low, *within, *within]


def _meant(prefixes: Sequence[str], term: str) -> str:
    """What a word is taken for: a name, or the MRN that its digits begin."""
    named = [prefix for prefix in prefixes if prefix[0] not in _MARKS]
    return (named if term.replace(" ", "").isalpha() else prefixes)[0]


_MARKS = "#+-"

# --- The exact total and its upkeep. ---

# As the doctor of the benchmark sees it: the sandbox has one restricted chart.
_SHOWN = " WHERE merged_into_id IS NULL AND NOT restricted" if "merged_into_id" in PATIENT_COLUMNS else ""
LISTED = f"SELECT count(*) FROM {PATIENTS}{_SHOWN}"


def total_among(sent: Sequence[str]) -> str | None:
    """The statement that reads the list's exact total, in its last column, among those that HIMS sends for a page of the list."""
    return next((text for text in sent if "patients_rowcounter" in text), None)


COMPACT = ROW_COUNTER.compact_sql
"""What a worker does every ten seconds: adds the rows of the total together."""
AFTER_LOADING = (
    f"INSERT INTO {VOCABULARY} (word, sound) SELECT word, dmetaphone(word) FROM {WORDS} WHERE word ~ '^[a-z]+$' GROUP BY word "
    "ON CONFLICT DO NOTHING",
    COMPACT,
)
NOTE_COMMON = sql.NOTE_COMMON
"""What a worker does every hour: notes which beginnings need not be counted."""
ROW_COUNTER_TRIGGERS = f"SELECT tgname FROM pg_trigger WHERE tgrelid = '{PATIENTS}'::regclass AND NOT tgisinternal"
"""What a write to the patients pays for that total."""


def _insert() -> str:
    """Returns SQL that inserts one more patient; it can be repeated."""
    known = {name: f"'{default}'" for name, default in PATIENT_COLUMNS.items() if default != r"\N"}
    known |= {"id": "gen_random_uuid()", "created_at": "now()", "updated_at": "now()"}
    known |= {"mrn": "'B' || nextval('patient_mrn_seq')", "first_name": "'Load'", "last_name": "'Test'"}
    known |= {"date_of_birth": "'1980-05-15'", "gender": "'other'"}
    return f"INSERT INTO {PATIENTS} ({', '.join(known)}) VALUES ({', '.join(known.values())})"


INSERT = _insert()
