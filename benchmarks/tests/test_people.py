"""The generated crowd: always the same one, and one that HIMS could have registered itself."""

import hashlib
from collections import Counter
from dataclasses import fields
from datetime import date

import pytest
from django.conf import settings
from django.db import connection

from apps.access.actor import SYSTEM
from apps.patients import rules, services
from apps.patients.lists import sql
from apps.patients.models import NameWord, Patient, SearchWord
from apps.patients.services import registry
from benchmarks import load, names, patient_tables, people

FIRST = {"first_seq": 1_000, "first_mrn": 500}
ROWS = 10_000


@pytest.fixture(scope="module")
def crowd():
    return list(people.persons(0, of=ROWS, **FIRST))


@pytest.fixture
def copied(crowd, db):
    """The first thousand, copied as a load copies them, and taken back after the test."""
    connection.ensure_connection()
    load.send(
        connection.connection, patient_tables.PATIENTS, patient_tables.PATIENT_COLUMNS, map(patient_tables.patient_line, crowd)
    )
    load.send(connection.connection, patient_tables.WORDS, patient_tables.WORD_COLUMNS, map(patient_tables.word_lines, crowd))
    return Patient.objects.filter(seq__gte=FIRST["first_seq"])


def test_the_first_thousand_are_always_the_same(crowd):
    text = "".join(f"{tuple(person.items())}\n" for person in crowd)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "ccf4cf1df8ae8c47", "a new generator needs a new people.VERSION"


def test_a_block_needs_no_other_block():
    alone = list(people.persons(3, of=ROWS, **FIRST))
    list(people.persons(2, of=ROWS, **FIRST))
    assert list(people.persons(3, of=ROWS, **FIRST)) == alone


def test_the_last_block_ends_with_the_last_patient():
    assert len(list(people.persons(1, of=1_250, **FIRST))) == 250
    assert [len(people.blocks(rows)) for rows in (1, 1_000, 1_001)] == [1, 1, 2]


def test_a_sampled_patient_is_the_one_who_was_generated(crowd):
    sampled = people.sample(ROWS, 20, **FIRST)
    assert sampled[0] == crowd[250]
    assert len({person["id"] for person in sampled}) == 20


def test_names_have_a_long_tail(crowd):
    words = {word for name in names.given() + names.family() for word in rules.words(name)}
    assert len(words) > 22_000
    counts = Counter(person["last_name"] for person in crowd)
    assert counts.most_common(1)[0][1] > 5
    assert len(counts) > 600
    assert any(not (person["last_name"] or "").isascii() for person in crowd)


@pytest.mark.django_db
@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.full)])
def test_hims_would_accept_everybody(copied, step):
    """Every tenth by default, everybody in the long run."""
    assert copied.count() == 1_000
    for row in copied.order_by("seq")[::step]:
        row.full_clean()
        assert rules.birth_problem(row.date_of_birth, date(2026, 1, 6)) is None
        assert row.phone_e164 == rules.e164(row.phone, settings.CLINIC_COUNTRY), row.phone


@pytest.mark.django_db
def test_the_words_are_those_the_service_writes(crowd):
    columns = [field.name for field in fields(services.Registration)]
    for person in crowd[:40]:
        values = {name: person[name] for name in columns if name in person}
        born = date.fromisoformat(values.pop("date_of_birth"))
        patient = services.register(by=SYSTEM, registration=services.Registration(date_of_birth=born, **values)).patient
        written = "".join(
            f"{row.word}\t{row.shared}\t{row.seq}\n" for row in SearchWord.objects.filter(seq=patient.seq).order_by("word")
        )
        assert written == patient_tables.word_lines(person | {"seq": str(patient.seq)})


@pytest.mark.django_db
def test_the_insert_of_the_write_tax_fits_the_table():
    with connection.cursor() as cursor:
        cursor.execute(patient_tables.INSERT)
        cursor.execute(patient_tables.INSERT)
    assert Patient.objects.filter(first_name="Load").count() == 2


@pytest.mark.django_db
def test_the_vocabulary_is_the_one_the_service_writes(copied):
    with connection.cursor() as cursor:
        cursor.execute(patient_tables.AFTER_LOADING[0])
    loaded = set(NameWord.objects.values_list("word", "sound"))
    NameWord.objects.all().delete()
    registry.write_search_words(copied)
    assert set(NameWord.objects.values_list("word", "sound")) == loaded


@pytest.mark.django_db
def test_a_load_leaves_the_total_right(copied):
    with connection.cursor() as cursor:
        cursor.execute(patient_tables.COMPACT)
    assert sql.total() == 1_000
