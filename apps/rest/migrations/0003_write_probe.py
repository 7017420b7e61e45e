"""The row that the readiness check writes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rest", "0002_kept_replies")]
    operations = [
        migrations.CreateModel(
            name="WriteProbe",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("written_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="writeprobe_one_row")],
            },
        ),
    ]
