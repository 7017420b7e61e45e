"""The doctor to whom a visit that goes on was handed over: the queue shows it there. `consultations` fills in those on record."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("appointments", "0010_joins_care_team"),
    ]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="attending_doctor",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                help_text="the doctor to whom the visit that goes on was handed over; empty: the booked doctor",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.CheckConstraint(
                condition=models.Q(("attending_doctor", None), ("status", "in_progress"), _connector="OR"),
                name="appointment_attended_in_progress",
            ),
        ),
    ]
