"""Charts as the services keep them from now on: no "no known allergy" beside an allergy, no signed diagnosis listed twice."""

from django.db import migrations

# The survivor of a merge may have both. What ends is history, and is read as such.
NO_KNOWN_ALLERGY = """
UPDATE patients_chartentry none_known SET status = 'inactive', updated_at = now()
WHERE none_known.type = 'allergy' AND none_known.status = 'active'
  AND none_known.code_system = 'SNOMED-CT' AND none_known.code = '716186003'
  AND EXISTS (
    SELECT FROM patients_chartentry a
    WHERE a.patient_id = none_known.patient_id AND a.type = 'allergy' AND a.status = 'active'
      AND (a.code_system, a.code) <> ('SNOMED-CT', '716186003'))
"""
RESOLVED = """
UPDATE patients_patient p SET allergy_status = CASE WHEN EXISTS (
    SELECT FROM patients_chartentry a WHERE a.patient_id = p.id AND a.type = 'allergy' AND a.status = 'active')
    THEN 'none_known' ELSE 'not_asked' END
WHERE p.allergy_status = 'listed' AND p.merged_into_id IS NULL AND NOT EXISTS (
    SELECT FROM patients_chartentry a WHERE a.patient_id = p.id AND a.type = 'allergy' AND a.status = 'active'
      AND (a.code_system, a.code) <> ('SNOMED-CT', '716186003'))
"""
# The first active entry stays on the problem list, the later ones of signed visits become the visits' own.
REPEATED = """
UPDATE patients_chartentry repeated SET status = 'encounter', updated_at = now()
WHERE repeated.type = 'diagnosis' AND repeated.status = 'active' AND repeated.source = 'consultation' AND repeated.code <> ''
  AND EXISTS (
    SELECT FROM patients_chartentry first
    WHERE first.patient_id = repeated.patient_id AND first.type = 'diagnosis' AND first.status = 'active'
      AND (first.code_system, first.code) = (repeated.code_system, repeated.code)
      AND (first.source <> 'consultation' OR (first.occurred_at, first.id) < (repeated.occurred_at, repeated.id))
      AND first.id <> repeated.id)
"""
LISTED_AGAIN = "UPDATE patients_chartentry SET status = 'active', updated_at = now() WHERE status = 'encounter'"


class Migration(migrations.Migration):
    dependencies = [("patients", "0008_death_after_birth")]
    operations = [
        migrations.RunSQL([NO_KNOWN_ALLERGY, RESOLVED], migrations.RunSQL.noop),
        migrations.RunSQL(REPEATED, LISTED_AGAIN),
    ]
