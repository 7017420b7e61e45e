"""`manage.py import_synthea DIR`: imports the patients and charts of a Synthea extract (docs/import-synthea.md)."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from apps.interop.synthea import loading, reader, report

REPORT = "import_synthea.csv"


class Command(BaseCommand):
    help = (
        "Import all patients and their charts from the nine gzip CSV files of a Synthea extract, or from "
        "Synthea's own CSV. One transaction per patient: after a stop, run it again and it continues; a "
        "second run changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dir", type=Path, help="the folder that holds the files")
        parser.add_argument(
            "--report", type=Path, help="the file that lists the rows that were not imported (default: in the data folder)"
        )

    def handle(self, *, dir: Path, report: Path | None, **_: Any) -> None:
        """Reads everything first, then writes patient by patient. Any refusal is a CommandError: exit code 1."""
        path = report or Path(settings.HIMS_DATA_DIR) / "reports" / REPORT
        try:
            extract = reader.read(dir)
            counts = _import(extract, path)
        except (reader.Unreadable, loading.AlreadyRunning) as problem:
            raise CommandError(str(problem)) from problem
        except OSError as problem:
            raise CommandError(f"The report cannot be written: {problem}. Choose another path with --report.") from problem
        except OperationalError as problem:
            raise CommandError(f"The database did not answer: {problem}. Run the command again to go on.") from problem
        except KeyboardInterrupt as stop:
            raise CommandError("Stopped between two patients. Run the command again to go on.", returncode=130) from stop
        _tell(extract, counts, path)


def _import(extract: reader.Extract, path: Path) -> loading.RowCountsByFile:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with loading.import_lock(), report.writing(path) as rows_left, Progress(*columns) as progress:
        task = progress.add_task("Patients", total=len(extract.patients))
        zone = ZoneInfo(settings.CLINIC_TIME_ZONE)
        return loading.load(extract, report=rows_left, zone=zone, after_each=lambda: progress.advance(task))


def _tell(extract: reader.Extract, counts: loading.RowCountsByFile, path: Path) -> None:
    table = Table()
    table.add_column("file")
    for heading in ("rows", "imported", "already here", "reported"):
        table.add_column(heading, justify="right")
    for name, row_counts in counts.items():
        table.add_row(
            extract.files.get(name, "(no file)"),
            *(f"{count:,}" for count in (row_counts.rows, row_counts.imported, row_counts.here, row_counts.reported)),
        )
    console = Console()
    console.print(table)
    if extract.missing:
        console.print(f"Not in the folder: {', '.join(extract.missing)}", soft_wrap=True, highlight=False)
    if extract.unread:
        console.print(f"Not read, because HIMS has no place for it: {', '.join(extract.unread)}", soft_wrap=True, highlight=False)
    console.print(f"The rows reported, with reasons: {path}", soft_wrap=True, highlight=False)
