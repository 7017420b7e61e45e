"""The trail only grows, and is sealed: triggers that refuse, and the chain's tables.

The triggers are for UPDATE, DELETE and TRUNCATE, so that an INSERT pays nothing for them. Row triggers of a partitioned table are
PostgreSQL's own business on every partition, also on one attached later; a statement's (TRUNCATE) is not: `audit_make_partition`
adds it. What upkeep needs (moving rows out of the default table, emptying a sandbox or a test's database) names itself in the
transaction's setting `hims.audit_upkeep`. That keeps accidents out; a person with rights on the tables is kept out by having
none (docs/audit.md).
"""

from django.db import migrations, models

REFUSAL = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('hims.audit_upkeep', true) = TG_OP THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        IF TG_OP = 'TRUNCATE' THEN RETURN NULL; END IF;
    END IF;
    RAISE EXCEPTION '% of % refused: the trail only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- The head of the chain moves forward, and nothing else of it.
CREATE FUNCTION audit_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.sequence < OLD.sequence OR NEW.swept < OLD.swept OR NEW.anchored_on < OLD.anchored_on THEN
        RAISE EXCEPTION 'the chain of the trail only moves forward' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_rows_stay BEFORE UPDATE OR DELETE ON audit_auditevent FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_auditevent FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_rows_stay BEFORE UPDATE OR DELETE ON audit_seal FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_seal FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_rows_stay BEFORE UPDATE OR DELETE ON audit_anchor FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_anchor FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_rows_stay BEFORE DELETE ON audit_chain FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_only_forward BEFORE UPDATE ON audit_chain FOR EACH ROW EXECUTE FUNCTION audit_only_forward();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_chain FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'audit_auditevent'::regclass LOOP
        EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', partition);
    END LOOP;
END $$;
"""

# As in 0002, with the trigger for TRUNCATE and the word that lets the rows move. It runs with its owner's rights, so that the role
# of the servers, which may only insert and read, can have the coming months made.
PARTITIONS = """
CREATE OR REPLACE FUNCTION audit_make_partition(month date) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    -- Months are counted in UTC, whatever zone the session has.
    low timestamptz := date_trunc('month', month)::timestamp AT TIME ZONE 'UTC';
    high timestamptz := (date_trunc('month', month) + interval '1 month')::timestamp AT TIME ZONE 'UTC';
    partition text := 'audit_auditevent_' || to_char(month, 'YYYY_MM');
    upkeep text := coalesce(current_setting('hims.audit_upkeep', true), '');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN partition;
    END IF;
    LOCK TABLE audit_auditevent_other IN ACCESS EXCLUSIVE MODE;
    IF to_regclass(partition) IS NOT NULL THEN -- made by another while we waited
        RETURN partition;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE audit_auditevent INCLUDING ALL)', partition);
    PERFORM set_config('hims.audit_upkeep', 'DELETE', true);
    EXECUTE format(
        'WITH moved AS (DELETE FROM audit_auditevent_other WHERE at >= %L AND at < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
        low, high, partition
    );
    PERFORM set_config('hims.audit_upkeep', upkeep, true);
    EXECUTE format('ALTER TABLE audit_auditevent ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, low, high);
    EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', partition);
    RETURN partition;
END $$;

DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION audit_make_partition(date) SET search_path = %I, pg_temp', current_schema());
END $$;
"""

# What an administrator filters by. Of outcomes only what went wrong is indexed, of acts all but the commonest: those are found fast
# by time, and the row of a look pays for no index more than before.
INDEXES = """
CREATE INDEX audit_trouble ON audit_auditevent (outcome, at DESC, id DESC) WHERE outcome <> 'success';
CREATE INDEX audit_act ON audit_auditevent (action, at DESC, id DESC)
    WHERE action NOT IN ('patient.searched', 'patient.read', 'chart.read');
"""

BACK = """
DROP INDEX audit_trouble;
DROP INDEX audit_act;
DROP TRIGGER audit_rows_stay ON audit_auditevent;
DO $$
DECLARE
    kept regclass;
BEGIN
    FOR kept IN SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'audit_no_truncate' LOOP
        EXECUTE format('DROP TRIGGER audit_no_truncate ON %s', kept);
    END LOOP;
    FOR kept IN SELECT unnest(ARRAY['audit_seal', 'audit_anchor', 'audit_chain'])::regclass LOOP
        EXECUTE format('DROP TRIGGER audit_rows_stay ON %s', kept);
    END LOOP;
END $$;
DROP TRIGGER audit_only_forward ON audit_chain;
ALTER FUNCTION audit_make_partition(date) SECURITY INVOKER;
ALTER FUNCTION audit_make_partition(date) RESET search_path;
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; -- the next month's table names it
DROP FUNCTION audit_only_forward();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_rows_without_a_month")]
    operations = [
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("sequence", models.BigIntegerField(primary_key=True, serialize=False)),
                ("event_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "db_table": "audit_seal",
                "ordering": ["sequence"],
                "constraints": [
                    models.UniqueConstraint(fields=("event_id", "at"), name="seal_once_per_row"),
                    models.CheckConstraint(condition=models.Q(("sequence__gte", 1)), name="seal_sequence_from_one"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Anchor",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField()),
                ("hash", models.BinaryField()),
            ],
            options={"db_table": "audit_anchor", "ordering": ["day"]},
        ),
        migrations.CreateModel(
            name="Chain",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("secret", models.BinaryField()),
                ("sequence", models.BigIntegerField(default=0)),
                ("hash", models.BinaryField()),
                ("reach", models.DateTimeField(null=True)),
                ("swept", models.DateTimeField(null=True)),
                ("anchored_on", models.DateField(null=True)),
                ("mac", models.BinaryField()),
            ],
            options={
                "db_table": "audit_chain",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_chain")],
            },
        ),
        migrations.RunSQL(REFUSAL + PARTITIONS + INDEXES, BACK),
    ]
