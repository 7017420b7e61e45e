"""The queue of pairs that may be one person. Two triggers strike what is settled, a third keeps it from coming back.

The triggers look at committed rows only; whoever writes a pair, tells two people apart or merges them holds both patients' locks.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import apps.common.clock
import apps.common.ids

TRIGGERS = """
CREATE FUNCTION patients_duplicatecandidate_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM patients_notduplicate WHERE low_id = NEW.low_id AND high_id = NEW.high_id) THEN
        RAISE EXCEPTION 'somebody said that these are two people'
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

BACK = """
DROP TRIGGER patients_duplicatecandidate_merge ON patients_patient;
DROP TRIGGER patients_duplicatecandidate_dismiss ON patients_notduplicate;
DROP TRIGGER patients_duplicatecandidate_check ON patients_duplicatecandidate;
DROP FUNCTION patients_duplicatecandidate_merge(), patients_duplicatecandidate_dismiss(), patients_duplicatecandidate_check();
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0004_identifier_created_at")]
    operations = [
        migrations.CreateModel(
            name="DuplicateScan",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField(default=0)),
                ("looked_at", models.BigIntegerField(default=0)),
                ("started_at", models.DateTimeField(default=apps.common.clock.now)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={"constraints": [models.CheckConstraint(condition=models.Q(id=1), name="duplicate_scan_one")]},
        ),
        migrations.CreateModel(
            name="DuplicateCandidate",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("score", models.FloatField()),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), size=None),
                ),
                ("found_at", models.DateTimeField(default=apps.common.clock.now)),
                (
                    "high",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
                (
                    "low",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.patient"
                    ),
                ),
            ],
            options={
                "ordering": ["-score", "found_at", "id"],
                "indexes": [models.Index(fields=["-score", "found_at", "id"], name="duplicate_candidate_queue")],
                "constraints": [
                    models.UniqueConstraint(fields=("low", "high"), name="duplicate_candidate_once"),
                    models.CheckConstraint(condition=models.Q(low__lt=models.F("high")), name="duplicate_candidate_in_order"),
                    models.CheckConstraint(
                        condition=models.Q(score__gte=0, score__lte=1), name="duplicate_candidate_score_is_a_share"
                    ),
                    models.CheckConstraint(condition=models.Q(reasons__len__gt=0), name="duplicate_candidate_has_reasons"),
                ],
            },
        ),
        migrations.RunSQL(TRIGGERS, BACK),
    ]
