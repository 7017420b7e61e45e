"""Search and far pages at a fraction of the cost: pairs of names, shared letters, common prefixes, deletions, smaller blocks."""

import django.contrib.postgres.indexes
import django.db.models.expressions
from django.db import migrations, models

# Two words within two edits have one of these in common: the first six letters with none, one or two of them left out
# (SymSpell: Garbe 2012). Dear, so that the planner asks the index.
DELETIONS = """
CREATE FUNCTION patients_deletions(word text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
    SELECT array_agg(DISTINCT substr(w, 1, i - 1) || substr(w, i + 1, j - i - 1) || substr(w, j + 1))
    FROM (SELECT left(word, 6) AS w) begins, generate_series(1, length(w) + 1) AS i, generate_series(i + 1, length(w) + 2) AS j
$$;
"""

# What `words.rows` writes from now on, for whoever is there already.
COVERED = """
DELETE FROM patients_searchword w WHERE left(w.word, 1) IN ('+', '-') AND EXISTS (
    SELECT 1 FROM patients_searchword o WHERE o.seq = w.seq AND o.word > w.word AND left(o.word, length(w.word)) = w.word);
"""
PAIRS = """
INSERT INTO patients_searchword (seq, word, shared)
SELECT DISTINCT a.seq, '=' || (
    SELECT string_agg(substr(rpad(left(a.word, 48) || ' ', n), i, 1) || substr(rpad(left(b.word, 48) || ' ', n), i, 1), '' ORDER BY i)
    FROM generate_series(1, n) AS i), 0
FROM patients_searchword a JOIN patients_searchword b ON a.seq = b.seq AND a.word < b.word,
    LATERAL (SELECT least(greatest(length(a.word), length(b.word)), 48) + 1) AS size (n)
WHERE a.word ~ '^[a-z0-9]' AND b.word ~ '^[a-z0-9]';
"""
SHARED = """
UPDATE patients_searchword w SET shared = found.shared FROM (
    SELECT seq, word, (SELECT coalesce(max(i), 0) FROM generate_series(1, length(before)) AS i WHERE left(word, i) = left(before, i)) AS shared
    FROM (SELECT seq, word, lag(word, 1, '') OVER (PARTITION BY seq ORDER BY word) AS before FROM patients_searchword) one
) found WHERE w.seq = found.seq AND w.word = found.word AND found.shared > 0;
"""
NO_PAIRS = "DELETE FROM patients_searchword WHERE left(word, 1) = '='"

# A word that goes may make a common prefix rare. In an index that is read alone, rows soon have to be marked as seen by all.
REMOVED = """
CREATE FUNCTION patients_words_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO patients_removedword (word) SELECT word FROM gone;
    RETURN NULL;
END $$;
CREATE TRIGGER patients_words_removed AFTER DELETE ON patients_searchword
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION patients_words_removed();
CREATE TRIGGER patients_words_changed AFTER UPDATE ON patients_searchword
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION patients_words_removed();

CREATE FUNCTION patients_words_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM patients_commonprefix;
    RETURN NULL;
END $$;
CREATE TRIGGER patients_words_emptied AFTER TRUNCATE ON patients_searchword FOR EACH STATEMENT EXECUTE FUNCTION patients_words_emptied();

ALTER TABLE patients_searchword SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02);
"""
NOT_REMOVED = """
ALTER TABLE patients_searchword RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_scale_factor);
DROP TRIGGER patients_words_removed ON patients_searchword;
DROP TRIGGER patients_words_changed ON patients_searchword;
DROP TRIGGER patients_words_emptied ON patients_searchword;
DROP FUNCTION patients_words_removed(), patients_words_emptied();
"""


def row_counter(level_0: int, level_1: int) -> str:
    """The functions of migration 0002 for other levels: a block of a level holds two to the power of so many `seq`."""
    return f"""
CREATE OR REPLACE FUNCTION patients_rowcounter_add(bigint, bigint, bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO patients_rowcounter (level, block, listed, active) VALUES (0, $1 >> {level_0}, $2, $3), (1, $1 >> {level_1}, $2, $3);
$$;

CREATE OR REPLACE FUNCTION patients_rowcounter_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO patients_rowcounter (level, block, listed, active)
    SELECT level, seq >> shift, count(*) FILTER (WHERE merged_into_id IS NULL),
           count(*) FILTER (WHERE is_active AND merged_into_id IS NULL)
    FROM fresh, (VALUES (0, {level_0}), (1, {level_1})) levels (level, shift) GROUP BY 1, 2;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION patients_rowcounter_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM patients_rowcounter_add(NEW.seq,
        (NEW.merged_into_id IS NULL)::int - (OLD.merged_into_id IS NULL)::int,
        (NEW.is_active AND NEW.merged_into_id IS NULL)::int - (OLD.is_active AND OLD.merged_into_id IS NULL)::int);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION patients_rowcounter_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM patients_rowcounter_add(OLD.seq, -(OLD.merged_into_id IS NULL)::int,
        -(OLD.is_active AND OLD.merged_into_id IS NULL)::int);
    RETURN NULL;
END $$;

DELETE FROM patients_rowcounter;
INSERT INTO patients_rowcounter (level, block, listed, active)
SELECT level, seq >> shift, count(*), count(*) FILTER (WHERE is_active)
FROM patients_patient, (VALUES (0, {level_0}), (1, {level_1})) levels (level, shift) WHERE merged_into_id IS NULL GROUP BY 1, 2;
"""


# `patients_rowcounter_add` takes a `seq` now; its arguments had names, which are not replaced.
ANEW = """
LOCK TABLE patients_patient IN SHARE ROW EXCLUSIVE MODE;
DROP FUNCTION patients_rowcounter_add(bigint, bigint, bigint);
"""
LEVELS, OLD_LEVELS = ANEW + row_counter(14, 8), ANEW + row_counter(62, 10)


class Migration(migrations.Migration):
    dependencies = [("patients", "0005_suspected_pairs")]
    operations = [
        migrations.RunSQL(LEVELS, OLD_LEVELS),
        migrations.RunSQL(DELETIONS, "DROP FUNCTION patients_deletions(text)"),
        migrations.AddIndex(
            model_name="nameword",
            index=django.contrib.postgres.indexes.GinIndex(
                django.db.models.expressions.Func("word", function="patients_deletions"),
                name="nameword_deletions",
                fastupdate=False,
            ),
        ),
        migrations.CreateModel(
            name="CommonPrefix",
            fields=[
                ("prefix", models.CharField(db_collation="C", max_length=100, primary_key=True, serialize=False)),
                ("least", models.IntegerField()),
            ],
            options={
                "verbose_name_plural": "common prefixes",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("least__gt", 10000)), name="commonprefix_is_common")
                ],
            },
        ),
        migrations.CreateModel(
            name="RemovedWord",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("word", models.CharField(db_collation="C", max_length=100)),
            ],
            options={"indexes": [models.Index(fields=["word"], name="removedword_word")]},
        ),
        migrations.AddField(
            model_name="searchword", name="shared", field=models.SmallIntegerField(default=0), preserve_default=False
        ),
        migrations.RunSQL(COVERED + PAIRS + SHARED, NO_PAIRS),
        migrations.AddConstraint(
            model_name="searchword",
            constraint=models.CheckConstraint(
                condition=models.Q(("shared__gte", 0), ("shared__lt", 100)), name="searchword_shared_is_part"
            ),
        ),
        migrations.RemoveIndex(model_name="searchword", name="searchword_newest"),
        migrations.AddIndex(
            model_name="searchword",
            index=models.Index(fields=["word", "-seq"], include=("shared",), name="searchword_ordered"),
        ),
        migrations.RunSQL(REMOVED, NOT_REMOVED),
    ]
