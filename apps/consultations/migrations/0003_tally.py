"""How many consultations there are, kept by triggers, so that the list's exact total is read and not counted."""

from django.db import migrations, models

TALLY = """
CREATE FUNCTION consultations_tally_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO consultations_tally (consultations) SELECT count(*) FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER consultations_tally_inserted AFTER INSERT ON consultations_consultation
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION consultations_tally_inserted();
CREATE FUNCTION consultations_tally_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO consultations_tally (consultations) SELECT -count(*) FROM gone HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER consultations_tally_deleted AFTER DELETE ON consultations_consultation
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION consultations_tally_deleted();
CREATE FUNCTION consultations_tally_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM consultations_tally;
    RETURN NULL;
END $$;
CREATE TRIGGER consultations_tally_emptied AFTER TRUNCATE ON consultations_consultation
    FOR EACH STATEMENT EXECUTE FUNCTION consultations_tally_emptied();
INSERT INTO consultations_tally (consultations) SELECT count(*) FROM consultations_consultation HAVING count(*) > 0;
"""
NO_TALLY = """
DROP TRIGGER consultations_tally_inserted ON consultations_consultation;
DROP TRIGGER consultations_tally_deleted ON consultations_consultation;
DROP TRIGGER consultations_tally_emptied ON consultations_consultation;
DROP FUNCTION consultations_tally_inserted(), consultations_tally_deleted(), consultations_tally_emptied();
"""


class Migration(migrations.Migration):
    dependencies = [("consultations", "0002_signed")]
    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("consultations", models.IntegerField()),
            ],
            options={"db_table": "consultations_tally"},
        ),
        migrations.RunSQL(TALLY, NO_TALLY),
    ]
