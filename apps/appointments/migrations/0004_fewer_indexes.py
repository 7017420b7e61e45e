"""Keys that begin another index, or are never looked up by, lose their own: every booking paid for it.

Only the indexes go. Django would make the foreign keys anew as well, and read the whole table for it.
"""

from django.conf import settings
from django.db import migrations, models
from django.db.models import PROTECT

_INDEXES = {
    "appointments_appointment_booked_by_id_f7516f07": "appointments_appointment (booked_by_id)",
    "appointments_appointment_doctor_id_fb58c3a1": "appointments_appointment (doctor_id)",
    "appointments_appointment_patient_id_631d13da": "appointments_appointment (patient_id)",
    "appointments_appointment_series_id_90784a16": "appointments_appointment (series_id)",
    "appointments_statuschange_by_id_8da1627c": "appointments_statuschange (by_id)",
}


def _key(to: str, **more: object) -> models.ForeignKey:
    return models.ForeignKey(to, on_delete=PROTECT, related_name="+", db_index=False, **more)


class Migration(migrations.Migration):
    dependencies = [
        ("appointments", "0003_reschedules_and_feeds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(f"DROP INDEX IF EXISTS {name}", f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")
                for name, columns in _INDEXES.items()
            ],
            state_operations=[
                migrations.AlterField("appointment", "booked_by", _key(settings.AUTH_USER_MODEL, null=True, editable=False)),
                migrations.AlterField("appointment", "doctor", _key(settings.AUTH_USER_MODEL)),
                migrations.AlterField("appointment", "patient", _key("patients.patient")),
                migrations.AlterField("appointment", "series", _key("appointments.series", null=True, editable=False)),
                migrations.AlterField("statuschange", "by", _key(settings.AUTH_USER_MODEL, null=True)),
            ],
        )
    ]
