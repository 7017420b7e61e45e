"""The queue of pairs that may be one person. Two triggers strike what is settled, a third keeps it from coming back.

The triggers look at committed rows only; whoever writes a pair, tells two people apart or merges them holds both patients' locks.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import apps.common.clock
import apps.common.ids

TRIGGERS = """
CREATE FUNCTION patients_pair_may_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM patients_notsame WHERE low_id = NEW.low_id AND high_id = NEW.high_id) THEN
        RAISE EXCEPTION 'somebody said that these are two people'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'suspected_pair_not_told_apart';
    END IF;
    IF EXISTS (SELECT FROM patients_patient WHERE id IN (NEW.low_id, NEW.high_id) AND merged_into_id IS NOT NULL) THEN
        RAISE EXCEPTION 'one of these records was merged'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'suspected_pair_not_merged';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER patients_pair_may_stand BEFORE INSERT OR UPDATE ON patients_suspectedpair
    FOR EACH ROW EXECUTE FUNCTION patients_pair_may_stand();

CREATE FUNCTION patients_pair_told_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM patients_suspectedpair WHERE low_id = NEW.low_id AND high_id = NEW.high_id;
    RETURN NULL;
END $$;
CREATE TRIGGER patients_pair_told_apart AFTER INSERT OR UPDATE ON patients_notsame
    FOR EACH ROW EXECUTE FUNCTION patients_pair_told_apart();

CREATE FUNCTION patients_pair_merged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM patients_suspectedpair WHERE low_id = NEW.id OR high_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER patients_pair_merged AFTER UPDATE OF merged_into_id ON patients_patient FOR EACH ROW
    WHEN (NEW.merged_into_id IS NOT NULL AND OLD.merged_into_id IS DISTINCT FROM NEW.merged_into_id)
    EXECUTE FUNCTION patients_pair_merged();
"""

BACK = """
DROP TRIGGER patients_pair_merged ON patients_patient;
DROP TRIGGER patients_pair_told_apart ON patients_notsame;
DROP TRIGGER patients_pair_may_stand ON patients_suspectedpair;
DROP FUNCTION patients_pair_merged(), patients_pair_told_apart(), patients_pair_may_stand();
"""


class Migration(migrations.Migration):
    dependencies = [("patients", "0004_identifier_created_at")]
    operations = [
        migrations.CreateModel(
            name="DuplicateSweep",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField(default=0)),
                ("looked_at", models.BigIntegerField(default=0)),
                ("started_at", models.DateTimeField(default=apps.common.clock.now)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={"constraints": [models.CheckConstraint(condition=models.Q(id=1), name="duplicate_sweep_one")]},
        ),
        migrations.CreateModel(
            name="SuspectedPair",
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
                "indexes": [models.Index(fields=["-score", "found_at", "id"], name="suspected_pair_queue")],
                "constraints": [
                    models.UniqueConstraint(fields=("low", "high"), name="suspected_pair_once"),
                    models.CheckConstraint(condition=models.Q(low__lt=models.F("high")), name="suspected_pair_in_order"),
                    models.CheckConstraint(
                        condition=models.Q(score__gte=0, score__lte=1), name="suspected_pair_score_is_a_share"
                    ),
                    models.CheckConstraint(condition=models.Q(reasons__len__gt=0), name="suspected_pair_has_reasons"),
                ],
            },
        ),
        migrations.RunSQL(TRIGGERS, BACK),
    ]
