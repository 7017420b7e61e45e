"""`manage.py translations`: brings locale/*/django.po up to date with the code and the templates, and compiles them.

It needs Babel, of requirements-dev.txt. The compiled files are part of the project, because production has no compiler.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation.template import templatize

KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_DATE = datetime(2026, 11, 30, tzinfo=UTC)
SOURCES = (
    ("apps/desk", "**/*.py"),
    ("apps/documents", "**/*.py"),
    ("apps/patients", "**/*.py"),
    ("templates/admin", "**/*.html"),
    ("templates/desk", "**/*.html"),
)


class Command(BaseCommand):
    help = "Updates and compiles the translations of the pages."

    def handle(self, *args: Any, **options: Any) -> None:
        template = Catalog(project="HIMS", charset="utf-8")
        for path in sources():
            for message, context in messages(path):
                template.add(message, auto_comments=[path.relative_to(settings.BASE_DIR).as_posix()], context=context)
        for code, _ in settings.LANGUAGES:
            if code != settings.LANGUAGE_CODE:
                catalog = update(code, template)
                missing = sum(1 for message in catalog if message.id and not is_whole(message))
                self.stdout.write(f"{code}: {len(catalog)} texts, {missing} without a translation")


def sources() -> Iterator[Path]:
    """Yields the files whose texts are translated."""
    for folder, pattern in SOURCES:
        yield from (path for path in sorted((settings.BASE_DIR / folder).glob(pattern)) if "tests" not in path.parts)


def messages(path: Path) -> list[tuple[Any, str | None]]:
    """Returns the texts that a file marks for translation, each with its context; a pair where the text has a plural."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        source = f"({templatize(source)})"  # in brackets, because Babel would read its lines as indented code
    extracted = extract("python", BytesIO(source.encode()), keywords=KEYWORDS)
    return [(message, context) for _, message, _, context in extracted if message]


def is_whole(message: Message) -> bool:
    """Returns whether a text is translated, with all forms of its plural."""
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def po_file(code: str) -> Path:
    """Returns the path of a language's translations."""
    return Path(settings.BASE_DIR) / "locale" / code / "LC_MESSAGES" / "django.po"


def read(code: str) -> Catalog:
    """Returns a language's translations."""
    with po_file(code).open("rb") as file:
        return read_po(file, locale=code)


def compiled(catalog: Catalog) -> bytes:
    """Returns the translations as the program reads them. Its dates are fixed, so that equal texts give equal bytes."""
    catalog.creation_date = catalog.revision_date = _DATE
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def update(code: str, template: Catalog) -> Catalog:
    """Adds the new texts to a language's file, removes those no longer used, and compiles it."""
    path = po_file(code)
    catalog = read(code) if path.exists() else Catalog(locale=code, project="HIMS", charset="utf-8")
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    with path.open("wb") as file:
        write_po(file, catalog, sort_output=True, omit_header=True, no_location=True, width=120)
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return catalog
