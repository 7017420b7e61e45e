"""Appointments know whether their doctor belongs to the care team by them; `consultations` fills it in for those on record."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("appointments", "0009_queue_marks")]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="joins_care_team",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="whoever named the doctor could add to the care team",
            ),
        ),
    ]
