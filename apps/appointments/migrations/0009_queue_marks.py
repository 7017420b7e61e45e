"""Marks on the row in the queue: an urgent alert of the consultation, and ready for the doctor. No default: no table is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("appointments", "0008_hours_until_midnight")]
    operations = [
        migrations.AddField("appointment", "alert_since", models.DateTimeField(editable=False, null=True)),
        migrations.AddField("appointment", "ready_since", models.DateTimeField(editable=False, null=True)),
    ]
