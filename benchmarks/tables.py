"""How patients are stored, searched and counted: all that this package knows of the tables of `apps.patients`.

Columns come from the models. The statements are the floors': what a program of a few lines would send for the same answer.
"""

# ruff: noqa: S608 (table and column names of our own models)

import hashlib
import json
from pathlib import Path
from typing import Any

from django.db import models
from django.db.models import expressions

from apps.patients import migrations, rules, selectors
from apps.patients.models import Patient, SearchWord
from benchmarks import people
from benchmarks.people import Person

COUNTED_UP_TO = 10_000
SEQUENCES = {"first_seq": "patient_seq", "first_mrn": "patient_mrn_seq"}

PATIENTS = Patient._meta.db_table
WORDS = SearchWord._meta.db_table
WORD_COLUMNS = ("word", "seq")


def _text(value: Any) -> str:
    if value is None or isinstance(value, expressions.DatabaseDefault):
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def columns(model: type[models.Model]) -> dict[str, str]:
    """Each column of a model with its default, as COPY reads it."""
    return {field.column: _text(field.get_default()) for field in model._meta.concrete_fields if field.column}


PATIENT_COLUMNS = columns(Patient)


def patient_line(person: Person) -> str:
    """A patient as a line of COPY. The generator writes no tab and no backslash."""
    return "\t".join([_text(person.get(name, default)) for name, default in PATIENT_COLUMNS.items()]) + "\n"


def word_lines(person: Person) -> str:
    """The words to find a patient by, from the rule the services use, as lines of COPY."""
    found = rules.search_words(
        names=[person["first_name"] or "", person["middle_name"] or "", person["last_name"] or ""],
        mrn=person["mrn"] or "",
        phones=[person["phone"] or "", person["phone_e164"] or ""],
    )
    return "".join([f"{word}\t{person['seq']}\n" for word in found])


def fingerprint() -> str:
    """Changes when what would be loaded changes: the generator, the tables, or the rule of the words."""
    said = [str(people.VERSION), *(word_lines(person) for person in people.sample(1_000, 5, first_seq=1, first_mrn=1))]
    said += [path.read_text() for path in sorted(Path(migrations.__path__[0]).glob("*.py"))]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


# --- The floors' statements. `%s` are given in the order of the query string; each answers one JSON text. ---

_LISTED = ", ".join(f"p.{name}" for name in selectors.LIST_COLUMNS)
_PAGE = "SELECT json_build_object('patients', coalesce(json_agg(t), '[]'), 'total', %s)::text FROM (%s) t"


def _page(total: str, rows: str) -> str:
    return _PAGE % (total, rows)


LIST = _page(
    "(SELECT rows FROM bench.tally)",
    f"SELECT {_LISTED} FROM {PATIENTS} p ORDER BY p.seq DESC LIMIT 20",
)
BEFORE = _page(  # a page by its key: what a deep page costs whoever knows where it begins
    "(SELECT rows FROM bench.tally)",
    f"SELECT {_LISTED} FROM {PATIENTS} p WHERE p.seq <= %s::bigint ORDER BY p.seq DESC LIMIT 20",
)
DETAIL = f"SELECT row_to_json(p)::text FROM {PATIENTS} p WHERE p.id = %s::uuid"

_HITS = f"SELECT w.seq FROM {WORDS} w WHERE w.word >= %s AND w.word < %s"
_ALSO = f"EXISTS (SELECT 1 FROM {WORDS} v WHERE v.seq = {{seq}} AND v.word >= %s AND v.word < %s)"
_CAPPED = f"(SELECT count(*) FROM (SELECT DISTINCT seq FROM ({{hits}}) h LIMIT {COUNTED_UP_TO + 1}) c)"
_NEWEST = (
    f"SELECT {_LISTED} FROM {PATIENTS} p JOIN (SELECT DISTINCT seq FROM ({{hits}}) h ORDER BY seq DESC LIMIT 20) n USING (seq) "
    "ORDER BY seq DESC"
)
_WALK = f"SELECT {_LISTED} FROM {PATIENTS} p WHERE {{tests}} ORDER BY p.seq DESC LIMIT 20"
_BOTH = f"{_HITS} AND {_ALSO.format(seq='w.seq')}"

# Two ways to the same answer, of which each term gets the cheaper: gather the hits and sort them, or walk the newest patients.
SEARCH = {
    1: {
        "gather": _page(_CAPPED.format(hits=_HITS), _NEWEST.format(hits=_HITS)),
        "walk": _page(_CAPPED.format(hits=_HITS), _WALK.format(tests=_ALSO.format(seq="p.seq"))),
    },
    2: {
        "gather": _page(_CAPPED.format(hits=_BOTH), _NEWEST.format(hits=_BOTH)),
        "walk": _page(_CAPPED.format(hits=_BOTH), _WALK.format(tests=" AND ".join([_ALSO.format(seq="p.seq")] * 2))),
    },
}


def ranges(term: str) -> list[tuple[str, str]]:
    """The ranges of words that a search term means, one for each of its words, as the floor is asked for them."""
    found = []
    for prefixes in rules.read_query(term, people.TODAY).words:
        folded = [prefix for prefix in prefixes if ":" not in prefix]
        chosen = prefixes[0] if any(letter.isdigit() for letter in prefixes[0]) else (folded or prefixes)[0]
        found.append((chosen, chosen[:-1] + chr(ord(chosen[-1]) + 1)))
    return found


# --- The exact total and its upkeep. ---

TOTAL = f"SELECT count(*) FROM {PATIENTS}"
"""How HIMS reads the exact total of its list."""
TALLY_TRIGGERS = f"SELECT tgname FROM pg_trigger WHERE tgrelid = '{PATIENTS}'::regclass AND NOT tgisinternal"
"""What a write to the patients pays for that total."""


def _insert() -> str:
    """One more patient, whoever sends it and however often."""
    known = {name: f"'{default}'" for name, default in PATIENT_COLUMNS.items() if default != r"\N"}
    known |= {"id": "gen_random_uuid()", "created_at": "now()", "updated_at": "now()"}
    known |= {"mrn": "'B' || nextval('patient_mrn_seq')", "first_name": "'Load'", "last_name": "'Test'"}
    known |= {"date_of_birth": "'1980-05-15'", "gender": "'other'"}
    return f"INSERT INTO {PATIENTS} ({', '.join(known)}) VALUES ({', '.join(known.values())})"


INSERT = _insert()
