"""The audit log only grows, and is sealed: triggers that refuse, months, and what the application role may have the owner do.

The triggers are for UPDATE, DELETE and TRUNCATE, so that an INSERT pays nothing for them. PostgreSQL gives row triggers of a
partitioned table to every partition, also to one attached later, but not those of a statement (TRUNCATE): `audit_make_partition`
adds them. Upkeep (moving rows out of the default partition, emptying a sandbox or a test's database) names itself in the
transaction's setting `hims.audit_upkeep`, which counts only for the owner of the table: another role that was given DELETE or
TRUNCATE by mistake is still refused (docs/audit.md).

A partition can be made although rows of its month already lie in the default one: they move. The default partition is locked for
it, the months in use are not. The function runs with its owner's rights, so that the application role can have the coming months
made. In the same way it moves the head of the chain to the position of the last seal it wrote, and nowhere else.
"""

from django.db import migrations

ADVANCE = "audit_advance_chain(bytea, bigint, bytea, timestamptz, timestamptz, date, bytea)"
PARAMETERS = "secret bytea, sequence bigint, hash bytea, reach timestamptz, swept timestamptz, anchored_on date, mac bytea"

REFUSAL = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('hims.audit_upkeep', true) = TG_OP
        AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        IF TG_OP = 'TRUNCATE' THEN RETURN NULL; END IF;
    END IF;
    RAISE EXCEPTION '% of % refused: the trail only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- The head of the chain moves forward, and nothing else of it.
CREATE FUNCTION audit_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.sequence < OLD.sequence
        OR coalesce(NEW.reach, '-infinity') < coalesce(OLD.reach, '-infinity')
        OR coalesce(NEW.swept, '-infinity') < coalesce(OLD.swept, '-infinity')
        OR coalesce(NEW.anchored_on, '-infinity') < coalesce(OLD.anchored_on, '-infinity') THEN
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
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_auditevent_other FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""

MONTHS = """
CREATE FUNCTION audit_make_partition(month date) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
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
"""

# The parameters have the names of columns, hence the aliases and, for the parameters, the name of the function.
ADVANCE_CHAIN = f"""
CREATE FUNCTION audit_advance_chain({PARAMETERS}) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    head audit_chain%ROWTYPE;
    new_seals bigint;
    end_hash bytea;
    fault text;
BEGIN
    SELECT c.* INTO head FROM audit_chain c WHERE c.id = 1 FOR UPDATE;
    SELECT count(*) INTO new_seals FROM audit_seal s
        WHERE s.sequence > head.sequence AND s.sequence <= audit_advance_chain.sequence;
    SELECT s.hash INTO end_hash FROM audit_seal s WHERE s.sequence = audit_advance_chain.sequence;
    fault := CASE
        WHEN head.id IS NULL THEN 'there is no chain'
        WHEN $2 IS NULL OR $2 - head.sequence <> new_seals THEN 'the position is not that of the next seals'
        WHEN $3 IS DISTINCT FROM CASE WHEN $2 = head.sequence THEN head.hash ELSE end_hash END
            THEN 'the hash is not that of the seal at the position'
        -- A time ahead would keep rows from being sealed. A head that is ahead already stays where it is.
        WHEN $4 > greatest(head.reach, now()) OR $5 > greatest(head.swept, now()) THEN 'a time is in the future'
        WHEN $6 IS DISTINCT FROM head.anchored_on AND NOT ($6 <= (now() AT TIME ZONE 'UTC')::date AND EXISTS (
            SELECT FROM audit_anchor a WHERE a.day = $6 - 1 AND a.sequence = head.sequence AND a.hash = head.hash
        )) THEN 'the day has no anchor'
        WHEN $1 IS DISTINCT FROM head.secret AND $6 IS NOT DISTINCT FROM head.anchored_on
            THEN 'the key is encrypted anew only with an anchor'
    END;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'audit_advance_chain refused: %; the chain only moves forward to its next position', fault
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE audit_chain c SET secret = $1, sequence = $2, hash = $3, reach = $4, swept = $5, anchored_on = $6, mac = $7 WHERE c.id = 1;
END $$;
"""

# A function that runs with its owner's rights finds its tables in this schema alone, and a role that may run it is granted that by
# name (apps/audit/database_role/grants.py).
OWNERS_FUNCTIONS = f"""
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION audit_make_partition(date) SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION {ADVANCE} SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE EXECUTE ON FUNCTION audit_make_partition(date) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION {ADVANCE} FROM PUBLIC;

SELECT audit_make_partition(((now() AT TIME ZONE 'UTC')::date + n * interval '1 month')::date) FROM generate_series(0, 3) AS n;
"""

# Administrators filter by these. Of outcomes only failures are indexed, of actions all but the commonest: those are found fast by
# time, and the row of a look pays for no further index.
INDEXES = """
CREATE INDEX audit_trouble ON audit_auditevent (outcome, at DESC, id DESC) WHERE outcome <> 'success';
CREATE INDEX audit_act ON audit_auditevent (action, at DESC, id DESC)
    WHERE action NOT IN ('patient.searched', 'patient.read', 'chart.read');
"""

BACK = f"""
DROP INDEX audit_trouble;
DROP INDEX audit_act;
DROP FUNCTION {ADVANCE};
DROP FUNCTION audit_make_partition(date);
DROP FUNCTION audit_only_forward() CASCADE;
DROP FUNCTION audit_refuse() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(REFUSAL + MONTHS + ADVANCE_CHAIN + OWNERS_FUNCTIONS + INDEXES, BACK)]
