"""`manage.py reseal_seeds`: encrypts the seeds of two-step sign-in with the newest key of HIMS_KEY_RING."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts import services


class Command(BaseCommand):
    help = "Encrypt the seeds of two-step sign-in with the newest key of HIMS_KEY_RING, before an older key leaves it."

    def handle(self, **_: Any) -> None:
        """Raises CommandError, exit code 1, if a seed is unreadable."""
        done, unreadable = services.reseal_seeds()
        self.stdout.write(f"Encrypted {done} seeds with the newest key.")
        if unreadable:
            raise CommandError(
                f"No key of HIMS_KEY_RING decrypts {unreadable} seeds. Put its key back, or reset these second factors."
            )
