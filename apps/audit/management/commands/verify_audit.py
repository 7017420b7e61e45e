"""`manage.py verify_audit [--since YYYY-MM-DD]`: is the trail as it was sealed? Exit code 1 where it is not."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.progress import Progress

from apps.access.actor import SYSTEM
from apps.audit import verification
from apps.audit.verification import Broken


class Command(BaseCommand):
    help = "Recompute the chain of the audit trail and name the first row that is not as it was sealed. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", type=date.fromisoformat, help="only what was sealed since that day (UTC), from its anchor on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        since = datetime.combine(options["since"], time(), UTC) if options["since"] else None
        with Progress(transient=True) as progress:
            bar = progress.add_task("Verifying", total=None)
            try:
                found = verification.verify(
                    by=SYSTEM, since=since, watch=lambda checked, total: progress.update(bar, completed=checked, total=total)
                )
            except verification.KeyUnreadable as refusal:
                raise CommandError(refusal.message, returncode=2) from refusal
        self.stdout.write(f"{found.checked:,} sealed rows checked, {found.unsealed:,} not sealed yet.")
        if found.first_broken:
            raise CommandError(_told(found.first_broken), returncode=1)
        self.stdout.write("The trail is intact.")


def _told(broken: Broken) -> str:
    """The first row that is wrong, for a person."""
    known = {"row": broken.id, "at": broken.at and broken.at.isoformat(), "place in the chain": broken.sequence}
    where = ", ".join(f"{name} {value}" for name, value in known.items() if value is not None)
    return f"The trail is NOT intact: {broken.flaw.replace('_', ' ')}: {where or 'the head of the chain'}."
