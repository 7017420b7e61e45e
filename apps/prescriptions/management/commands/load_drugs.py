"""`manage.py load_drugs [FILE]`: add the drugs of a CSV file, or of the catalogue's own seed (docs/medicines.md)."""

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from apps.common.errors import HimsError, Invalid
from apps.prescriptions.catalogue.services import loading
from apps.prescriptions.catalogue.services.keeping import NewDrug
from apps.prescriptions.catalogue.services.loading import Loaded


class Command(BaseCommand):
    help = "Add drugs to the catalogue from a CSV file, all or nothing. Drugs that it has already stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=loading.SEED, help="by default the seed of the catalogue")

    def handle(self, *, file: Path, **_: Any) -> None:
        """Any refusal is a CommandError: exit code 1."""
        load_from(lambda: _read(file), self.stdout)


def _read(file: Path) -> Sequence[NewDrug]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return loading.read_csv(lines)


def load_from(read: Callable[[], Sequence[NewDrug]], output: OutputWrapper) -> None:
    """Loads what `read` returns, and writes what was added. Raises CommandError with every problem."""
    try:
        loaded = _load(read())
    except Invalid as invalid:
        problems = "\n".join(f"{one['field']}: {one['issue']}" for one in invalid.details["errors"])
        raise CommandError(f"Nothing was loaded:\n{problems}") from invalid
    except (OSError, UnicodeDecodeError, HimsError) as problem:
        raise CommandError(f"Nothing was loaded: {problem}") from problem
    output.write(f"Added {loaded.added:,} drugs; {loaded.known:,} were in the catalogue already.")


def _load(drugs: Sequence[NewDrug]) -> Loaded:
    console = Console(stderr=True)
    columns = (TextColumn("Drugs"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=len(drugs))
        return loading.load(drugs=drugs, watch=lambda done, total: progress.update(bar, completed=done, total=total))
