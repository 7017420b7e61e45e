"""Handwritten SQL is in modules named sql (docs/decisions/0007), and advisory locks are taken in one module, each under a name.

`sql_ceilings.json` has the number of calls of each app that send handwritten SQL. It must equal the count: the test fails if the
count rises, and if it falls and the ceiling does not. `python -m hims.tests.test_sql_sites` writes the counts as the new ceilings
and refuses to raise one.
"""

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CEILINGS = Path(__file__).with_name("sql_ceilings.json")
LOCKS = "apps/common/locks.py"
LOCKING = re.compile(r"pg_(?:try_)?advisory|hashtext")
# Modules whose one job is to send SQL that is not an app's: decision 7 says why.
KIT = {
    "apps/audit/database_role/grants.py",
    "apps/common/locks.py",
    "apps/common/prepared.py",
    "apps/common/row_counters/operation.py",
    "hims/launch/postgres.py",
    "hims/roles.py",
}
SENDING = {"RawSQL", "execute", "executemany", "raw"}
CONNECTIONS = {"connection", "prepared", "schema_editor.connection"}  # what a cursor is opened on


def code() -> Iterator[Path]:
    """The modules of the project without tests and migrations."""
    for folder in ("apps", "hims"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"tests", "migrations"} & set(path.parts):
                yield path


def sites(source: str) -> list[int]:
    """The lines of Python code that send handwritten SQL, or open a cursor to do so."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return sorted(call.lineno for call in calls if _sends_sql(call))


def _sends_sql(call: ast.Call) -> bool:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    owner = ast.unparse(function.value) if isinstance(function, ast.Attribute) else ""
    return name in SENDING or (name == "cursor" and owner in CONNECTIONS) or (name == "copy" and owner.endswith("cursor"))


def in_its_place(path: Path) -> bool:
    return path.name == "sql.py" or str(path.relative_to(ROOT)) in KIT


def counts() -> dict[str, int]:
    """The calls of each app that send handwritten SQL, those of its `sql.py` included."""
    number: Counter[str] = Counter()
    for path in code():
        parts = path.relative_to(ROOT).parts
        number[parts[1] if parts[0] == "apps" else parts[0]] += len(sites(path.read_text()))
    return dict(sorted((+number).items()))


def test_handwritten_sql_is_in_modules_named_sql() -> None:
    misplaced = [
        f"{path.relative_to(ROOT)}:{line}" for path in code() if not in_its_place(path) for line in sites(path.read_text())
    ]
    assert not misplaced, "Move these statements to sql.py, or let the ORM say them:\n" + "\n".join(misplaced)


def test_no_module_keeps_an_exception_that_it_does_not_need() -> None:
    assert {name for name in KIT if sites((ROOT / name).read_text())} == KIT


def test_apps_send_ever_fewer_handwritten_statements() -> None:
    ceilings, now = json.loads(CEILINGS.read_text()), counts()
    risen = {name: (ceilings.get(name, 0), number) for name, number in now.items() if number > ceilings.get(name, 0)}
    assert not risen, f"more handwritten SQL than before (ceiling, count); decision 7 names its uses: {risen}"
    assert ceilings == now, "fewer than the ceilings: run python -m hims.tests.test_sql_sites"


def test_advisory_locks_are_taken_only_in_the_module_that_names_them() -> None:
    taken = {str(path.relative_to(ROOT)) for path in code() if LOCKING.search(path.read_text())}
    assert taken == {LOCKS}


def test_each_way_of_sending_sql_is_seen() -> None:
    source = """
with connection.cursor() as cursor:
    cursor.execute(statement)
    cursor.executemany(statement, rows)
    with cursor.copy(statement) as copy: ...
rows = Patient.objects.raw(statement)
rows = Patient.objects.filter(seq__in=RawSQL(statement, []))
with prepared.cursor() as cursor: ...
"""
    assert sites(source) == [2, 3, 4, 5, 6, 7, 8]


def test_what_sends_no_sql_is_not_counted() -> None:
    assert sites("posted = request.POST.copy()\nposition = page.cursor\nother = copy.copy(fact)\nread(cursor(window))") == []


if __name__ == "__main__":
    old, new = json.loads(CEILINGS.read_text()) if CEILINGS.exists() else {}, counts()
    if old and any(number > old.get(name, 0) for name, number in new.items()):
        sys.exit("A count has risen. Let the ORM say it, or name the use in decision 7; the ceilings only fall.")
    CEILINGS.write_text(json.dumps(new, indent=1) + "\n")
    print(CEILINGS.read_text())
