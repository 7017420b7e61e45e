"""A signed consultation stays as it was signed; the row counter of the list of consultations.

A signed consultation may become `amended` (an addendum was added) and may follow its patient into a merge; nothing else changes.
"""

from django.db import migrations

from apps.common.row_counters import RowCounter
from apps.common.row_counters.operation import CreateRowCounter

SIGNED = """
CREATE FUNCTION consultations_keep_signed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may_change text[] := ARRAY['patient_id', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'consultation % is part of the medical record: it is never deleted', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status IN ('in_progress', 'on_hold') THEN
        RETURN NEW;
    END IF;
    IF OLD.status IN ('completed', 'amended') AND NEW.status = 'amended' THEN
        may_change := may_change || ARRAY['status', 'version'];
    END IF;
    IF (to_jsonb(NEW) - may_change) IS DISTINCT FROM (to_jsonb(OLD) - may_change) THEN
        RAISE EXCEPTION 'consultation % is %: its content stays as it was signed; write an addendum', OLD.id, OLD.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consultations_keep_signed BEFORE UPDATE OR DELETE ON consultations_consultation
    FOR EACH ROW EXECUTE FUNCTION consultations_keep_signed();

CREATE FUNCTION consultations_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only added to', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER consultations_only_added BEFORE UPDATE OR DELETE ON consultations_stepsave
    FOR EACH ROW EXECUTE FUNCTION consultations_only_added();
CREATE TRIGGER consultations_only_added BEFORE UPDATE OR DELETE ON consultations_acknowledgement
    FOR EACH ROW EXECUTE FUNCTION consultations_only_added();
CREATE TRIGGER consultations_only_added BEFORE UPDATE OR DELETE ON consultations_addendum
    FOR EACH ROW EXECUTE FUNCTION consultations_only_added();
CREATE TRIGGER consultations_only_added BEFORE UPDATE OR DELETE ON consultations_consultationstatuschange
    FOR EACH ROW EXECUTE FUNCTION consultations_only_added();

-- FOR SHARE waits for a user who signs at this moment, and then sees the signature.
CREATE FUNCTION consultations_only_while_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    here text;
BEGIN
    SELECT status INTO here FROM consultations_consultation WHERE id = NEW.consultation_id FOR SHARE;
    IF here <> 'in_progress' THEN
        RAISE EXCEPTION 'consultation % is %: its steps stay as they are', NEW.consultation_id, here USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consultations_only_while_open BEFORE INSERT ON consultations_stepsave
    FOR EACH ROW EXECUTE FUNCTION consultations_only_while_open();
CREATE TRIGGER consultations_only_while_open BEFORE INSERT ON consultations_acknowledgement
    FOR EACH ROW EXECUTE FUNCTION consultations_only_while_open();

CREATE FUNCTION consultations_only_after_signing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    here text;
BEGIN
    SELECT status INTO here FROM consultations_consultation WHERE id = NEW.consultation_id FOR SHARE;
    IF here NOT IN ('completed', 'amended') THEN
        RAISE EXCEPTION 'consultation % is %: an addendum follows a signature', NEW.consultation_id, here
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consultations_only_after_signing BEFORE INSERT ON consultations_addendum
    FOR EACH ROW EXECUTE FUNCTION consultations_only_after_signing();
"""
NOT_SIGNED = """
DROP TRIGGER consultations_only_after_signing ON consultations_addendum;
DROP TRIGGER consultations_only_while_open ON consultations_acknowledgement;
DROP TRIGGER consultations_only_while_open ON consultations_stepsave;
DROP TRIGGER consultations_only_added ON consultations_consultationstatuschange;
DROP TRIGGER consultations_only_added ON consultations_addendum;
DROP TRIGGER consultations_only_added ON consultations_acknowledgement;
DROP TRIGGER consultations_only_added ON consultations_stepsave;
DROP TRIGGER consultations_keep_signed ON consultations_consultation;
DROP FUNCTION consultations_only_after_signing(), consultations_only_while_open(), consultations_only_added(), consultations_keep_signed();
"""


class Migration(migrations.Migration):
    dependencies = [("consultations", "0001_initial")]
    operations = [migrations.RunSQL(SIGNED, NOT_SIGNED), CreateRowCounter(RowCounter("consultations_rowcounter", counted="consultations_consultation"))]
