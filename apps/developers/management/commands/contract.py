"""`manage.py contract check` compares the API with its last release; `manage.py contract release` makes it the last release."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.developers.contract import released


class Command(BaseCommand):
    help = "Compare the OpenAPI file with that of the last release (docs/openapi/), or release it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["check", "release"])

    def handle(self, *args: Any, **options: Any) -> None:
        breaks = released.breaks() if released.FILE.exists() else []
        if breaks:
            raise CommandError("This breaks the published contract:\n" + "\n".join(f"  {line}" for line in breaks))
        if options["act"] == "release":
            released.write_release()
        self.stdout.write(f"{'Written' if options['act'] == 'release' else 'Nothing is broken'}: {released.FILE}")
