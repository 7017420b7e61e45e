"""`manage.py find_duplicates`: compares all patients and queues those who may be the same person as another one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from apps.access.actor import SYSTEM
from apps.common.locks import AlreadyRunning
from apps.patients.matching import duplicate_scan


class Command(BaseCommand):
    help = (
        "Compare every patient with similar records, and fill the queue of possible duplicates. Stop it at "
        "any time and run it again: it continues where it stopped. A second run over the same people changes "
        "nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anew", action="store_true", help="begin with the first patient, even if a run was stopped")

    def handle(self, *, anew: bool, **_: Any) -> None:
        """Turns any refusal into a CommandError: exit code 1, or 130 after Ctrl-C."""
        try:
            result = _scan(anew)
        except AlreadyRunning as problem:
            raise CommandError(str(problem)) from problem
        except OperationalError as problem:
            raise CommandError(f"The database did not answer: {problem}. Run the command again to go on.") from problem
        except KeyboardInterrupt as stop:
            raise CommandError("Stopped between two patients. Run the command again to go on.", returncode=130) from stop
        self.stdout.write(f"{result.looked_at:,} patients were compared; this run made {result.changes:,} changes to the queue.")
        self.stdout.write(f"{result.waiting:,} pairs wait: /admin/patients/duplicatecandidate/")


def _scan(anew: bool) -> duplicate_scan.ScanResult:
    columns = (TextColumn("Patients"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("")
        return duplicate_scan.scan(
            by=SYSTEM, anew=anew, watch=lambda done, total: progress.update(bar, completed=done, total=total)
        )
