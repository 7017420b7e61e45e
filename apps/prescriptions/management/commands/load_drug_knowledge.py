"""`manage.py load_drug_knowledge`: load the knowledge of the safety checks that comes with HIMS (docs/medicines.md)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.errors import HimsError
from apps.prescriptions.safety.services import keeping


class Command(BaseCommand):
    help = "Load the drug knowledge that comes with HIMS, all or nothing. Entries that the pharmacy wrote stay as they are."

    def handle(self, **_: Any) -> None:
        """Any refusal is a CommandError: exit code 1."""
        try:
            loaded = keeping.load_seed()
        except (HimsError, OSError, ValueError) as problem:
            raise CommandError(f"Nothing was loaded: {problem}") from problem
        self.stdout.write(
            f"Added {loaded.added:,} entries, replaced {loaded.replaced:,}; {loaded.unchanged:,} are unchanged. "
            "No clinician has reviewed them."
        )
