"""The translations of the pages: compiled as they are written, complete where staff look most, with the same placeholders."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings
from django.utils.translation import override, pgettext

from apps.desk.appointments import labels
from apps.desk.patients import entry_words
from apps.patients.chart.entry_types import EntryType
from apps.patients.models import ChartEntry
from hims.management.commands import translations

CODES = [code for code, _ in settings.LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)s")
# What staff of every role see all day.
COMPLETE = (
    "templates/admin/base_site.html",
    "templates/admin/banner.html",
    "templates/desk/appointments/queue*.html",
    "templates/desk/appointments/schedule*.html",
    "templates/desk/menu.html",
    "templates/desk/home/*.html",
    "apps/desk/home/*.py",
)


def texts_of(pattern: str) -> set[tuple[str, str | None]]:
    """Returns the texts of these files, each with its context."""
    paths = [path for path in Path(settings.BASE_DIR).glob(pattern) if "tests" not in path.parts]
    assert paths, pattern
    texts = [text for path in paths for text in translations.messages(path)]
    return {(message if isinstance(message, str) else message[0], context) for message, context in texts}


def translated(catalog: Catalog, text: str, context: str | None) -> bool:
    message = catalog.get(text, context)
    return message is not None and translations.is_whole(message)


@pytest.mark.parametrize("code", CODES)
def test_the_program_reads_what_the_translators_wrote(code: str) -> None:
    written = translations.compiled(translations.read(code))
    assert translations.po_file(code).with_suffix(".mo").read_bytes() == written, "run manage.py translations"


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("pattern", COMPLETE)
def test_the_pages_that_staff_see_most_are_translated(code: str, pattern: str) -> None:
    catalog = translations.read(code)
    assert not [text for text in texts_of(pattern) if not translated(catalog, *text)]


@pytest.mark.parametrize("code", CODES)
def test_a_translation_has_the_placeholders_of_its_text(code: str) -> None:
    for message in translations.read(code):
        if not message.id or not any(message.string):
            continue
        forms = [message.id] if isinstance(message.id, str) else message.id
        for string in [message.string] if isinstance(message.string, str) else message.string:
            assert set(PLACEHOLDER.findall(string)) in [set(PLACEHOLDER.findall(form)) for form in forms], forms


def test_a_text_in_a_context_is_shown_in_the_language() -> None:
    above = entry_words.flag(ChartEntry(type=EntryType.VITAL_SIGN, detail={"flag": "high"}))
    assert above
    with override("es"):
        shown = [str(labels.PRIORITIES["high"]), str(above.words), pgettext("of a patient", "Record")]
    assert shown == ["Alta", "Alto", "Historia"]
