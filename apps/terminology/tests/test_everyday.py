"""Clinic words find their diagnoses: lay terms, abbreviations, British spellings, slips of the keyboard."""

import json
import subprocess
import sys
from datetime import date

import pytest

from apps.common.spelling import corrected
from apps.terminology import rules, selectors, services
from apps.terminology.icd10 import everyday_terms, release_files
from apps.terminology.models import IcdCode, IcdWord
from apps.terminology.tests import factories

DAY = date(2026, 7, 1)
FIRST = 3  # a user sees it without scrolling
CLINIC_WORDS = [
    ("heart attack", "I21.9"),
    ("high blood pressure", "I10"),
    ("COPD", "J44.9"),
    ("kidney stone", "N20.0"),
    ("anaemia", "D64.9"),
    ("flu", "J11.1"),
    ("sore throat", "J02.9"),
    ("hypertension", "I10"),
    ("MI", "I21.9"),
    ("heart att", "I21.9"),
    ("hypertention", "I10"),
    ("heart atack", "I21.9"),
    ("anemai", "D64.9"),
    ("oedema", "R60.9"),
    ("diarrhoea", "R19.7"),
    ("oesophagitis", "K20.90"),
    ("cirrhosis", "K74.60"),
    ("stone in kidney", "N20.0"),
    ("renal calculus", "N20.0"),
]
OTHER_CLINIC_WORDS = [  # of codes that the slice does not hold
    ("high bp", "I10"),
    ("chicken pox", "B01.9"),
    ("hayfever", "J30.1"),
    ("AF", "I48.91"),
    ("migrane", "G43.909"),
    ("snake bite", "T63.001A"),
    ("broken arm", "S42.309A"),
    ("fractured wrist", "S62.109A"),
]
READS_BILLABLE = """
import django, json
django.setup()
from apps.terminology.icd10 import everyday_terms, release_files
billable = {entry.code for entry in release_files.read() if entry.billable}
print(json.dumps(sorted(everyday_terms.usual_codes() - billable)))
"""


def codes_for(text: str, limit: int = FIRST) -> list[str]:
    return [row.code for row in selectors.search(text, on=DAY)[:limit]]


@pytest.mark.django_db
class TestSearch:
    @pytest.fixture(autouse=True)
    def slice(self) -> None:
        factories.load()

    @pytest.mark.parametrize(("text", "code"), CLINIC_WORDS)
    def test_a_word_of_the_clinic_finds_its_diagnosis_among_the_first(self, text: str, code: str) -> None:
        assert code in codes_for(text)

    def test_flu_is_influenza_before_flushing(self) -> None:
        assert codes_for("flu", 50)[0] == "J11.1"
        assert "R23.2" in codes_for("flu", 50)

    def test_a_term_of_the_tabular_list_counts_less_than_the_display(self) -> None:
        places = codes_for("calculus", 50)
        assert places.index("N20.0") < len(places)
        assert "Renal calculus" in next(entry for entry in factories.entries() if entry.code == "N20.0").terms

    def test_a_word_that_is_like_no_other_finds_nothing(self) -> None:
        assert codes_for("xqzvwk") == []

    def test_a_known_word_is_not_corrected(self) -> None:
        assert corrected(IcdWord, ["diab"]) == ["diab"]
        assert corrected(IcdWord, ["e119", "zzq"]) == ["e119", "zzq"]

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("hart atack", "I21.9"),  # hart begins other words
            ("kidny stome", "N20.0"),
            ("diabetis melitus", "E11.9"),
            ("sor throt", "J02.9"),
            ("hypertensiom essentiel", "I10"),
        ],
    )
    def test_two_misspelt_words_are_both_corrected_although_one_begins_another_word(self, text: str, code: str) -> None:
        results = selectors.find(text, on=DAY)
        assert code in [row.code for row in results.rows[:50]]
        assert results.fuzzy

    def test_known_words_that_stand_together_nowhere_find_nothing(self) -> None:
        assert codes_for("hypertension fracture") == []
        assert not selectors.find("hypertension fracture", on=DAY).fuzzy

    def test_codes_loaded_without_their_words_get_them_at_the_next_load(self) -> None:
        IcdWord.objects.all().delete()
        IcdCode.objects.update(words="'x':1")
        assert not selectors.is_loaded(factories.APRIL.name)
        assert codes_for("renal stone") == ["N20.0"]  # by the everyday term alone
        assert services.load(release=factories.APRIL, entries=factories.entries()) is None
        assert selectors.is_loaded(factories.APRIL.name)
        assert "N20.0" in codes_for("staghorn")


def test_every_code_of_an_everyday_term_may_stand_on_a_claim() -> None:
    done = subprocess.run([sys.executable, "-c", READS_BILLABLE], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize(("text", "code"), OTHER_CLINIC_WORDS)
def test_a_word_of_the_clinic_means_its_usual_code_first(text: str, code: str) -> None:
    assert everyday_terms.codes(rules.search_words(text))[0] == code


def test_no_everyday_term_stands_twice() -> None:
    words = [term.words for term in everyday_terms.terms()]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("oedema", "edema"),
        ("anaemia", "anemia"),
        ("haemorrhoids", "hemorrhoids"),
        ("tumour", "tumor"),
        ("leukaemia", "leukemia"),
        ("diarrhoea", "diarrhea"),
        ("coeliac", "celiac"),
        ("catheterisation", "catheterization"),
        ("fibre", "fiber"),
    ],
)
def test_british_and_american_spellings_are_one_word(british: str, american: str) -> None:
    assert rules.words(british) == rules.words(american)


@pytest.mark.full
@pytest.mark.django_db
def test_clinic_words_find_their_diagnoses_among_all_codes() -> None:
    services.load(release=release_files.installed_release(), entries=release_files.read())
    missed = {text: codes_for(text) for text, code in [*CLINIC_WORDS, *OTHER_CLINIC_WORDS] if code not in codes_for(text)}
    assert missed == {}
