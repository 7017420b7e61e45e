"""Writes an extract: one transaction per patient. A second run, or one after a kill, adds only what does not exist yet."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import DataError, IntegrityError

from apps.access.actor import SYSTEM
from apps.common.errors import HimsError
from apps.common.locks import AlreadyRunning, LockName, advisory_lock
from apps.common.text import LooksBlank
from apps.interop.synthea import mapping
from apps.interop.synthea.layout import SHEETS
from apps.interop.synthea.reader import Extract, Row
from apps.interop.synthea.report import Report
from apps.patients import services
from apps.patients.models import ChartEntry

_PROBLEMS = (HimsError, DataError, IntegrityError, mapping.NotImportable, LooksBlank)
__all__ = ["AlreadyRunning", "RowCounts", "RowCountsByFile", "import_lock", "load"]
UNKNOWN_PATIENT = "The patient is not in the patients file."
_LOG = logging.getLogger(__name__)
# The message if the database refuses a row that the services accept, by the name of the constraint.
_REFUSED = {
    "patient_identifier_once": "Another patient here has the same number of that system.",
    "chart_source_row_once": "The same row is in the chart of another patient.",
}


@dataclass
class RowCounts:
    """The result for a file's rows."""

    rows: int = 0
    imported: int = 0
    here: int = 0
    reported: int = 0


RowCountsByFile = dict[str, RowCounts]


def import_lock() -> AbstractContextManager[None]:
    """Allows one import at a time."""
    return advisory_lock(LockName.SYNTHEA_IMPORT, "Another import is running; nothing was written.")


def load(extract: Extract, *, report: Report, zone: ZoneInfo, after_each: Callable[[], None]) -> RowCountsByFile:
    """Imports every patient of the extract with the chart. `zone` is the time zone in which a bare day begins."""
    counts = {sheet.name: RowCounts() for sheet in SHEETS}
    for row in extract.rows:
        counts[row.sheet].rows += 1
    log = _ImportLog(counts, report)
    for patient in extract.patients:
        _import_patient(patient, extract.history.get(patient.cells["id"], []), zone, log)
        after_each()
    for row in extract.strays:
        log.reported(row, UNKNOWN_PATIENT)
    return counts


class _ImportLog:
    """Counts the rows and writes the report."""

    def __init__(self, counts: RowCountsByFile, report: Report) -> None:
        self._counts = counts
        self._report = report

    def imported(self, row: Row, *, now: bool) -> None:
        if now:
            self._counts[row.sheet].imported += 1
        else:
            self._counts[row.sheet].here += 1

    def reported(self, row: Row, reason: str) -> None:
        self._counts[row.sheet].reported += 1
        self._report.add(row, reason)


def _import_patient(patient: Row, rows: list[Row], zone: ZoneInfo, log: _ImportLog) -> None:
    try:
        entries, rejected = _mapped(patient, rows, zone)
        transfer = services.import_patient(
            by=SYSTEM,
            source=ChartEntry.Source.IMPORT,
            system=mapping.SYSTEM,
            ref=patient.cells["id"],
            registration=mapping.registration(patient, zone),
            identifiers=mapping.identifiers(patient),
            entries=entries,
            strict=False,
        )
    except _PROBLEMS as problem:  # the person cannot be registered, so none of their rows is written
        for row in (patient, *rows):
            log.reported(row, f"The patient was not imported: {_reason_text(problem)}")
        return
    rejected |= {refused.source_ref: refused.issue for refused in transfer.refused}
    log.imported(patient, now=transfer.opened)
    added = set(transfer.added)
    for row in rows:
        if row.ref in rejected:
            log.reported(row, rejected[row.ref])
        else:
            log.imported(row, now=row.ref in added)


def _mapped(patient: Row, rows: list[Row], zone: ZoneInfo) -> tuple[list[services.NewEntry], dict[str, str]]:
    """Returns the rows as chart entries, and the reasons of those that cannot be mapped, by their identity."""
    history = mapping.History.of(patient, rows, zone)
    entries, rejected = [], {}
    for row in rows:
        try:
            entries.append(mapping.entry(row, history))
        except mapping.NotImportable as reason:
            rejected[row.ref] = str(reason)
    return entries, rejected


def _reason_text(problem: Exception) -> str:
    """Returns the reason for the reader of the report. The database's own message goes to the log."""
    if isinstance(problem, HimsError):
        return str(problem.details.get("issue") or problem.message)
    if isinstance(problem, mapping.NotImportable):
        return str(problem)
    if isinstance(problem, LooksBlank):
        return "A name or an address contains only invisible characters."
    constraint = getattr(getattr(problem.__cause__, "diag", None), "constraint_name", None)
    if constraint not in _REFUSED:
        _LOG.warning("The database refused a patient of an import: %s %s", type(problem).__name__, constraint or "")
    return _REFUSED.get(
        constraint or "", "The database does not accept a value of this row. The server log says which check failed."
    )
