"""Triggers of the patients app: the row counter of the list, duplicate candidates, words that were removed, emergency access."""

from django.db import migrations

from apps.common.row_counters import RowCounter
from apps.common.row_counters.operation import CreateRowCounter

COUNTER = RowCounter(
    "patients_rowcounter",
    counted="patients_patient",
    columns={"listed": "merged_into_id IS NULL", "active": "is_active AND merged_into_id IS NULL"},
    changes_with=("is_active", "merged_into_id"),
    block_by="seq",
    block_bits=(14, 8),
)

# Two triggers remove candidates that were decided, a third keeps them from coming back. They look at committed rows only: a service
# that writes a candidate, tells two people apart or merges them holds the locks of both patients.
CANDIDATES = """
CREATE FUNCTION patients_duplicatecandidate_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM patients_notduplicate WHERE low_id = NEW.low_id AND high_id = NEW.high_id) THEN
        RAISE EXCEPTION 'a user recorded that these are two people'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'duplicate_candidate_not_told_apart';
    END IF;
    IF EXISTS (SELECT FROM patients_patient WHERE id IN (NEW.low_id, NEW.high_id) AND merged_into_id IS NOT NULL) THEN
        RAISE EXCEPTION 'one of these records was merged'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'duplicate_candidate_not_merged';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER patients_duplicatecandidate_check BEFORE INSERT OR UPDATE ON patients_duplicatecandidate
    FOR EACH ROW EXECUTE FUNCTION patients_duplicatecandidate_check();

CREATE FUNCTION patients_duplicatecandidate_dismiss() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM patients_duplicatecandidate WHERE low_id = NEW.low_id AND high_id = NEW.high_id;
    RETURN NULL;
END $$;
CREATE TRIGGER patients_duplicatecandidate_dismiss AFTER INSERT OR UPDATE ON patients_notduplicate
    FOR EACH ROW EXECUTE FUNCTION patients_duplicatecandidate_dismiss();

CREATE FUNCTION patients_duplicatecandidate_merge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM patients_duplicatecandidate WHERE low_id = NEW.id OR high_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER patients_duplicatecandidate_merge AFTER UPDATE OF merged_into_id ON patients_patient FOR EACH ROW
    WHEN (NEW.merged_into_id IS NOT NULL AND OLD.merged_into_id IS DISTINCT FROM NEW.merged_into_id)
    EXECUTE FUNCTION patients_duplicatecandidate_merge();
"""
NO_CANDIDATES = """
DROP TRIGGER patients_duplicatecandidate_merge ON patients_patient;
DROP TRIGGER patients_duplicatecandidate_dismiss ON patients_notduplicate;
DROP TRIGGER patients_duplicatecandidate_check ON patients_duplicatecandidate;
DROP FUNCTION patients_duplicatecandidate_merge(), patients_duplicatecandidate_dismiss(), patients_duplicatecandidate_check();
"""

# A word that is removed may make a common prefix rare. The index is read alone, so its rows soon have to be marked as visible to all.
REMOVED_WORDS = """
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
NO_REMOVED_WORDS = """
ALTER TABLE patients_searchword RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_scale_factor);
DROP TRIGGER patients_words_removed ON patients_searchword;
DROP TRIGGER patients_words_changed ON patients_searchword;
DROP TRIGGER patients_words_emptied ON patients_searchword;
DROP FUNCTION patients_words_removed(), patients_words_emptied();
"""

# Every row of the audit log that an emergency access writes says so, whichever page, route or task writes it.
EMERGENCY_ACCESS = """
CREATE FUNCTION patients_mark_purpose() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM patients_breakglass g WHERE g.patient_id = NEW.patient_id AND g.user_id = NEW.user_id
               AND g.broken_at <= NEW.at AND g.until > NEW.at) THEN
        NEW.purpose := 'break_glass';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER patients_mark_purpose BEFORE INSERT ON audit_auditevent FOR EACH ROW
    WHEN (NEW.patient_id IS NOT NULL AND NEW.user_id IS NOT NULL AND NEW.purpose = '') EXECUTE FUNCTION patients_mark_purpose();
"""
NO_EMERGENCY_ACCESS = "DROP TRIGGER patients_mark_purpose ON audit_auditevent; DROP FUNCTION patients_mark_purpose();"


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial"), ("patients", "0001_initial")]
    operations = [
        CreateRowCounter(COUNTER),
        migrations.RunSQL(CANDIDATES, NO_CANDIDATES),
        migrations.RunSQL(REMOVED_WORDS, NO_REMOVED_WORDS),
        migrations.RunSQL(EMERGENCY_ACCESS, NO_EMERGENCY_ACCESS),
    ]
