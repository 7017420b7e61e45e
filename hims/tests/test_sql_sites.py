"""Advisory locks are taken in one module, where each use has a name."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = ROOT / "apps" / "common" / "locks.py"
LOCKING = re.compile(r"pg_(?:try_)?advisory|hashtext")


def code() -> Iterator[Path]:
    """The modules of the project without tests and migrations."""
    for folder in ("apps", "hims"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"tests", "migrations"} & set(path.parts):
                yield path


def test_advisory_locks_are_taken_only_in_the_module_that_names_them() -> None:
    taken = {path for path in code() if LOCKING.search(path.read_text())}
    assert taken == {LOCKS}
