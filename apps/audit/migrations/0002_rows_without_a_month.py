"""A month's table can be made although rows of that month already lie in the default one: they move.

The default partition is locked for it, the months in use are not: attaching a table locks the trail against nobody who writes.
"""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION audit_make_partition(month date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    -- Months are counted in UTC, whatever zone the session has.
    low timestamptz := date_trunc('month', month)::timestamp AT TIME ZONE 'UTC';
    high timestamptz := (date_trunc('month', month) + interval '1 month')::timestamp AT TIME ZONE 'UTC';
    partition text := 'audit_auditevent_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN partition;
    END IF;
    LOCK TABLE audit_auditevent_other IN ACCESS EXCLUSIVE MODE;
    IF to_regclass(partition) IS NOT NULL THEN -- made by another while we waited
        RETURN partition;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE audit_auditevent INCLUDING ALL)', partition);
    EXECUTE format(
        'WITH moved AS (DELETE FROM audit_auditevent_other WHERE at >= %L AND at < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
        low, high, partition
    );
    EXECUTE format('ALTER TABLE audit_auditevent ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, low, high);
    RETURN partition;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_trail")]
    operations = [migrations.RunSQL(FUNCTION, migrations.RunSQL.noop)]
