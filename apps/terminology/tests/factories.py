"""A small real part of the April 2026 release: diabetes, hypertension, headache, a fracture and the odd ones."""

import gzip
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

from django.db import connection

from apps.terminology import services
from apps.terminology.icd10.release_files import CodeEntry, Release
from apps.terminology.models import IcdCode, IcdRelease, IcdWord

APRIL = Release("2026-04", date(2026, 4, 1), "a slice of simple-icd-10-cm 1.5.0")
OCTOBER = Release("2026-10", date(2026, 10, 1), "made up")


def entries() -> list[CodeEntry]:
    """The slice, as the reader gives it."""
    packed = Path(__file__).with_name("slice.json.gz").read_bytes()
    return [CodeEntry(*row, tuple(terms)) for *row, terms in json.loads(gzip.decompress(packed))]


def load() -> IcdRelease | None:
    """The slice in the table."""
    return services.load(release=APRIL, entries=entries())


def restore() -> None:
    """Writes the rows that `load` writes, in a quarter of the time: the first call of the process loads and keeps them."""
    if IcdRelease.objects.exists():
        return
    with connection.cursor() as cursor:
        if not _loaded_rows:
            load()
            for model in (IcdRelease, IcdCode, IcdWord):
                with cursor.copy(f"COPY {model._meta.db_table} TO STDOUT") as rows:
                    _loaded_rows[model._meta.db_table] = b"".join(rows)
            return
        for table, content in _loaded_rows.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(content)


_loaded_rows: dict[str, bytes] = {}


def load_october() -> IcdRelease | None:
    """A release that renames E11.9, divides I10, withdraws R51.9 and brings E11.A1."""
    by_code = {entry.code: entry for entry in entries() if entry.code != "R51.9"}
    by_code["E11.9"] = replace(by_code["E11.9"], display="Type 2 diabetes mellitus, uncomplicated")
    by_code["I10"] = replace(by_code["I10"], billable=False)
    by_code["E11.A1"] = replace(by_code["E11.9"], code="E11.A1", display="Type 2 diabetes mellitus of a new kind")
    return services.load(release=OCTOBER, entries=[*by_code.values()])
