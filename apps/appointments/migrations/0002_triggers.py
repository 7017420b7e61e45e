"""The row counter of the list of appointments."""

from django.db import migrations

ROW_COUNTER = """
CREATE FUNCTION appointments_rowcounter_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO appointments_rowcounter (visits) SELECT count(*) FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER appointments_rowcounter_inserted AFTER INSERT ON appointments_appointment
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION appointments_rowcounter_inserted();
CREATE FUNCTION appointments_rowcounter_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO appointments_rowcounter (visits) SELECT -count(*) FROM gone HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER appointments_rowcounter_deleted AFTER DELETE ON appointments_appointment
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION appointments_rowcounter_deleted();
CREATE FUNCTION appointments_rowcounter_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM appointments_rowcounter;
    RETURN NULL;
END $$;
CREATE TRIGGER appointments_rowcounter_emptied AFTER TRUNCATE ON appointments_appointment
    FOR EACH STATEMENT EXECUTE FUNCTION appointments_rowcounter_emptied();
"""
NO_ROW_COUNTER = """
DROP TRIGGER appointments_rowcounter_inserted ON appointments_appointment;
DROP TRIGGER appointments_rowcounter_deleted ON appointments_appointment;
DROP TRIGGER appointments_rowcounter_emptied ON appointments_appointment;
DROP FUNCTION appointments_rowcounter_inserted(), appointments_rowcounter_deleted(), appointments_rowcounter_emptied();
"""


class Migration(migrations.Migration):
    dependencies = [("appointments", "0001_initial")]
    operations = [migrations.RunSQL(ROW_COUNTER, NO_ROW_COUNTER)]
