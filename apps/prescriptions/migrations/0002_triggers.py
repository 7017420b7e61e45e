"""The knowledge of the safety checks is never edited: an entry may be reviewed and retired, each once, and is never deleted."""

from django.db import migrations

KEEP = """
CREATE FUNCTION prescriptions_keep_knowledge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'entry % of the drug knowledge is never deleted: retire it', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF (to_jsonb(NEW) - ARRAY['reviewer_id', 'reviewed_at', 'retired_at', 'updated_at'])
            IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['reviewer_id', 'reviewed_at', 'retired_at', 'updated_at'])
        OR (OLD.reviewer_id IS NOT NULL AND NEW.reviewer_id IS DISTINCT FROM OLD.reviewer_id)
        OR (OLD.reviewed_at IS NOT NULL AND NEW.reviewed_at IS DISTINCT FROM OLD.reviewed_at)
        OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at) THEN
        RAISE EXCEPTION 'entry % of the drug knowledge stays as it is: write another one', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER prescriptions_keep_knowledge BEFORE UPDATE OR DELETE ON prescriptions_knowledgeentry
    FOR EACH ROW EXECUTE FUNCTION prescriptions_keep_knowledge();

CREATE FUNCTION prescriptions_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only added to', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER prescriptions_only_added BEFORE UPDATE OR DELETE ON prescriptions_knowledgeversion
    FOR EACH ROW EXECUTE FUNCTION prescriptions_only_added();
"""
NO_LONGER = """
DROP TRIGGER prescriptions_only_added ON prescriptions_knowledgeversion;
DROP TRIGGER prescriptions_keep_knowledge ON prescriptions_knowledgeentry;
DROP FUNCTION prescriptions_only_added(), prescriptions_keep_knowledge();
"""


class Migration(migrations.Migration):
    dependencies = [("prescriptions", "0001_initial")]
    operations = [migrations.RunSQL(KEEP, NO_LONGER)]
