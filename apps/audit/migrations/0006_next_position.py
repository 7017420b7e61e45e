"""The application role moves the head of the chain to the position of the last seal it wrote, and nowhere else.

Before, a head without a time (`swept`, `anchored_on` NULL) passed for one that moves forward, `reach` could go back, and the
position, its hash, the key and times in the future were whatever the application said.
"""

from django.db import migrations

SIGNATURE = "bytea, bigint, bytea, timestamptz, timestamptz, date, bytea"
PARAMETERS = (
    "secret bytea, sequence bigint, hash bytea, reach timestamptz, swept timestamptz, anchored_on date, mac bytea"  # as in 0004
)
PIN_SEARCH_PATH = f"""
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION audit_advance_chain({SIGNATURE}) SET search_path = %I, pg_temp', current_schema());
END $$;
"""

# The parameters have the names of columns, hence the aliases and, for the parameters, the name of the function.
FORWARD = f"""
CREATE OR REPLACE FUNCTION audit_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.sequence < OLD.sequence
        OR coalesce(NEW.reach, '-infinity') < coalesce(OLD.reach, '-infinity')
        OR coalesce(NEW.swept, '-infinity') < coalesce(OLD.swept, '-infinity')
        OR coalesce(NEW.anchored_on, '-infinity') < coalesce(OLD.anchored_on, '-infinity') THEN
        RAISE EXCEPTION 'the chain of the trail only moves forward' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION audit_advance_chain({PARAMETERS}) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
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
{PIN_SEARCH_PATH}"""

BACK = f"""
CREATE OR REPLACE FUNCTION audit_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.sequence < OLD.sequence OR NEW.swept < OLD.swept OR NEW.anchored_on < OLD.anchored_on THEN
        RAISE EXCEPTION 'the chain of the trail only moves forward' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION audit_advance_chain({PARAMETERS}) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    UPDATE audit_chain SET secret = $1, sequence = $2, hash = $3, reach = $4, swept = $5, anchored_on = $6, mac = $7 WHERE id = 1
$$;
{PIN_SEARCH_PATH}"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_verification_progress")]
    operations = [migrations.RunSQL(FORWARD, BACK)]
