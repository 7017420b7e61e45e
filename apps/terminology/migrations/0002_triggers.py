"""A code has one meaning on each day."""

from django.db import migrations

# A statement at a time: an exclusion constraint over GiST makes a load of 98,000 codes ten seconds longer.
ONE_MEANING_A_DAY = """
CREATE FUNCTION terminology_one_meaning_a_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE clash text;
BEGIN
    SELECT one.code INTO clash FROM written AS one JOIN terminology_icdcode AS other
        ON other.code = one.code AND other.id <> one.id
        AND daterange(other.effective_from, other.effective_to, '[]') && daterange(one.effective_from, one.effective_to, '[]')
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ICD-10-CM code % would mean two things on one day', clash
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'icd_code_one_meaning_a_day', TABLE = 'terminology_icdcode';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER icd_code_one_meaning_a_day_insert AFTER INSERT ON terminology_icdcode REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION terminology_one_meaning_a_day();
CREATE TRIGGER icd_code_one_meaning_a_day_update AFTER UPDATE ON terminology_icdcode REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION terminology_one_meaning_a_day();
"""
BACK = """
DROP TRIGGER icd_code_one_meaning_a_day_insert ON terminology_icdcode;
DROP TRIGGER icd_code_one_meaning_a_day_update ON terminology_icdcode;
DROP FUNCTION terminology_one_meaning_a_day();
"""


class Migration(migrations.Migration):
    dependencies = [("terminology", "0001_initial")]
    operations = [migrations.RunSQL(ONE_MEANING_A_DAY, BACK)]
