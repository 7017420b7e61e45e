"""Reading the nine files, all or nothing: what cannot be read is named by file, line and column before anything is written."""

import csv
import gzip
import hashlib
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from apps.patients.synthea.layout import PATIENTS, SHEETS, Sheet

_ID_MAX = 40


class Unreadable(Exception):
    """The input is not what it should be; the message says where and what."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file. `ref` is its identity: the whole row, and the how-many-th of exactly equal ones."""

    sheet: str
    line: int
    ref: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Extract:
    """The patients in the order of their file, the other rows by patient id, and those of nobody on the list."""

    patients: list[Row]
    history: dict[str, list[Row]]
    strays: list[Row]

    @property
    def rows(self) -> Iterator[Row]:
        yield from self.patients
        for rows in self.history.values():
            yield from rows
        yield from self.strays


def read(folder: Path) -> Extract:
    """The extract in the folder. Raises Unreadable."""
    missing = [sheet.file for sheet in SHEETS if not (folder / sheet.file).is_file()]
    if missing:
        raise Unreadable(f"{folder} does not hold {', '.join(missing)}. All nine files are needed; nothing was written.")
    patients = list(_read_sheet(folder, PATIENTS))
    _no_patient_twice(patients)
    known = {row.cells["id"] for row in patients}
    history: dict[str, list[Row]] = defaultdict(list)
    strays: list[Row] = []
    for sheet in SHEETS[1:]:
        for row in _read_sheet(folder, sheet):
            (history[row.cells["patient"]] if row.cells["patient"] in known else strays).append(row)
    return Extract(patients=patients, history=dict(history), strays=strays)


def instant_problem(text: str) -> str | None:
    """Why the text is no point in time; a calendar day is one (it begins at midnight in the clinic)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return f"{text!r} is not an ISO 8601 date or time"
    return f"{text!r} has no time zone" if "T" in text and moment.tzinfo is None else None


def day_problem(text: str) -> str | None:
    """Why the text is no calendar day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return f"{text!r} is not an ISO 8601 date"
    return None


def _read_sheet(folder: Path, sheet: Sheet) -> Iterator[Row]:
    seen: Counter[str] = Counter()
    for line, cells in _lines(folder / sheet.file, sheet):
        _check_cells(sheet, line, cells)
        yield Row(sheet.name, line, _ref(sheet, cells, seen), cells)


def _lines(path: Path, sheet: Sheet) -> Iterator[tuple[int, dict[str, str]]]:
    line = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as text:
            source = csv.reader(text, strict=True)
            header = next(source, [])
            _check_header(sheet, header)
            for values in source:
                line = source.line_num
                if len(values) not in (0, len(header)):
                    raise Unreadable(f"{sheet.file}, line {line}: {len(values)} columns instead of {len(header)}.")
                if values:
                    yield line, dict(zip(header, values, strict=True))
    except EOFError as error:
        raise Unreadable(f"{sheet.file}, after line {line}: the file ends too early; it was cut off. Copy it again.") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"{sheet.file}, after line {line}: not UTF-8 ({error.reason}).") from error
    except (OSError, zlib.error, csv.Error) as error:
        raise Unreadable(f"{sheet.file}, after line {line}: {error}.") from error


def _check_header(sheet: Sheet, header: list[str]) -> None:
    for name in sheet.columns:
        if name not in header:
            raise Unreadable(f"{sheet.file}, line 1: the column {name!r} is missing.")
    for position, name in enumerate(header, 1):
        if name not in sheet.columns or name in header[: position - 1]:
            raise Unreadable(f"{sheet.file}, line 1: column {position}, {name!r}, does not belong there.")


def _check_cells(sheet: Sheet, line: int, cells: Mapping[str, str]) -> None:
    for name, text in cells.items():
        problem = "holds a NUL character" if "\0" in text else None
        if text and name in sheet.instants:
            problem = problem or instant_problem(text)
        if name in sheet.days:
            problem = problem or day_problem(text)
        if problem:
            raise Unreadable(f"{sheet.file}, line {line}, column {name!r}: {problem}.")


def _no_patient_twice(patients: list[Row]) -> None:
    first: dict[str, int] = {}
    for row in patients:
        number = row.cells["id"]
        if not number:
            raise Unreadable(f"{PATIENTS.file}, line {row.line}, column 'id': is empty.")
        if number in first:
            raise Unreadable(f"{PATIENTS.file}, line {row.line}, column 'id': the patient of line {first[number]} again.")
        first[number] = row.line


def _ref(sheet: Sheet, cells: Mapping[str, str], seen: Counter[str]) -> str:
    """Ids alone will not do: some rows carry none, and the parts of one observation share one."""
    whole = "\x1f".join(cells[name] for name in sheet.columns)
    ref = f"synthea/{sheet.name}/{cells['id'][:_ID_MAX] or '-'}/{hashlib.sha256(whole.encode()).hexdigest()[:32]}"
    seen[ref] += 1
    return ref if seen[ref] == 1 else f"{ref}/{seen[ref]}"
