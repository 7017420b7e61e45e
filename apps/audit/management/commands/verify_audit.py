"""`manage.py verify_audit [--resume | --since YYYY-MM-DD] [--anchors FILE]`: verifies the log against its seals. Exit code 1 if
it differs."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from datetime import time as midnight
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.progress import Progress

from apps.access.actor import SYSTEM
from apps.audit.sealing import anchor_file
from apps.audit.sealing.anchor_file import AnchorRecord
from apps.audit.verification import full_verification, verifier
from apps.audit.verification.verifier import BrokenRow
from apps.common.errors import Conflict

_STEP = 20_000  # seals between two moves of the progress bar, and at most lost to an interruption


class Command(BaseCommand):
    help = "Recompute the chain of the audit log and name the first row that differs from its seal. Changes nothing in the log."

    def add_arguments(self, parser: CommandParser) -> None:
        where = parser.add_mutually_exclusive_group()
        where.add_argument(
            "--since", type=date.fromisoformat, help="only what was sealed since that day (UTC), from its anchor on"
        )
        where.add_argument("--resume", action="store_true", help="continue where the worker, or an interrupted run, stopped")
        parser.add_argument("--anchors", type=Path, help="compare with this copy of the anchor file instead of the server's own")

    def handle(self, *args: Any, **options: Any) -> None:
        since = datetime.combine(options["since"], midnight(), UTC) if options["since"] else None
        try:
            records = anchor_file.read(options["anchors"])
            if options["anchors"] and not records:
                raise CommandError(f"{options['anchors']} contains no anchors or does not exist.", returncode=2)
            with Progress(transient=True) as progress:
                bar = progress.add_task("Verifying", total=None)

                def watch(checked: int, total: int) -> None:
                    progress.update(bar, completed=checked, total=total)

                checked, unsealed, broken = _verified(since, records, watch, resume=options["resume"])
        except Conflict as refusal:
            raise CommandError(refusal.message, returncode=2) from refusal
        self.stdout.write(f"{checked:,} sealed rows checked, {unsealed:,} not sealed yet.")
        if broken:
            raise CommandError(_describe(broken), returncode=1)
        self.stdout.write("The audit log is intact.")


def _verified(
    since: datetime | None, records: list[AnchorRecord], watch: Callable[[int, int], None], *, resume: bool
) -> tuple[int, int, BrokenRow | None]:
    """Returns the checked and unsealed rows, and the first flaw."""
    if since:
        verification = verifier.verify(by=SYSTEM, since=since, watch=watch, records=records)
        return verification.checked, verification.unsealed, verification.first_broken
    restart = not resume
    while True:
        done = full_verification.step(limit=_STEP, restart=restart, records=records)
        if done is None:  # the worker is verifying
            time.sleep(0.2)
            continue
        restart = False
        watch(done.verified, done.total)
        if done.is_done:
            return done.verified, done.unsealed, done.broken


def _describe(broken: BrokenRow) -> str:
    """Describes the first wrong row for the operator."""
    parts = {"row": broken.id, "at": broken.at and broken.at.isoformat(), "place in the chain": broken.sequence}
    where = ", ".join(f"{name} {value}" for name, value in parts.items() if value is not None)
    return f"The audit log is NOT intact: {broken.flaw.replace('_', ' ')}: {where or 'the head of the chain'}."
