"""Finds the visits of a day by their check-in, and a doctor's latest finished ones of a type. No write waits while they are made."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("appointments", "0004_fewer_indexes"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(("checked_in_at__isnull", False)), fields=["checked_in_at"], name="appointment_came"
            ),
        ),
        AddIndexConcurrently(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(("status", "completed")),
                fields=["doctor", "appointment_type", "-scheduled_time", "-id"],
                name="appointment_seen",
            ),
        ),
    ]
