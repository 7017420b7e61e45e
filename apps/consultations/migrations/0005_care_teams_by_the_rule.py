"""Care teams hold whom the rule of the contract names: members that an appointment added otherwise are removed.

Until now each booking made its doctor a member for good: also under emergency access, by a nurse outside the team, and after the
appointment was cancelled. Appointments on record count where the patient, reception, an administrator, the system or a doctor or
named person of the team booked them. Whoever booked and was not of these may have done so under emergency access.
"""

from django.db import migrations

COUNT = """
UPDATE appointments_appointment a SET joins_care_team = true
WHERE a.booked_by_id IS NULL
   OR EXISTS (SELECT FROM accounts_user u WHERE u.id = a.booked_by_id AND u.role IN ('patient', 'receptionist', 'admin'))
   OR EXISTS (SELECT FROM patients_careteammember m
              WHERE m.patient_id = a.patient_id AND m.user_id = a.booked_by_id AND m.because = 'named')
   OR EXISTS (SELECT FROM consultations_consultation c
              WHERE c.patient_id = a.patient_id AND c.doctor_id = a.booked_by_id AND c.status <> 'cancelled'
                AND c.started_at <= a.created_at);

UPDATE appointments_appointment a SET joins_care_team = true
WHERE NOT a.joins_care_team AND EXISTS (
    SELECT FROM appointments_appointment b
    WHERE b.patient_id = a.patient_id AND b.doctor_id = a.booked_by_id AND b.joins_care_team AND b.created_at <= a.created_at
      AND b.status IN ('scheduled', 'confirmed', 'checked_in', 'in_progress', 'completed'));

INSERT INTO patients_careteammember (patient_id, user_id, because, added_by_id, added_at)
SELECT DISTINCT ON (a.patient_id, a.doctor_id) a.patient_id, a.doctor_id, 'appointment', a.booked_by_id, a.created_at
FROM appointments_appointment a
WHERE a.joins_care_team AND a.status IN ('scheduled', 'confirmed', 'checked_in', 'in_progress', 'completed')
ORDER BY a.patient_id, a.doctor_id, a.created_at
ON CONFLICT DO NOTHING;

DELETE FROM patients_careteammember m
WHERE m.because = 'visit' AND NOT EXISTS (
    SELECT FROM consultations_consultation c
    WHERE c.patient_id = m.patient_id AND c.status <> 'cancelled'
      AND (c.doctor_id = m.user_id OR EXISTS (
          SELECT FROM consultations_consultationstatuschange p WHERE p.consultation_id = c.id AND p.to_doctor_id = m.user_id)));
"""
BACK = """
INSERT INTO patients_careteammember (patient_id, user_id, because, added_by_id, added_at)
SELECT patient_id, user_id, 'visit', added_by_id, added_at FROM patients_careteammember WHERE because = 'appointment'
ON CONFLICT DO NOTHING;
DELETE FROM patients_careteammember WHERE because = 'appointment';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consultations", "0004_vital_alerts"),
        ("appointments", "0010_joins_care_team"),
        ("patients", "0011_care_team_by_appointment"),
    ]

    operations = [migrations.RunSQL(COUNT, BACK)]
