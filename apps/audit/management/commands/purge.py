"""`manage.py purge [--dry-run] [--rule NAME]`: deletes the rows that have passed their retention period (docs/retention.md)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.access.actor import SYSTEM
from apps.audit.retention import purging
from apps.common.errors import Invalid


class Command(BaseCommand):
    help = (
        "Delete the rows that have passed their retention period, in batches. Each batch is audited. A "
        "worker does the same every night."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count only")
        parser.add_argument("--rule", default="", help="only this rule")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            results = purging.purge(by=SYSTEM, only=options["rule"], is_dry_run=options["dry_run"])
        except Invalid as refusal:
            raise CommandError(f"--rule {options['rule']}: {refusal.details['issue']}") from refusal
        verb = "would go" if options["dry_run"] else "removed"
        for result in results:
            self.stdout.write(f"{result.rule}: {result.rows:,} rows {verb} (older than {result.before:%Y-%m-%d %H:%M} UTC)")
