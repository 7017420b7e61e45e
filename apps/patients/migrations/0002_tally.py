"""Counting without counting: triggers add a row to the tally for whatever enters, leaves or changes the patient list.

Row by row only where a row's place in the list changes; in one row a block for inserts, however many rows they bring (COPY).
"""

from django.db import migrations

SHIFT = 10  # blocks of 1,024

TRIGGERS = f"""
CREATE FUNCTION patients_rowcounter_add(block bigint, listed bigint, active bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO patients_rowcounter (level, block, listed, active) VALUES (0, 0, listed, active), (1, block, listed, active);
$$;

CREATE FUNCTION patients_rowcounter_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO patients_rowcounter (level, block, listed, active)
    SELECT CASE WHEN grouping(seq >> {SHIFT}) = 1 THEN 0 ELSE 1 END, coalesce(seq >> {SHIFT}, 0), count(*) FILTER (WHERE merged_into_id IS NULL),
           count(*) FILTER (WHERE is_active AND merged_into_id IS NULL)
    FROM fresh GROUP BY GROUPING SETS ((), (seq >> {SHIFT})) HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER patients_rowcounter_inserted AFTER INSERT ON patients_patient
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION patients_rowcounter_inserted();

CREATE FUNCTION patients_rowcounter_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM patients_rowcounter_add(NEW.seq >> {SHIFT},
        (NEW.merged_into_id IS NULL)::int - (OLD.merged_into_id IS NULL)::int,
        (NEW.is_active AND NEW.merged_into_id IS NULL)::int - (OLD.is_active AND OLD.merged_into_id IS NULL)::int);
    RETURN NULL;
END $$;
CREATE TRIGGER patients_rowcounter_changed AFTER UPDATE ON patients_patient FOR EACH ROW
    WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active OR OLD.merged_into_id IS DISTINCT FROM NEW.merged_into_id) EXECUTE FUNCTION patients_rowcounter_changed();

CREATE FUNCTION patients_rowcounter_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM patients_rowcounter_add(OLD.seq >> {SHIFT}, -(OLD.merged_into_id IS NULL)::int,
        -(OLD.is_active AND OLD.merged_into_id IS NULL)::int);
    RETURN NULL;
END $$;
CREATE TRIGGER patients_rowcounter_deleted AFTER DELETE ON patients_patient FOR EACH ROW EXECUTE FUNCTION patients_rowcounter_deleted();

CREATE FUNCTION patients_rowcounter_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM patients_rowcounter;
    RETURN NULL;
END $$;
CREATE TRIGGER patients_rowcounter_emptied AFTER TRUNCATE ON patients_patient FOR EACH STATEMENT EXECUTE FUNCTION patients_rowcounter_emptied();
"""

BACK = """
DROP TRIGGER patients_rowcounter_inserted ON patients_patient;
DROP TRIGGER patients_rowcounter_changed ON patients_patient;
DROP TRIGGER patients_rowcounter_deleted ON patients_patient;
DROP TRIGGER patients_rowcounter_emptied ON patients_patient;
DROP FUNCTION patients_rowcounter_inserted(), patients_rowcounter_changed(), patients_rowcounter_deleted(), patients_rowcounter_emptied(),
    patients_rowcounter_add(bigint, bigint, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0001_initial")]
    operations = [migrations.RunSQL(TRIGGERS, BACK)]
