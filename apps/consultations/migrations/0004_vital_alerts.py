"""Urgent alerts of the vital signs with their history; since when a visit waits for its doctor."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import apps.common.clock


def _person(**more: Any) -> models.ForeignKey:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=django.db.models.deletion.PROTECT, related_name="+", null=True, db_index=False, **more
    )


class Migration(migrations.Migration):
    dependencies = [
        ("consultations", "0003_row_counter"),
        ("appointments", "0009_queue_marks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField(
            "consultation",
            "ready_at",
            models.DateTimeField(editable=False, help_text="since when it waits for the doctor", null=True),
        ),
        migrations.AddField("consultation", "ready_by", _person(editable=False)),
        migrations.CreateModel(
            name="VitalAlert",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("alert_id", models.CharField(max_length=64)),
                ("rule_id", models.CharField(max_length=60)),
                ("because", models.CharField(max_length=400)),
                ("message", models.CharField(max_length=400)),
                ("raised_at", models.DateTimeField(default=apps.common.clock.now)),
                ("cleared_at", models.DateTimeField(null=True)),
                ("cleared_by", _person()),
                (
                    "consultation",
                    models.ForeignKey(
                        "consultations.consultation",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        db_index=False,
                    ),
                ),
                ("raised_by", _person()),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=["consultation", "alert_id"], name="vital_alert_once"),
                    models.CheckConstraint(
                        condition=Q(cleared_at=None, cleared_by=None) | Q(cleared_at__gte=F("raised_at")),
                        name="vital_alert_cleared_later",
                    ),
                ],
            },
        ),
    ]
