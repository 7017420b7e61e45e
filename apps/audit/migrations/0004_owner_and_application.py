"""What the application role may not do itself: the chain's head moves forward through a function of the owner's.

Leave for upkeep (`hims.audit_upkeep`) counts only for the owner of the table: another role that was given DELETE or TRUNCATE by
mistake is still refused.
"""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('hims.audit_upkeep', true) = TG_OP
        AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        IF TG_OP = 'TRUNCATE' THEN RETURN NULL; END IF;
    END IF;
    RAISE EXCEPTION '% of % refused: the trail only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_advance_chain(
    secret bytea, sequence bigint, hash bytea, reach timestamptz, swept timestamptz, anchored_on date, mac bytea
) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    UPDATE audit_chain SET secret = $1, sequence = $2, hash = $3, reach = $4, swept = $5, anchored_on = $6, mac = $7 WHERE id = 1
$$;

DO $$ BEGIN
    EXECUTE format(
        'ALTER FUNCTION audit_advance_chain(bytea, bigint, bytea, timestamptz, timestamptz, date, bytea) SET search_path = %I, pg_temp',
        current_schema()
    );
END $$;

-- Whoever may run a function of the owner's is granted it by name (apps/audit/database_role/grants.py).
REVOKE EXECUTE ON FUNCTION audit_make_partition(date) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION audit_advance_chain(bytea, bigint, bytea, timestamptz, timestamptz, date, bytea) FROM PUBLIC;
"""

BACK = """
DROP FUNCTION audit_advance_chain(bytea, bigint, bytea, timestamptz, timestamptz, date, bytea);
GRANT EXECUTE ON FUNCTION audit_make_partition(date) TO PUBLIC;
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('hims.audit_upkeep', true) = TG_OP THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        IF TG_OP = 'TRUNCATE' THEN RETURN NULL; END IF;
    END IF;
    RAISE EXCEPTION '% of % refused: the trail only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_seals")]
    operations = [migrations.RunSQL(FORWARD, BACK)]
