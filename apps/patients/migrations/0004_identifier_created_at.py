import apps.common.clock
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0003_match_indexes")]
    operations = [
        # Two steps, so that rows that are there already stay empty: nobody noted when they came.
        migrations.AddField("patientidentifier", "created_at", models.DateTimeField(null=True)),
        migrations.AlterField(
            "patientidentifier",
            "created_at",
            models.DateTimeField(
                default=apps.common.clock.now, editable=False, help_text="empty: before it was noted", null=True
            ),
        ),
    ]
