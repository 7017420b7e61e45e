"""`manage.py startdomain bandages`: the skeleton of an app and of its staff pages, as docs/adding-an-app.md describes it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.core.management.templates import TemplateCommand

from hims.launch.paths import PROJECT

APPS = PROJECT / "apps"
TEMPLATES = PROJECT / "hims"


class Command(TemplateCommand):
    help = "Writes the skeleton of an app: model, rights, event, list, POST to apps/NAME, a page to apps/desk/NAME, with tests."
    missing_args_message = "Give the name of the app: a plural noun, like bandages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="The app's name: a plural noun in lower case, like bandages.")
        parser.add_argument("--singular", default="", help="One of them, like bandage (default: the name without its end).")
        parser.add_argument("--floor", type=int, default=6, help="The app's floor (docs/architecture.md; default: 6).")

    def handle(self, name: str, **options: Any) -> None:  # type: ignore[override]  # Django names the first argument
        singular = options.pop("singular") or name[:-1]
        if (APPS / name).exists():
            raise CommandError(f"There is an app {name} already: {APPS / name}")
        names = {"singular": singular, "class_name": singular.title().replace("_", ""), "constant": singular.upper()}
        for template, folder in (("domain_template", APPS / name), ("desk_template", APPS / "desk" / name)):
            folder.mkdir()
            files = {"template": str(TEMPLATES / template), "extensions": ["py"], "files": []}
            super().handle("app", name, target=str(folder), **options, **names, **files)
            self.stdout.write(f"Wrote {folder}.")
        self.stdout.write("The next steps are in docs/adding-an-app.md.")
