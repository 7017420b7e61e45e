"""Reads the files, all or nothing: an unreadable place is named by file, line and column before anything is written.

A folder contains the nine files of `layout`, or Synthea's own (`native`); only `patients.csv` is required.
"""

import csv
import gzip
import hashlib
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO, cast

from apps.interop.synthea.layout import PATIENTS, SHEETS, Sheet
from apps.interop.synthea.native import NATIVE, NativeSheet, is_native
from apps.patients.chart import dates
from apps.patients.chart.dates import PartialDate

_ID_MAX = 40
_YEARS = range(2, 9999)  # beyond, a change of the time zone would leave the calendar


class Unreadable(Exception):
    """The input is invalid; the message names the place and the problem."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file. `ref` is its identity: the whole row, and its number among exactly equal ones.

    `cells` are those of `layout`; `source` is the line as it was written, if that has other columns.
    """

    sheet: str
    line: int
    ref: str
    cells: Mapping[str, str]
    file: str = ""
    source: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Extract:
    """The patients in the order of their file, the other rows by patient id, and those of unknown patients.

    `files` names the file that each sheet was read from, `missing` the sheets that do not exist, `unread` other files.
    """

    patients: list[Row]
    history: dict[str, list[Row]]
    strays: list[Row]
    files: Mapping[str, str]
    missing: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def rows(self) -> Iterator[Row]:
        yield from self.patients
        for rows in self.history.values():
            yield from rows
        yield from self.strays


def read(folder: Path) -> Extract:
    """Returns the extract in the folder. Raises Unreadable."""
    files = _files(folder)
    native = PATIENTS.name in files and is_native(_header(files[PATIENTS.name]))
    missing = [sheet.file for sheet in SHEETS if sheet.name not in files]
    if missing and not native:
        raise Unreadable(f"{folder} does not contain {', '.join(missing)}. All nine files are needed; nothing was written.")
    patients = list(_read_sheet(files, PATIENTS, native=native))
    _no_patient_twice(patients)
    known = {row.cells["id"] for row in patients}
    history: dict[str, list[Row]] = defaultdict(list)
    strays: list[Row] = []
    for sheet in SHEETS[1:]:
        if sheet.name in files:
            for row in _read_sheet(files, sheet, native=native):
                (history[row.cells["patient"]] if row.cells["patient"] in known else strays).append(row)
    return Extract(
        patients=patients,
        history=dict(history),
        strays=strays,
        files={name: path.name for name, path in files.items()},
        missing=tuple(missing),
        unread=_unread(folder, files),
    )


def moment(text: str) -> datetime | PartialDate:
    """Parses an ISO 8601 time with its zone, also with a blank between day and time, or a date to the day, month or year.

    Raises ValueError with a sentence.
    """
    with suppress(ValueError):
        if (day := dates.partial(text)).first.year in _YEARS:
            return day
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an ISO 8601 date or time") from None
    if instant.year not in _YEARS:
        raise ValueError(f"{text!r} is not a calendar date")
    if len(text) <= len("2025-W03-3"):
        return PartialDate(instant.date())
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return instant


def instant_problem(text: str) -> str | None:
    """Returns why the text is not a point in time; a calendar day, a month or a year is one as well."""
    try:
        moment(text)
    except ValueError as problem:
        return str(problem)
    return None


def day_problem(text: str) -> str | None:
    """Returns why the text is not a calendar day, month or year."""
    try:
        value = moment(text)
    except ValueError:
        return f"{text!r} is not an ISO 8601 date"
    return None if isinstance(value, PartialDate) else f"{text!r} is not an ISO 8601 date"


def _files(folder: Path) -> dict[str, Path]:
    """Returns the folder's files by the name of their sheet: `patients.csv.gz`, else `patients.csv`."""
    by_name: dict[str, Path] = {}
    with suppress(FileNotFoundError, NotADirectoryError):
        by_name = {path.name.lower(): path for path in folder.iterdir() if path.is_file()}
    named = ((sheet.name, by_name.get(f"{sheet.name}.csv.gz") or by_name.get(f"{sheet.name}.csv")) for sheet in SHEETS)
    return {name: path for name, path in named if path}


def _unread(folder: Path, files: Mapping[str, Path]) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in folder.glob("*.csv*") if path.is_file() and path not in files.values()))


def _read_sheet(files: Mapping[str, Path], sheet: Sheet, *, native: bool) -> Iterator[Row]:
    seen: Counter[str] = Counter()
    path = files[sheet.name]
    for line, source in _lines(path, sheet, NATIVE[sheet.name] if native else None):
        cells = _as_ours(sheet, source) if native else source
        _check_cells(path.name, sheet, line, cells)
        columns = sorted(source) if native else sheet.columns
        ref = _ref(sheet, cells.get("id", ""), [source[name] for name in columns], seen)
        yield Row(sheet.name, line, ref, cells, path.name, source)


def _as_ours(sheet: Sheet, source: Mapping[str, str]) -> dict[str, str]:
    """Returns a line of Synthea's own under the names of `layout`; missing columns are empty."""
    native = NATIVE[sheet.name]
    row = dict.fromkeys(native.optional, "") | dict(source)
    return dict.fromkeys(sheet.columns, "") | native.read(row)


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _header(path: Path) -> list[str]:
    return next(_raw(path), (1, []))[1]


def _raw(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yields the lines of a file with their numbers. Raises Unreadable."""
    line = 0
    try:
        with _open(path) as text:
            source = csv.reader(text, strict=True)
            for values in source:
                line = source.line_num
                yield line, values
    except EOFError as error:
        raise Unreadable(f"{path.name}, after line {line}: the file ends too early; it was cut off. Copy it again.") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path.name}, after line {line}: not UTF-8 ({error.reason}).") from error
    except (OSError, zlib.error, csv.Error) as error:
        raise Unreadable(f"{path.name}, after line {line}: {error}.") from error


def _lines(path: Path, sheet: Sheet, native: NativeSheet | None) -> Iterator[tuple[int, dict[str, str]]]:
    lines = _raw(path)
    _, header = next(lines, (1, []))
    if native:
        header = [name.strip().upper() for name in header]
        _check_native_header(path.name, native, header)
    else:
        _check_header(path.name, sheet, header)
    for line, values in lines:
        if len(values) not in (0, len(header)):
            raise Unreadable(f"{path.name}, line {line}: {len(values)} columns instead of {len(header)}.")
        if values:
            yield line, dict(zip(header, values, strict=True))


def _check_header(file: str, sheet: Sheet, header: list[str]) -> None:
    for name in sheet.columns:
        if name not in header:
            raise Unreadable(f"{file}, line 1: the column {name!r} is missing.")
    for position, name in enumerate(header, 1):
        if name not in sheet.columns or name in header[: position - 1]:
            raise Unreadable(f"{file}, line 1: column {position}, {name!r}, does not belong there.")


def _check_native_header(file: str, native: NativeSheet, header: list[str]) -> None:
    for name in native.needed:
        if name not in header:
            raise Unreadable(f"{file}, line 1: the column {name!r} of Synthea's own files is missing.")
    for position, name in enumerate(header, 1):
        if name in header[: position - 1]:
            raise Unreadable(f"{file}, line 1: column {position}, {name!r}, occurs twice.")


def _check_cells(file: str, sheet: Sheet, line: int, cells: Mapping[str, str]) -> None:
    for name, text in cells.items():
        problem = "contains a NUL character" if "\0" in text else None
        if text and name in (*sheet.instants, "ended"):
            problem = problem or instant_problem(text)
        if name in sheet.days:
            problem = problem or day_problem(text)
        if problem:
            raise Unreadable(f"{file}, line {line}, column {name!r}: {problem}.")


def _no_patient_twice(patients: list[Row]) -> None:
    first: dict[str, int] = {}
    for row in patients:
        number = row.cells["id"]
        if not number:
            raise Unreadable(f"{row.file}, line {row.line}, column 'id': is empty.")
        if number in first:
            raise Unreadable(f"{row.file}, line {row.line}, column 'id': repeats the patient of line {first[number]}.")
        first[number] = row.line


def _ref(sheet: Sheet, number: str, values: list[str], seen: Counter[str]) -> str:
    """Ids alone are not enough: some rows have none, and the parts of one observation share one."""
    whole = "\x1f".join(values)
    ref = f"synthea/{sheet.name}/{number[:_ID_MAX] or '-'}/{hashlib.sha256(whole.encode()).hexdigest()[:32]}"
    seen[ref] += 1
    return ref if seen[ref] == 1 else f"{ref}/{seen[ref]}"
