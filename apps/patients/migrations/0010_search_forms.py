"""Everybody's search words anew: national telephone numbers, runs without spaces, the Arabic article, what a merge replaced.

Reads the columns it needs and the rules as they are now; `manage.py repair_patient_list` does the same at any time.
"""

from collections import defaultdict

from django.conf import settings
from django.db import migrations

from apps.patients import rules
from apps.patients.search import search_terms

BATCH = 2_000
READ = ("id", "seq", "first_name", "middle_name", "last_name", "mrn", "phone", "phone_e164")
WRITTEN_ANEW = """
WITH wanted AS (SELECT * FROM unnest(%s::bigint[], %s::text[], %s::smallint[]) AS w (seq, word, shared)),
gone AS (
    DELETE FROM patients_searchword old WHERE old.seq = ANY(%s)
      AND NOT EXISTS (SELECT FROM wanted w WHERE (w.seq, w.word) = (old.seq, old.word)))
INSERT INTO patients_searchword (seq, word, shared) SELECT seq, word, shared FROM wanted
ON CONFLICT (seq, word) DO UPDATE SET shared = excluded.shared WHERE patients_searchword.shared <> excluded.shared
"""
VOCABULARY = """
INSERT INTO patients_nameword (word, sound) SELECT word, dmetaphone(word) FROM unnest(%s::text[]) AS word ORDER BY word
ON CONFLICT DO NOTHING
"""


def write_anew(apps, schema_editor):
    patients, merges = apps.get_model("patients", "Patient").objects, apps.get_model("patients", "Merge").objects
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        last = 0
        while batch := list(patients.filter(seq__gt=last, merged_into=None).order_by("seq").values(*READ)[:BATCH]):
            last = batch[-1]["seq"]
            rows = _rows(batch, patients, merges)
            seqs, found, shared = zip(*rows, strict=True)
            cursor.execute(WRITTEN_ANEW, [list(seqs), list(found), list(shared), [row["seq"] for row in batch]])
            cursor.execute(VOCABULARY, [sorted({word for word in found if word.isalpha()})])


def _rows(batch, patients, merges):
    forms = defaultdict(list)
    for row in patients.filter(merged_into__in=[row["id"] for row in batch]).values(*READ, "merged_into"):
        forms[row["merged_into"]].append(row)
    numbers = {row["id"]: row["mrn"] for row in batch}
    for survivor, fields in merges.filter(survivor__in=numbers, undone_at=None).values_list("survivor", "fields"):
        before = {name: fields.get(name, {}).get("before", "") for name in ("first_name", "middle_name", "last_name", "phone")}
        dialled = rules.e164(before["phone"], settings.CLINIC_COUNTRY)
        forms[survivor].append(before | {"mrn": numbers[survivor], "phone_e164": dialled})
    return [
        (row["seq"], *line) for row in batch for line in search_terms.rows(set().union(*map(_words, [row, *forms[row["id"]]])))
    ]


def _words(row):
    names = [row["first_name"], row["middle_name"], row["last_name"]]
    return rules.search_words(names=names, mrn=row["mrn"], phones=rules.phone_forms(row["phone"], row["phone_e164"]))


class Migration(migrations.Migration):
    dependencies = [("patients", "0009_chart_settled")]
    operations = [migrations.RunPython(write_anew, migrations.RunPython.noop)]
