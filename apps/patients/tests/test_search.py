"""Search among many: plans, counts, misspellings."""

import json
import random
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.patients import rules, search, selectors
from apps.patients import vocabulary as vocabulary_of
from apps.patients.models import CommonPrefix, NameWord, Patient, SearchWord
from apps.patients.tests.crowd import move_in
from apps.patients.tests.factories import admit

pytestmark = pytest.mark.django_db

TEXTS = [
    "j",
    "jo",
    "john",
    "smith",
    "mrn1000",
    "MRN10000123",
    "345678",
    "zzqqxx",
    "mary smi",
    "john do",
    "a b",
    "jonh",
    "jonh smiht",
    "john d",
    "m smith",
    "smith 555",
    "mary john smith",
]


def names(text: str, **asked: Any) -> list[str]:
    found = search.find(text, **asked)
    people = {row.seq: f"{row.first_name} {row.last_name}" for row in Patient.objects.filter(seq__in=found.seqs)}
    return [people[seq] for seq in found.seqs]


def plans(caught: Any) -> list[dict[str, Any]]:
    """Every node of the plans of the captured reads."""
    nodes: list[dict[str, Any]] = []
    for row in caught:
        if row["sql"].startswith(("SELECT", "WITH", "\n")):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (FORMAT JSON) " + row["sql"].replace("%", "%%"), [])
                answer = cursor.fetchone()[0]
            stack = [(json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]]
            while stack:
                node = stack.pop()
                nodes.append(node)
                stack += node.get("Plans", [])
    return nodes


def test_among_fifty_thousand_no_list_search_or_detail_reads_the_whole_table() -> None:
    move_in(50_000)
    somebody = Patient.objects.filter(last_name="Smith")[0]
    with CaptureQueriesContext(connection) as caught:
        for text in [*TEXTS, "1980-05-15", "smith 15 5 80"]:
            selectors.listing(visible_to=SYSTEM, text=text)
        for status in ("", "active", "inactive"):
            selectors.listing(visible_to=SYSTEM, status=status)
            selectors.listing(visible_to=SYSTEM, status=status, offset=4_000)
        selectors.patient(SYSTEM, somebody.pk)
    nodes = plans(caught)
    assert len(nodes) > 100
    whole = [
        node
        for node in nodes
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in ("patients_patient", "patients_searchword")
    ]
    assert not whole, whole


def test_a_search_costs_the_same_statements_whatever_it_finds() -> None:
    move_in(3_000)
    for text, most in {"john": 2, "mrn10000123": 2, "zzqq": 3, "mary smith": 3, "1980-05-15": 2}.items():
        for limit in (1, 100):
            with CaptureQueriesContext(connection) as caught:
                selectors.listing(visible_to=SYSTEM, text=text, limit=limit)
            assert len(caught) <= most, (text, limit, [row["sql"] for row in caught])


def brute(text: str) -> set[int]:
    """Whom the text fits, by looking at everybody."""
    query = rules.read_query(text, rules.date.today())
    words: dict[int, list[str]] = {}
    for seq, word in SearchWord.objects.values_list("seq", "word"):
        words.setdefault(seq, []).append(word)
    return {
        seq
        for seq, mine in words.items()
        if all(any(word.startswith(prefix) for word in mine for prefix in group) for group in query.words)
    }


@pytest.mark.parametrize(
    "text", ["j", "jo", "john", "smith", "mary smi", "john do", "a b", "mrn1000", "0 1", "lee anna", "s m j"]
)
def test_search_finds_exactly_those_whom_looking_at_everybody_finds(text: str) -> None:
    move_in(2_000)
    expected = brute(text)
    found = search.find(text, limit=5_000)
    assert set(found.seqs) == expected
    assert len(found.seqs) == len(set(found.seqs)) == found.total
    pages = [seq for offset in range(0, found.total, 37) for seq in search.find(text, offset=offset, limit=37).seqs]
    assert pages == found.seqs


def test_status_narrows_a_search() -> None:
    move_in(2_000)
    everybody, active, inactive = (search.find("john", status=status, limit=5_000) for status in ("", "active", "inactive"))
    assert set(active.seqs) | set(inactive.seqs) == set(everybody.seqs)
    assert active.total + inactive.total == everybody.total
    assert inactive.total > 0


@pytest.mark.parametrize(
    "text", ["j", "john", "mrn1", "john do", "john d", "mary lee smi", "555", "1980-05-15", "jonh", "jonh smiht"]
)
@pytest.mark.parametrize("status", ["", "active"])
def test_the_hidden_are_neither_shown_nor_counted(text: str, status: str) -> None:
    move_in(2_000)
    admit("Mary Lee", "Smith")
    admit("John", "Doe")  # born on that day
    everybody = search.find(text, status=status, limit=5_000)
    hidden = everybody.seqs[::3]
    shown = search.find(text, status=status, limit=5_000, hidden=hidden)
    if everybody.total > len(hidden):
        assert shown.seqs == [seq for seq in everybody.seqs if seq not in hidden]
        assert shown.total == everybody.total - len(hidden)
    else:
        assert not set(shown.seqs) & set(hidden)
    assert search.find(text, status=status, hidden=everybody.seqs).seqs == [] or not everybody.fuzzy


def test_what_is_common_stays_exact_for_whom_some_are_hidden() -> None:
    move_in(10_004)
    seqs = list(Patient.objects.values_list("seq", flat=True)[:6])
    assert search.find("mrn", hidden=seqs[:3]).is_estimate
    found = search.find("mrn", hidden=seqs)
    assert (found.total, found.is_estimate) == (9_998, False)


def test_of_two_names_the_exact_ones_come_first_and_then_the_newest() -> None:
    for first, last in (("Johnny", "Doe"), ("John", "Doering"), ("John", "Doe"), ("John", "Doe")):
        admit(first, last)
    assert names("doe john") == ["John Doe", "John Doe", "Johnny Doe", "John Doering"]
    found = search.find("john doe")
    assert found.seqs[0] > found.seqs[1]


def test_somebody_with_two_fitting_pairs_is_counted_once() -> None:
    admit("John Johnny", "Doe Doering")
    for text in ("john do", "joh doe", "jo do"):
        assert (len(search.find(text).seqs), search.find(text).total) == (1, 1)


def test_a_word_of_letters_may_begin_an_mrn_beside_a_name() -> None:
    admit("Ann", "Doe", mrn="JOHN-7")
    admit("John", "Doe")
    assert names("john doe") == ["Ann Doe", "John Doe"]
    assert sorted(names("jo doe")) == ["Ann Doe", "John Doe"]


@pytest.mark.parametrize("text", ["jonh doe smiht", "doe jonh 15 5 80", "jo jonh", "jonh jo smiht"])
def test_several_words_may_be_bent_at_once(text: str) -> None:
    admit("John", "Doe Smith")
    admit("Joan", "Miller")
    assert names(text)[0] == "John Doe Smith"
    assert search.find(text).fuzzy


def test_more_than_ten_thousand_matches_are_an_estimate() -> None:
    move_in(15_000)
    found = search.find("mrn100")
    assert (found.total, found.is_estimate) == (10_000, True)
    assert len(found.seqs) == 20


def test_who_is_called_exactly_so_comes_first() -> None:
    for last in ("Smithson", "Smith", "Smithers"):
        admit("Ann", last)
    assert names("smith") == ["Ann Smith", "Ann Smithers", "Ann Smithson"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("jonh doe", "John Doe"),
        ("garcai", "Catherine Garcia"),
        ("kathrine garsia", "Catherine Garcia"),
        ("stephan", "Steven Nguyen"),
        ("nguyn", "Steven Nguyen"),
        ("doe jon", "John Doe"),
        ("obrein", "Sinéad O'Brien"),
    ],
)
def test_a_misspelt_misheard_or_swapped_name_is_found_and_said_to_be_near(text: str, first: str) -> None:
    for name in ("John Doe", "Catherine Garcia", "Steven Nguyen", "Sinéad O'Brien", "Someone Else"):
        admit(*name.split())
    found = search.find(text)
    assert names(text)[0] == first
    assert found.fuzzy


def test_what_fits_is_never_called_near() -> None:
    admit("John", "Doe")
    assert search.find("doe").fuzzy is False
    assert search.find("qqqqqq").fuzzy is False
    assert search.find("j_hn").total == search.find("joh%").total == 0


def test_one_edit_in_a_name_is_nearly_always_undone() -> None:
    move_in(5_000)
    dice, found, asked = random.Random(3), 0, 0
    vocabulary = sorted({word for word in SearchWord.objects.values_list("word", flat=True) if word.isalpha() and len(word) > 3})
    for word in dice.sample(vocabulary, min(150, len(vocabulary))):
        (near,) = vocabulary_of.near_words([misspell(word, dice)])
        asked += 1
        found += word in near
    print(f"one edit undone: {found} of {asked}")
    assert found / asked >= 0.97


def misspell(word: str, dice: random.Random) -> str:
    """One letter left out, doubled up, exchanged or swapped with the next."""
    at = dice.randrange(len(word) - 1)
    letter = dice.choice("abcdefghijklmnopqrstuvwxyz")
    edits = (word[:at] + word[at + 1 :], word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :])
    return dice.choice([*edits, word[:at] + word[at + 1] + word[at] + word[at + 2 :]])


def test_the_repair_command_writes_words_and_counts_anew(capsys: pytest.CaptureFixture[str]) -> None:
    admit("John", "Doe")
    SearchWord.objects.all().delete()
    assert search.find("doe").total == 0
    call_command("repair_patient_list")
    assert search.find("doe").total == 1
    assert "1 patients" in capsys.readouterr().out


def test_the_repair_command_repairs_pairs_shared_letters_and_common_beginnings() -> None:
    patient = admit("Mary", "Martinez")
    wanted = set(SearchWord.objects.values_list("seq", "word", "shared"))
    SearchWord.objects.filter(word__startswith="=").delete()
    SearchWord.objects.filter(word="mary").update(shared=0)
    SearchWord.objects.create(seq=patient.seq, word="stray", shared=0)
    CommonPrefix.objects.create(prefix="mar", least=99_999)
    NameWord.objects.all().delete()
    call_command("repair_patient_list")
    assert set(SearchWord.objects.values_list("seq", "word", "shared")) == wanted
    assert (search.find("mar").total, search.find("mary mart").total) == (1, 1)
    assert search.find("marry").fuzzy
