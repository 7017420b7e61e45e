"""`manage.py sandbox seed | reset | credentials [--json]`."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from apps.access.actor import SYSTEM
from apps.common.errors import HimsError
from apps.sandbox import selectors, services
from apps.sandbox.services import SeedResult


class Command(BaseCommand):
    help = "The sandbox's sample data: create them, reset them, or print the sign-ins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        tasks = parser.add_subparsers(dest="task", required=True, metavar="seed | reset | credentials")
        tasks.add_parser("seed", help="create what is missing; a second run changes nothing")
        tasks.add_parser("reset", help="delete everything and create the sample data again")
        credentials = tasks.add_parser("credentials", help="print the sign-ins and the sample ids")
        credentials.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, task: str, **options: Any) -> None:
        if task == "credentials":
            self._print_credentials(as_json=options["json"])
            return
        try:
            laid_out = self._with_progress(services.seed if task == "seed" else services.reset)
        except HimsError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(self._summary(laid_out))

    def _with_progress(self, work: Callable[..., SeedResult]) -> SeedResult:
        console = Console(stderr=True)
        columns = (TextColumn("Sample data"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            bar = progress.add_task("", total=None)
            return work(
                by=SYSTEM,
                on_progress=lambda piece, done, total: progress.update(bar, description=piece, completed=done, total=total),
            )

    def _summary(self, added: SeedResult) -> str:
        if added == SeedResult():
            return "The sample data already exist."
        people = f"{added.staff} staff, {added.keys} API keys"
        return (
            f"Created {people}, {added.patients} patients, {added.entries} chart entries and {added.appointments} appointments."
        )

    def _print_credentials(self, *, as_json: bool) -> None:
        known = selectors.credentials()
        if as_json:
            self.stdout.write(json.dumps(known.as_dict(), indent=2, ensure_ascii=False))
            return
        if not known.staff:
            raise CommandError("There are no sample data yet. Run: manage.py sandbox seed")
        staff, samples = Table("username", "password", "role", "alias", "TOTP seed"), Table("patient", "MRN", "alias")
        for one in known.staff:
            staff.add_row(one.username, one.password, one.role, one.alias, one.totp_seed)
        for patient in known.patients:
            samples.add_row(patient.name, patient.mrn, patient.alias)
        keys = Table("role", "API key (X-API-Key)", box=None)
        for role, text in known.api_keys.items():
            keys.add_row(role, text)
        console = Console(file=cast("IO[str]", self.stdout))
        console.print(staff, samples, keys, "The ids: add --json.")
