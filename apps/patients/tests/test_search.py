"""Search among many: plans, counts, misspellings."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.plugin import DjangoDbBlocker

from apps.access.actor import SYSTEM
from apps.common.tests.shared_rows import shared_rows
from apps.patients import rules, selectors, services
from apps.patients.models import CommonPrefix, NameWord, Patient, SearchWord
from apps.patients.search import name_forms, patient_search
from apps.patients.search import vocabulary as vocabulary_of
from apps.patients.tests.bulk_patients import insert_patients
from apps.patients.tests.factories import merge, register_patient
from apps.patients.tests.test_merging import again
from apps.rest.paging import Window

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
    result = patient_search.find(text, **asked)
    people = {row.seq: f"{row.first_name} {row.last_name}" for row in Patient.objects.filter(seq__in=result.seqs)}
    return [people[seq] for seq in result.seqs]


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


@pytest.mark.parametrize("people", [10_000, pytest.param(50_000, marks=pytest.mark.full)])
def test_among_many_no_list_search_or_detail_reads_the_whole_table(people: int) -> None:
    insert_patients(people)
    patient = Patient.objects.filter(last_name="Smith")[0]
    with CaptureQueriesContext(connection) as caught:
        for text in [*TEXTS, "1980-05-15", "smith 15 5 80"]:
            selectors.list_page(visible_to=SYSTEM, text=text)
        for status in ("", "active", "inactive"):
            selectors.list_page(visible_to=SYSTEM, status=status)
            selectors.list_page(visible_to=SYSTEM, status=status, window=Window(4_000))
        selectors.patient(SYSTEM, patient.pk)
    nodes = plans(caught)
    assert len(nodes) > 100
    whole = [
        node
        for node in nodes
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in ("patients_patient", "patients_searchword")
    ]
    assert not whole, whole


def test_a_search_costs_the_same_statements_whatever_it_finds() -> None:
    insert_patients(3_000)
    for text, most in {"john": 3, "mrn10000123": 2, "zzqq": 3, "mary smith": 4, "1980-05-15": 2, "20010203": 2}.items():
        for limit in (1, 100):
            with CaptureQueriesContext(connection) as caught:
                selectors.list_page(visible_to=SYSTEM, text=text, window=Window(limit=limit))
            assert len(caught) <= most, (text, limit, [row["sql"] for row in caught])


def brute(text: str) -> set[int]:
    """Returns the patients that the text fits, by comparing all of them."""
    query = rules.read_query(text, rules.date.today())
    words: dict[int, list[str]] = {}
    for seq, word in SearchWord.objects.values_list("seq", "word"):
        words.setdefault(seq, []).append(word)
    nicknames = {word: name_forms.also_called(word) for word in query.spoken}
    return {
        seq
        for seq, mine in words.items()
        if all(
            any(word.startswith(prefix) for word in mine for prefix in group) or nicknames.get(group[-1], set()) & set(mine)
            for group in query.words
        )
    }


@pytest.fixture(scope="class")
def two_thousand_patients(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with shared_rows(django_db_blocker):
        insert_patients(2_000)
        yield


@pytest.mark.usefixtures("two_thousand_patients")
class TestAmongTwoThousand:
    @pytest.mark.parametrize(
        "text",
        ["j", "jo", "john", "smith", "mary smi", "john do", "a b", "mrn1000", "0 1", "lee anna", "s m j", "bob", "jim smith"],
    )
    def test_search_finds_exactly_what_a_full_scan_finds(self, text: str) -> None:
        expected = brute(text)
        result = patient_search.find(text, limit=5_000)
        assert set(result.seqs) == expected
        assert len(result.seqs) == len(set(result.seqs)) == result.total
        pages = [seq for offset in range(0, result.total, 37) for seq in patient_search.find(text, offset=offset, limit=37).seqs]
        assert pages == result.seqs

    def test_status_narrows_a_search(self) -> None:
        everybody, active, inactive = (
            patient_search.find("john", status=status, limit=5_000) for status in ("", "active", "inactive")
        )
        assert set(active.seqs) | set(inactive.seqs) == set(everybody.seqs)
        assert active.total + inactive.total == everybody.total
        assert inactive.total > 0

    @pytest.mark.parametrize(
        "text", ["j", "john", "mrn1", "john do", "john d", "mary lee smi", "555", "1980-05-15", "jonh", "jonh smiht"]
    )
    @pytest.mark.parametrize("status", ["", "active"])
    def test_the_hidden_are_neither_shown_nor_counted(self, text: str, status: str) -> None:
        register_patient("Mary Lee", "Smith")
        register_patient("John", "Doe")  # born on that day
        everybody = patient_search.find(text, status=status, limit=5_000)
        hidden = everybody.seqs[::3]
        shown = patient_search.find(text, status=status, limit=5_000, hidden=hidden)
        if everybody.total > len(hidden):
            assert shown.seqs == [seq for seq in everybody.seqs if seq not in hidden]
            assert shown.total == everybody.total - len(hidden)
        else:
            assert not set(shown.seqs) & set(hidden)
        assert patient_search.find(text, status=status, hidden=everybody.seqs).seqs == [] or not everybody.fuzzy


def test_a_common_total_stays_exact_for_users_with_hidden_patients() -> None:
    insert_patients(10_004)
    seqs = list(Patient.objects.values_list("seq", flat=True)[:6])
    assert patient_search.find("mrn", hidden=seqs[:3]).is_estimate
    result = patient_search.find("mrn", hidden=seqs)
    assert (result.total, result.is_estimate) == (9_998, False)


def test_of_two_names_the_exact_ones_come_first_and_then_the_newest() -> None:
    for first, last in (("Johnny", "Doe"), ("John", "Doering"), ("John", "Doe"), ("John", "Doe")):
        register_patient(first, last)
    assert names("doe john") == ["John Doe", "John Doe", "Johnny Doe", "John Doering"]
    result = patient_search.find("john doe")
    assert result.seqs[0] > result.seqs[1]


def test_a_patient_with_two_fitting_pairs_is_counted_once() -> None:
    register_patient("John Johnny", "Doe Doering")
    for text in ("john do", "joh doe", "jo do"):
        assert (len(patient_search.find(text).seqs), patient_search.find(text).total) == (1, 1)


def test_a_word_of_letters_may_begin_an_mrn_next_to_a_name() -> None:
    register_patient("Ann", "Doe", mrn="JOHN-7")
    register_patient("John", "Doe")
    assert names("john doe") == ["Ann Doe", "John Doe"]
    assert sorted(names("jo doe")) == ["Ann Doe", "John Doe"]


@pytest.mark.parametrize("text", ["jonh doe smiht", "doe jonh 15 5 80", "jo jonh", "jonh jo smiht"])
def test_several_words_may_be_bent_at_once(text: str) -> None:
    register_patient("John", "Doe Smith")
    register_patient("Joan", "Miller")
    assert names(text)[0] == "John Doe Smith"
    assert patient_search.find(text).fuzzy


def test_more_than_ten_thousand_matches_are_an_estimate() -> None:
    insert_patients(10_100)
    result = patient_search.find("mrn100")
    assert (result.total, result.is_estimate) == (10_000, True)
    assert len(result.seqs) == 20


def test_who_is_called_exactly_so_comes_first() -> None:
    for last in ("Smithson", "Smith", "Smithers"):
        register_patient("Ann", last)
    assert names("smith") == ["Ann Smith", "Ann Smithers", "Ann Smithson"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("jonh doe", "John Doe"),
        ("garcai", "Catherine Garcia"),
        ("kathrine garsia", "Catherine Garcia"),
        ("stephan", "Steven Nguyen"),
        ("nguyn", "Steven Nguyen"),
        ("doe johm", "John Doe"),
        ("obrein", "Sinéad O'Brien"),
    ],
)
def test_a_misspelt_misheard_or_swapped_name_is_found_and_marked_as_near(text: str, first: str) -> None:
    for name in ("John Doe", "Catherine Garcia", "Steven Nguyen", "Sinéad O'Brien", "Someone Else"):
        register_patient(*name.split())
    result = patient_search.find(text)
    assert names(text)[0] == first
    assert result.fuzzy


def test_what_fits_is_never_called_near() -> None:
    register_patient("John", "Doe")
    assert patient_search.find("doe").fuzzy is False
    assert patient_search.find("qqqqqq").fuzzy is False
    assert patient_search.find("j_hn").total == patient_search.find("joh%").total == 0


def test_one_edit_in_a_name_is_nearly_always_undone() -> None:
    insert_patients(5_000)
    dice, matched, asked = random.Random(3), 0, 0
    vocabulary = sorted({word for word in SearchWord.objects.values_list("word", flat=True) if word.isalpha() and len(word) > 3})
    for word in dice.sample(vocabulary, min(150, len(vocabulary))):
        (near,) = vocabulary_of.near_words([misspell(word, dice)])
        asked += 1
        matched += word in near
    print(f"one edit undone: {matched} of {asked}")
    assert matched / asked >= 0.97


def misspell(word: str, dice: random.Random) -> str:
    """One letter left out, doubled up, exchanged or swapped with the next."""
    at = dice.randrange(len(word) - 1)
    letter = dice.choice("abcdefghijklmnopqrstuvwxyz")
    edits = (word[:at] + word[at + 1 :], word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :])
    return dice.choice([*edits, word[:at] + word[at + 1] + word[at] + word[at + 2 :]])


def test_the_repair_command_writes_words_and_counts_anew(capsys: pytest.CaptureFixture[str]) -> None:
    register_patient("John", "Doe")
    SearchWord.objects.all().delete()
    assert patient_search.find("doe").total == 0
    call_command("repair_patient_list")
    assert patient_search.find("doe").total == 1
    assert "1 patients" in capsys.readouterr().out


def test_the_repair_command_repairs_pairs_shared_letters_and_common_beginnings() -> None:
    patient = register_patient("Mary", "Martinez")
    wanted = set(SearchWord.objects.values_list("seq", "word", "shared"))
    SearchWord.objects.filter(word__startswith="=").delete()
    SearchWord.objects.filter(word="mary").update(shared=0)
    SearchWord.objects.create(seq=patient.seq, word="stray", shared=0)
    CommonPrefix.objects.create(prefix="mar", least=99_999)
    NameWord.objects.all().delete()
    call_command("repair_patient_list")
    assert set(SearchWord.objects.values_list("seq", "word", "shared")) == wanted
    assert (patient_search.find("mar").total, patient_search.find("mary mart").total) == (1, 1)
    assert patient_search.find("marry").fuzzy


# --- written, dialled or called otherwise


def exact(text: str) -> list[int]:
    """Who is found, as an exact match."""
    result = patient_search.find(text)
    assert not result.fuzzy, text
    assert result.total == len(result.seqs)
    return result.seqs


@pytest.mark.parametrize(
    "text", ["Doe,John", "DOE^JOHN", "Doe/John", "doe, john", "John.Doe", "DOE^JOHN^", "Doe;John", "doe،john"]
)
def test_whatever_parts_two_names_they_are_found(text: str) -> None:
    john = register_patient("John", "Doe")
    register_patient("Peter", "Doe")
    assert exact(text) == [john.seq]


@pytest.mark.parametrize(
    ("first", "last", "texts"),
    [
        (
            "Anna",
            "van der Meer-Smit",
            ["meer-smit", "Anna Meer-Smit", "van der Meer-Smit", "Meersmit", "anna smit", "vandermeersmit"],
        ),
        ("Maria", "Garcia Smith-Jones", ["smith-jones", "maria smith-jones", "garcia smithjones", "Jones Smith"]),
        ("Anna Marie-Luise", "Koch", ["marie-luise", "koch marie-lu", "marieluise"]),
    ],
)
def test_a_double_barrelled_name_is_found_wherever_it_is_in_its_field(first: str, last: str, texts: list[str]) -> None:
    patient = register_patient(first, last)
    register_patient("Other", "Smit-Meer")
    for text in texts:
        assert exact(text) == [patient.seq], text


def test_a_misspelt_double_barrelled_name_is_near() -> None:
    patient = register_patient("Anna", "van der Meer-Smit")
    for text in ("meer-smti", "anna meer-smith"):
        result = patient_search.find(text)
        assert (result.seqs, result.fuzzy) == ([patient.seq], True), text


@pytest.mark.parametrize(
    ("first", "last"), [("健一", "佐々木"), ("佐々木", "健一"), ("—", "佐々木健一"), ("佐々木 健一", "Sasaki")]
)
@pytest.mark.parametrize("text", ["佐々木健一", "佐々木 健一", "佐々木\u3000健一", "佐々木", "健一", "佐々木健", "健一 佐々木"])
def test_a_name_without_a_space_is_found_however_it_was_entered(first: str, last: str, text: str) -> None:
    kenichi = register_patient(first, last)
    register_patient("太郎", "山田")
    assert exact(text) == [kenichi.seq]


@pytest.mark.parametrize(
    ("first", "last", "text"), [("小龙", "李", "李小龙"), ("철수", "김", "김철수"), ("スミス", "ジョン", "ジョン・スミス")]
)
def test_chinese_korean_and_katakana_names_are_found_in_one_run(first: str, last: str, text: str) -> None:
    patient = register_patient(first, last)
    assert exact(text) == [patient.seq]


@pytest.mark.parametrize(
    ("country", "stored", "texts"),
    [
        (
            "KE",
            "+254 712 345 672",
            ["0712345672", "0712 345 672", "+254712345672", "254712345672", "000254712345672", "712345672"],
        ),
        ("KE", "0712 345 672", ["+254 712 345 672", "0712345672"]),
        ("US", "+254 712 345 672", ["0712345672", "011254712345672"]),
        ("GB", "+44 20 7946 0018", ["020 7946 0018", "02079460018", "0044 20 7946 0018"]),
        ("IT", "+39 06 1234 5678", ["0612345678"]),
        ("US", "(213) 373-4253", ["213-373-4253", "1 213 373 4253", "3734253", "213/373-4253"]),
        ("RU", "+7 912 345-67-89", ["8 912 345 67 89"]),
    ],
)
def test_a_number_is_found_as_it_is_dialled_at_home_and_from_abroad(
    country: str, stored: str, texts: list[str], settings: Any
) -> None:
    settings.CLINIC_COUNTRY = country
    patient = register_patient(phone=stored)
    register_patient("Other", "Person", phone="+254 733 000 000")
    for text in texts:
        assert exact(text) == [patient.seq], text


@pytest.mark.parametrize("mrn", ["20011231", "12-05-80", "MRN19870412", "A-1987-04-12", "010280"])
def test_an_mrn_that_reads_as_a_date_is_matched(mrn: str) -> None:
    patient = register_patient("Rosa", "Diaz", mrn=mrn)
    register_patient("Other", "Person")
    assert exact(mrn) == [patient.seq]


@pytest.mark.parametrize("mrn", ["20011231", "12-05-80", "MRN19870412"])
def test_an_mrn_that_reads_as_a_date_is_matched_next_to_a_name(mrn: str) -> None:
    patient = register_patient("Rosa", "Diaz", mrn=mrn)
    register_patient("Rosa", "Diaz")
    assert exact(f"diaz {mrn}") == [patient.seq]


def test_a_telephone_number_that_begins_like_a_date_is_matched(settings: Any) -> None:
    settings.CLINIC_COUNTRY = "FR"
    patient = register_patient("Rosa", "Diaz", phone="+33 6 12 34 56 78")
    register_patient("Other", "Person")
    for text in ("06 12 34 56 78", "diaz 06 12 34 56 78", "06.12.34.56.78"):
        assert exact(text) == [patient.seq], text


def test_a_date_of_birth_and_a_number_that_read_alike_both_match() -> None:
    born = register_patient("Rosa", "Diaz", born=rules.date(2001, 12, 31))
    numbered = register_patient("Ana", "Diaz", mrn="20011231")
    assert exact("20011231") == [numbered.seq, born.seq]
    assert patient_search.find("20011231", hidden=[numbered.seq]).seqs == [born.seq]
    assert exact("diaz 20011231") == [born.seq]  # next to a name it is the date, if that matches
    sasaki = register_patient("健一", "佐々木", born=rules.date(2001, 12, 31))
    register_patient("健二", "佐々木", mrn="20011231-2")
    assert exact("佐 20011231") == [sasaki.seq]


def test_the_old_numbers_and_names_of_a_merge_find_the_survivor_until_it_is_undone() -> None:
    retired = register_patient("Jonathan", "Dough", phone="(213) 373-4253")
    survivor = register_patient("Philippa", "Doe", phone="(310) 555-0199")
    done = merge(retired, survivor)
    for text in ("213 373 4253", "+12133734253", "310 555 0199", "jonathan dough"):
        assert exact(text) == [survivor.seq], text
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert (exact("213 373 4253"), exact("310 555 0199")) == ([retired.seq], [survivor.seq])
    done = merge(again(retired), again(survivor), phone="retired", first_name="retired")
    for text in ("310 555 0199", "213 373 4253", "philippa doe", "jonathan doe"):
        assert exact(text) == [survivor.seq], text
    services.amend(by=SYSTEM, patient_id=survivor.pk, changes={"phone": "(415) 555-0134"})
    assert exact("310 555 0199") == exact("415 555 0134") == [survivor.seq]


@pytest.mark.parametrize(
    ("stored", "text"),
    [("Roberta", "Bobbie"), ("Bobbie", "Roberta"), ("William", "bill"), ("Peggy", "Margaret"), ("Elizabeth", "Liz")],
)
@pytest.mark.parametrize("also", ["", " jones", " 1980-05-15", " jones 1980-05-15"])
def test_a_person_is_found_by_a_nickname_and_by_the_full_name(stored: str, text: str, also: str) -> None:
    patient = register_patient(stored, "Jones")
    register_patient("Zachary", "Jones")
    assert exact(text + also) == [patient.seq]


def test_who_is_called_as_typed_comes_before_nicknames_and_each_counts_once() -> None:
    bobbie, roberta = register_patient("Bobbie", "Jones"), [register_patient("Roberta", f"Jones{letter}") for letter in "abc"]
    both = register_patient("Bobbie", "Jones", middle_name="Roberta")
    newest = [row.seq for row in reversed(roberta)]
    assert exact("bobbie") == [both.seq, bobbie.seq, *newest]
    assert exact("bobbie jones") == [both.seq, bobbie.seq, *newest]
    pages = [patient_search.find("bobbie", offset=offset, limit=2) for offset in (0, 2, 4, 6)]
    assert [page.seqs for page in pages] == [[both.seq, bobbie.seq], newest[:2], newest[2:], []]
    assert {page.total for page in pages} == {5}
    services.deactivate(by=SYSTEM, patient_id=roberta[0].pk)
    assert patient_search.find("bobbie", status="active").total == 4
    assert patient_search.find("bobbie", hidden=[roberta[1].seq]).total == 4


@pytest.mark.parametrize(
    ("stored", "texts"),
    [
        ("الزهراء", ["الزهراء", "زهراء"]),
        ("زهراء", ["الزهراء", "زهراء"]),
        ("al-Zahra", ["zahra", "al-zahra", "alzahra", "al zahra", "el-zahra", "Az-Zahra"]),
        ("Zahra", ["zahra", "al-zahra", "al zahra", "az-zahra", "El-Zahra"]),
        ("El Sayed", ["sayed", "el-sayed", "el sayed", "elsayed", "as-Sayed"]),
        ("Alzahra", ["alzahra", "al-zahra"]),
    ],
)
def test_a_name_is_found_with_and_without_the_arabic_article(stored: str, texts: list[str]) -> None:
    patient = register_patient("فاطمة", stored)
    register_patient("Alan", "Elias")
    for text in texts:
        assert exact(text) == [patient.seq], text
        assert exact(f"فاطمة {text}") == [patient.seq], text


def test_a_name_with_a_percent_sign_is_found_by_it_and_by_the_rest() -> None:
    odd, plain = register_patient("Zoe", "O’Brien%"), register_patient("Zoe", "O’Brien")
    assert exact("O’Brien%") == exact("o'brien%") == exact("zoe O'Brien%") == [odd.seq]
    assert set(exact("obrien")) == {odd.seq, plain.seq}
    assert exact("%") == exact("O%n") == []


def test_a_repair_writes_the_words_of_every_patient_anew() -> None:
    people = [
        register_patient("健一", "佐々木"),
        register_patient("فاطمة", "الزهراء", phone="+254 712 345 672"),
        register_patient("Zoe", "O’Brien%"),
    ]
    retired, survivor = (
        register_patient("Jonathan", "Dough", phone="(213) 373-4253"),
        register_patient("Philippa", "Doe", phone="(310) 555-0199"),
    )
    merge(retired, survivor, phone="retired")
    written = set(SearchWord.objects.values_list("seq", "word", "shared"))
    assert {row.seq for row in (*people, survivor)} == {seq for seq, _, _ in written}
    with connection.cursor() as cursor:  # words that were lost, or that no patient has
        cursor.execute("DELETE FROM patients_searchword WHERE left(word, 1) IN ('^', '+', '-') OR word LIKE '%\\%'")
        cursor.execute("UPDATE patients_searchword SET shared = 0")
        cursor.execute("INSERT INTO patients_searchword VALUES (%s, 'stale', 0)", [survivor.seq])
        cursor.execute("DELETE FROM patients_nameword")
    call_command("repair_patient_list", verbosity=0)
    assert set(SearchWord.objects.values_list("seq", "word", "shared")) == written
    assert NameWord.objects.filter(word="philippa").exists()
