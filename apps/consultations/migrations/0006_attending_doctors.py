"""Visits that go on and were handed over before: their appointments name the doctor who has them, for the queue."""

from django.db import migrations

FILL = """
UPDATE appointments_appointment a SET attending_doctor_id = c.doctor_id
FROM consultations_consultation c
WHERE c.appointment_id = a.id AND c.status IN ('in_progress', 'on_hold') AND a.status = 'in_progress' AND c.doctor_id <> a.doctor_id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consultations", "0005_care_teams_by_the_rule"),
        ("appointments", "0011_attending_doctor"),
    ]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
