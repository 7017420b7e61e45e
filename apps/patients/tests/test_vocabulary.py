"""Near words against looking at all, and beginnings that need no counting."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from apps.access.actor import SYSTEM
from apps.common.tests.shared_rows import shared_rows
from apps.patients import rules, services
from apps.patients.models import CommonPrefix, NameWord, RemovedWord, SearchWord
from apps.patients.search import patient_search, vocabulary
from apps.patients.tests.bulk_patients import insert_patients
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


class TestAmongTwoThousand:
    @pytest.fixture(scope="class", autouse=True)
    def patients(self, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
        with shared_rows(django_db_blocker):
            insert_patients(2_000)
            yield

    @pytest.mark.parametrize("asked", ["jonh", "mati", "garcai", "li", "o", "marvelson", "velsonba", "xqzw"])
    def test_the_near_words_are_the_closest_of_all(self, asked: str) -> None:
        everything = list(NameWord.objects.values_list("word", flat=True))
        with connection.cursor() as cursor:
            cursor.execute("SELECT w, levenshtein(w, %s) FROM unnest(%s::text[]) w", [asked, everything])
            within = {word: rules.distance(asked, word) for word, edits in cursor.fetchall() if edits <= 2}
        (near,) = vocabulary.near_words([asked])
        assert {word: cost for word, cost in near.items() if word in within} == {
            word: within[word] for word in near if word in within
        }
        wanted = sorted(within, key=lambda word: (within[word], word))[: len(near)]
        assert set(near) >= set(wanted) or len(near) == 20


def test_a_word_that_only_sounds_alike_must_share_letters() -> None:
    register_patient("Kai", "Filip")
    assert vocabulary.near_words(["qqqqqq", "phillip"]) == [{}, {"filip": 3}]


def common_by_counting() -> set[str]:
    having: Counter[str] = Counter()
    mine: dict[int, set[str]] = {}
    for seq, word in SearchWord.objects.values_list("seq", "word"):
        mine.setdefault(seq, set()).update(word[:length] for length in range(1, len(word) + 1))
    for prefixes in mine.values():
        having.update(prefixes)
    return {prefix for prefix, count in having.items() if count > vocabulary.COMMON}


def test_the_common_beginnings_are_those_that_counting_finds() -> None:
    insert_patients(10_100)
    assert set(CommonPrefix.objects.values_list("prefix", flat=True)) == common_by_counting() != set()
    assert vocabulary.note_common() == CommonPrefix.objects.count()


def test_what_is_common_is_not_counted_until_enough_have_lost_it() -> None:
    insert_patients(10_100)
    CommonPrefix.objects.filter(prefix="#mrn1").update(least=12_345)  # no count runs: this value is used
    assert patient_search.find("mrn1").is_estimate
    gone = list(SearchWord.objects.filter(word__startswith="#mrn1").values_list("seq", flat=True)[:3_000])
    SearchWord.objects.filter(seq__in=gone, word__startswith="#").delete()
    assert RemovedWord.objects.count() == 3_000
    assert (patient_search.find("mrn1").total, patient_search.find("mrn1").is_estimate) == (7_100, False)
    vocabulary.note_common()
    assert not RemovedWord.objects.exists()
    assert not CommonPrefix.objects.filter(prefix="#mrn1").exists()
    assert patient_search.find("mrn1").total == 7_100


def test_words_that_are_changed_or_emptied_count_as_removed() -> None:
    register_patient("John", "Doe")
    CommonPrefix.objects.create(prefix="doe", least=10_001)
    assert patient_search.find("doe").is_estimate
    SearchWord.objects.filter(word="john").update(shared=1)
    assert [row.word for row in RemovedWord.objects.all()] == ["john"]
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE patients_searchword")
    assert not CommonPrefix.objects.exists()


def test_an_amendment_removes_only_the_words_that_go() -> None:
    patient = register_patient("Jane", "Maiden")
    services.amend(by=SYSTEM, patient_id=patient.pk, changes={"last_name": "Married"})
    assert {row.word for row in RemovedWord.objects.all()} == {"maiden", "=jmaanied e n  "}


def test_a_typo_far_in_a_long_word_is_near() -> None:
    register_patient("Wolfeschlegelsteinhausen", "Bergerdorff")
    dice = random.Random(1)
    word = "wolfeschlegelsteinhausen"
    for _ in range(20):
        at = dice.randrange(len(word))
        assert word in vocabulary.near_words([word[:at] + word[at + 1 :]])[0]
