"""How many consultations there are, kept by triggers, so that the list's exact total is read and not counted."""

from django.db import migrations, models

ROW_COUNTER = """
CREATE FUNCTION consultations_rowcounter_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO consultations_rowcounter (consultations) SELECT count(*) FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER consultations_rowcounter_inserted AFTER INSERT ON consultations_consultation
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION consultations_rowcounter_inserted();
CREATE FUNCTION consultations_rowcounter_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO consultations_rowcounter (consultations) SELECT -count(*) FROM gone HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER consultations_rowcounter_deleted AFTER DELETE ON consultations_consultation
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION consultations_rowcounter_deleted();
CREATE FUNCTION consultations_rowcounter_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM consultations_rowcounter;
    RETURN NULL;
END $$;
CREATE TRIGGER consultations_rowcounter_emptied AFTER TRUNCATE ON consultations_consultation
    FOR EACH STATEMENT EXECUTE FUNCTION consultations_rowcounter_emptied();
INSERT INTO consultations_rowcounter (consultations) SELECT count(*) FROM consultations_consultation HAVING count(*) > 0;
"""
NO_ROW_COUNTER = """
DROP TRIGGER consultations_rowcounter_inserted ON consultations_consultation;
DROP TRIGGER consultations_rowcounter_deleted ON consultations_consultation;
DROP TRIGGER consultations_rowcounter_emptied ON consultations_consultation;
DROP FUNCTION consultations_rowcounter_inserted(), consultations_rowcounter_deleted(), consultations_rowcounter_emptied();
"""


class Migration(migrations.Migration):
    dependencies = [("consultations", "0002_signed")]
    operations = [
        migrations.CreateModel(
            name="RowCounter",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("consultations", models.IntegerField()),
            ],
            options={"db_table": "consultations_rowcounter"},
        ),
        migrations.RunSQL(ROW_COUNTER, NO_ROW_COUNTER),
    ]
