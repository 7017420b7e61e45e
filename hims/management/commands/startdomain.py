"""`manage.py startdomain bandages`: the skeleton of an app, as docs/adding-an-app.md describes it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.core.management.templates import TemplateCommand

from hims.launch.paths import PROJECT

TEMPLATE = PROJECT / "hims" / "domain_template"


class Command(TemplateCommand):
    help = "Writes the skeleton of an app to apps/NAME: a model, a right, an event, a list and a POST, a staff page, tests."
    missing_args_message = "Give the name of the app: a plural noun, like bandages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="The app's name: a plural noun in lower case, like bandages.")
        parser.add_argument("--singular", default="", help="One of them, like bandage (default: the name without its end).")
        parser.add_argument("--floor", type=int, default=6, help="The app's floor (docs/architecture.md; default: 6).")

    def handle(self, name: str, **options: Any) -> None:  # type: ignore[override]  # Django names the first argument
        singular = options.pop("singular") or name[:-1]
        folder = PROJECT / "apps" / name
        if folder.exists():
            raise CommandError(f"There is an app {name} already: {folder}")
        folder.mkdir()
        names = {"singular": singular, "class_name": singular.title().replace("_", ""), "constant": singular.upper()}
        template = {"template": str(TEMPLATE), "extensions": ["py"], "files": []}
        super().handle("app", name, target=str(folder), **options, **names, **template)
        self.stdout.write(f"Wrote {folder}. The next steps are in docs/adding-an-app.md.")
