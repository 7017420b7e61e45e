"""The report: one line for each row that was not imported, with the reason and the whole row."""

import csv
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from apps.interop.synthea.reader import Row

COLUMNS = ("file", "line", "id", "patient", "reason", "row")


class Report:
    """Collects rows; the file appears complete when the import ends."""

    def __init__(self, file: TextIO) -> None:
        self._sink = csv.writer(file)
        self._sink.writerow(COLUMNS)

    def add(self, row: Row, reason: str) -> None:
        """Stores the row, and why it was not imported."""
        cells = row.cells
        patient = cells["id"] if row.sheet == "patients" else cells["patient"]
        whole = json.dumps(row.source or cells, ensure_ascii=False)
        self._sink.writerow([row.file, row.line, cells["id"], patient, reason, whole])


@contextmanager
def writing(path: Path) -> Iterator[Report]:
    """Opens a report that replaces the one at `path` at the end. Contains patient data: only its owner reads it. Raises
    OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield Report(file)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
