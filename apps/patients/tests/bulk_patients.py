"""A crowd for tests that need numbers: deterministic people, by COPY, found by the same words as the registered ones."""

import random
from datetime import date, timedelta

from django.db import connection

from apps.common.ids import new_id
from apps.patients import rules
from apps.patients.search import search_terms, vocabulary

FIRST = ["john", "mary", "james", "maria", "robert", "linda", "anna", "jose", "peter", "sarah"]
LAST = ["smith", "garcia", "johnson", "nguyen", "brown", "obrien", "martinez", "lee", "doe", "miller"]
_SYLLABLES = ["ba", "ro", "mi", "ta", "son", "den", "ka", "li", "mar", "vel", "ton", "ber", "gi", "nu", "fer", "os", "an", "el"]
_COLUMNS = """id, created_at, updated_at, mrn, first_name, middle_name, last_name, date_of_birth, gender, language, phone,
phone_e164,
email, street, city, state, zip, emergency_name, emergency_relationship, emergency_phone, insurance_provider,
insurance_policy_number, insurance_group_number, is_active, allergy_status"""


def insert_patients(number: int, seed: int = 5) -> None:
    """Put `number` people into the tables of the running transaction and let the planner know."""
    dice = random.Random(seed)
    first, last = _names(dice, FIRST, number // 250 + 5), _names(dice, LAST, number // 50 + 5)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # a COPY lasts as long as we take to make its rows
        with cursor.copy(f"COPY patients_patient ({_COLUMNS}) FROM STDIN") as rows:
            for one in range(number):
                born = date(1930, 1, 1) + timedelta(days=dice.randrange(35_000))
                phone = f"+1{dice.randrange(2_000_000_000, 9_899_999_999)}"
                person = (dice.choice(first).title(), "", dice.choice(last).title(), born, "female", "", phone, phone)
                rest = (
                    f"p{one}@hims.test",
                    "1 A St",
                    "Here",
                    "CA",
                    "12345",
                    "",
                    "",
                    "",
                    "Blue",
                    f"P{one}",
                    "",
                    one % 10 > 0,
                    "not_asked",
                )
                rows.write_row((new_id(), "2026-01-01Z", "2026-01-01Z", rules.mrn_from(10_000_000 + one), *person, *rest))
        cursor.execute("SELECT seq, first_name, last_name, mrn, phone FROM patients_patient")
        people = cursor.fetchall()
        patient_rows = [
            (seq, *row)
            for seq, first_name, last_name, mrn, phone in people
            for row in search_terms.rows(_words(first_name, last_name, mrn, phone))
        ]
        with cursor.copy("COPY patients_searchword (seq, word, shared) FROM STDIN") as rows:
            for row in patient_rows:
                rows.write_row(row)
        cursor.execute(
            "INSERT INTO patients_nameword SELECT word, dmetaphone(word) FROM unnest(%s::text[]) word ON CONFLICT DO NOTHING",
            [sorted({*first, *last})],
        )
        vocabulary.note_common()
        for table in ("patient", "searchword", "nameword", "commonprefix", "rowcounter"):
            cursor.execute(f"ANALYZE patients_{table}")


def _names(dice: random.Random, known: list[str], made_up: int) -> list[str]:
    """The known names often, made-up ones once each."""
    return known * (made_up // 40 + 1) + ["".join(dice.choices(_SYLLABLES, k=dice.randint(2, 4))) for _ in range(made_up)]


def _words(first_name: str, last_name: str, mrn: str, phone: str) -> set[str]:
    return rules.search_words(names=[first_name, last_name], mrn=mrn, phones=rules.phone_forms(phone, phone))
