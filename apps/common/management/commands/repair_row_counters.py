"""`manage.py repair_row_counters`: counts the tables that have a row counter afresh; `--check` only compares."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common import domain


class Command(BaseCommand):
    help = "Count the rows of every table that has a row counter. Safe at any time; writers of a table wait for its count."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only compare, without a lock; exit code 1 where a count differs"
        )

    def handle(self, *, check: bool, **_: Any) -> None:
        """Raises CommandError, exit code 1, if a counter differs from its table."""
        drifts = {}
        for counter in domain.row_counters():
            if not check:
                before, after = counter.repair()
                self.stdout.write(f"{counter.table}: {before:,} before, {after:,} by counting.")
            drifts[counter.table] = counter.drift()
            self.stdout.write(f"{counter.table}: drift {drifts[counter.table]}.")
        wrong = [table for table, drift in drifts.items() if drift]
        if wrong:
            raise CommandError(f"These counters differ from their tables: {', '.join(wrong)}. Run repair_row_counters.")
